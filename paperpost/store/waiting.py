"""Replacements of papers that no source has told yet: they wait, so that a paper is the same
whether its first version comes before its second or after it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from paperpost.store.database import in_chunks
from paperpost.store.records import Record, as_json, from_json
from paperpost.store.tables import WaitingRecord

# Days that were missed are caught up for two weeks; most of what waits is of papers from before
# there was this installation.
KEPT = timedelta(days=30)


def named(session: Session, names: Iterable[str]) -> dict[int, Record]:
    """The waiting records of these names, by the numbers of their rows."""
    query = select(WaitingRecord).order_by(col(WaitingRecord.id))
    return {
        row.id or 0: from_json(row.name, row.said)
        for chunk in in_chunks(names)
        for row in session.exec(query.where(col(WaitingRecord.name).in_(chunk)))
    }


def keep(
    session: Session, before: Mapping[int, Record], now_waiting: Iterable[Record], now: datetime
) -> None:
    """Of the records that waited `before` only those wait on that are among `now_waiting`; what is
    new among these begins to wait, and what has waited for too long is forgotten."""
    waiting = set(now_waiting)
    gone = [number for number, record in before.items() if record not in waiting]
    for chunk in in_chunks(gone):
        session.exec(delete(WaitingRecord).where(col(WaitingRecord.id).in_(chunk)))
    new = sorted(waiting.difference(before.values()), key=lambda record: record.key[:2])
    session.add_all(
        WaitingRecord(name=record.name, said=as_json(record), told_at=now) for record in new
    )
    if new:
        session.exec(delete(WaitingRecord).where(col(WaitingRecord.told_at) < now - KEPT))
