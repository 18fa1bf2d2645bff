"""One subscriber's digests as a history: what became of each, and what was in them. The frozen
texts of papers stay where they are."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select as sql_select
from sqlmodel import Session, col, func, select

from paperpost.store.tables import Delivery, DeliveryState, Digest, Fragment


@dataclass(frozen=True, slots=True)
class Entry:
    """A digest in a list: how many `papers` it has, the first one's title as it was frozen, and
    how its mail stands (`state`, with the server's or our own words in `reply`)."""

    local_date: date
    frequency: str
    silence: str
    papers: int
    first_title: str
    state: str
    reply: str
    due_at: datetime
    sent_at: datetime | None


def page(session: Session, subscriber_id: int, *, limit: int, offset: int = 0) -> list[Entry]:
    """Digests, newest first, those without papers included."""
    query = _entries(subscriber_id).order_by(col(Digest.local_date).desc())
    return [Entry(*row) for row in session.execute(query.limit(limit).offset(offset))]


def of_date(session: Session, subscriber_id: int, local_date: date) -> Entry | None:
    """The digest of one local date."""
    query = _entries(subscriber_id).where(col(Digest.local_date) == local_date)
    row = session.execute(query).first()
    return None if row is None else Entry(*row)


def _entries(subscriber_id: int) -> Any:
    query = sql_select(
        col(Digest.local_date),
        col(Digest.frequency),
        col(Digest.silence),
        func.json_array_length(Digest.items),
        func.coalesce(Fragment.title, ""),
        col(Delivery.state),
        col(Delivery.reply),
        col(Delivery.due_at),
        col(Delivery.sent_at),
    )
    first_fragment = col(Digest.items)[(0, "fragment")].as_integer()
    return (
        query.join(Delivery, col(Delivery.id) == col(Digest.delivery_id))
        .join(Fragment, col(Fragment.id) == first_fragment, isouter=True)
        .where(col(Digest.subscriber_id) == subscriber_id)
    )


def count(session: Session, subscriber_id: int) -> int:
    """How many digests there are."""
    query = select(func.count()).where(Digest.subscriber_id == subscriber_id)
    return session.exec(query).one()


def around(session: Session, subscriber_id: int, day: date) -> tuple[date | None, date | None]:
    """The dates of the digest before a date and of the one after it."""
    own = Digest.subscriber_id == subscriber_id
    earlier = select(func.max(Digest.local_date)).where(own, Digest.local_date < day)
    later = select(func.min(Digest.local_date)).where(own, Digest.local_date > day)
    return session.exec(earlier).one(), session.exec(later).one()


@dataclass(frozen=True, slots=True)
class Listed:
    """A digest with papers, and its frozen items (tables.Digest), whose papers may be known by
    another number since."""

    local_date: date
    composed_at: datetime
    message_id: str
    items: list[dict[str, Any]]


def newest(session: Session, subscriber_id: int, most: int) -> list[Listed]:
    """The newest digests with papers, whatever became of their mails, newest first."""
    query = _listed(subscriber_id).order_by(col(Digest.local_date).desc()).limit(most)
    return [Listed(*row) for row in session.execute(query)]


def sent(session: Session, subscriber_id: int, since: date) -> list[Listed]:
    """The digests with papers of that date or later that went out, oldest first."""
    query = _listed(subscriber_id).where(
        col(Digest.local_date) >= since, col(Delivery.state) == DeliveryState.SENT
    )
    return [Listed(*row) for row in session.execute(query.order_by(col(Digest.local_date)))]


def _listed(subscriber_id: int) -> Any:
    query = sql_select(
        col(Digest.local_date),
        col(Digest.composed_at),
        col(Delivery.message_id),
        col(Digest.items),
    )
    return query.join(Delivery, col(Delivery.id) == col(Digest.delivery_id)).where(
        col(Digest.subscriber_id) == subscriber_id, col(Digest.silence) == ""
    )
