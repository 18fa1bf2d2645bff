"""How each day of each source stands."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, delete, func, select, update

from paperpost.store.database import add_or_leave, printable
from paperpost.store.tables import SourceDay


@dataclass(frozen=True, slots=True)
class Stand:
    """What is to be written of one day of a source; see SourceDay."""

    source: str
    day: date
    state: str
    evidence: str
    papers: int = 0
    ids: list[str] | None = None


def since(session: Session, source: str, first: date) -> list[SourceDay]:
    """What is known of a source's days from `first` on, by day."""
    return list(
        session.exec(
            select(SourceDay)
            .where(SourceDay.source == source, SourceDay.day >= first)
            .order_by(col(SourceDay.day))
        )
    )


def first_day(session: Session, source: str) -> date | None:
    """The first day that anything is known of."""
    return session.exec(select(func.min(SourceDay.day)).where(SourceDay.source == source)).one()


def keep(session: Session, stand: Stand, now: datetime) -> None:
    """Write down how a day stands. The ids of a batch replace those of the batches before."""
    if stand.ids is not None:
        session.execute(
            update(SourceDay)
            .where(
                col(SourceDay.source) == stand.source,
                col(SourceDay.day) < stand.day,
                col(SourceDay.ids).is_not(None),
            )
            .values(ids=None)
        )
    key = {"source": stand.source, "day": stand.day}
    unknown = {"state": stand.state, "evidence": "", "papers": 0, "looked_at": now}
    add_or_leave(session, SourceDay, [key | unknown])
    kept = session.get_one(SourceDay, (stand.source, stand.day))
    kept.state, kept.papers, kept.looked_at = stand.state, stand.papers, now
    kept.evidence = printable(stand.evidence)
    if stand.ids is not None:
        kept.ids = stand.ids


def forget(session: Session, before: date) -> None:
    """Forget what is older."""
    session.execute(delete(SourceDay).where(col(SourceDay.day) < before))
