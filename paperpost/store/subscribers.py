"""Subscribers and their interests."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert, literal, update
from sqlmodel import Session, col, delete, func, select

from paperpost.store.database import add_or_leave, among, in_chunks
from paperpost.store.tables import (
    Delivery,
    DeliveryKind,
    Interest,
    InterestKind,
    Subscriber,
    SubscriberState,
)

_number = col(Subscriber.id)
_is_active = col(Subscriber.state) == SubscriberState.ACTIVE


def id_of(subscriber: Subscriber) -> int:
    """The number of a stored subscriber."""
    number = subscriber.id
    if number is None:
        raise ValueError(f"subscriber {subscriber.email} is not stored yet")
    return number


def domain_of(email: str) -> str:
    """The domain of an address, in one spelling."""
    return email.rpartition("@")[2].lower()


def by_email(session: Session, email: str) -> Subscriber | None:
    """The subscriber with that (normalised) address."""
    return session.exec(select(Subscriber).where(Subscriber.email == email)).first()


def by_id(session: Session, ids: Iterable[int]) -> dict[int, Subscriber]:
    """Subscribers by number; those who are gone are left out."""
    return {
        id_of(found): found
        for chunk in in_chunks(ids)
        for found in session.exec(select(Subscriber).where(among(session, _number, chunk)))
    }


def add(session: Session, person: Subscriber) -> None:
    """Store a new subscriber; one with that address who is there already stays as they are."""
    add_or_leave(session, Subscriber, [person.model_dump(exclude={"id"})])


def due(
    session: Session, now: datetime, limit: int, after: tuple[datetime, int] | None = None
) -> list[tuple[datetime, int]]:
    """When active subscribers' digests are due, and their numbers, the longest waiting first; the
    next ones `after` one of these."""
    due_at, number = col(Subscriber.next_due_at), col(Subscriber.id)
    query = (
        select(due_at, number)
        .where(Subscriber.state == SubscriberState.ACTIVE, due_at <= now)
        .order_by(due_at, number)
        .limit(limit)
    )
    if after is not None:
        query = query.where((due_at > after[0]) | ((due_at == after[0]) & (number > after[1])))
    return [(at, found) for at, found in session.exec(query) if at and found]


def active(session: Session, after: int, limit: int) -> list[Subscriber]:
    """The next active subscribers in order of number, for walking through all of them."""
    query = select(Subscriber).where(_is_active, _number > after).order_by(_number).limit(limit)
    return list(session.exec(query))


def active_numbers(session: Session, before: int | None, limit: int) -> list[int]:
    """The numbers of these, the newest first; all, or those before one of them."""
    query = select(_number).where(_is_active)
    if before is not None:
        query = query.where(_number < before)
    numbers = session.exec(query.order_by(_number.desc()).limit(limit))
    return [number for number in numbers if number is not None]


def first_joined(session: Session) -> datetime | None:
    """Since when there are subscribers."""
    return session.exec(select(func.min(Subscriber.joined_at))).one()


def count_by_state(session: Session) -> dict[str, int]:
    """How many subscribers there are in each state."""
    rows = session.exec(select(Subscriber.state, func.count()).group_by(Subscriber.state))
    return dict(rows.all())


def interests(
    session: Session, subscriber_ids: Collection[int]
) -> dict[int, dict[InterestKind, list[str]]]:
    """Each subscriber's interests by kind, in the order they were given."""
    found: dict[int, dict[InterestKind, list[str]]] = {
        number: defaultdict(list) for number in subscriber_ids
    }
    for chunk in in_chunks(subscriber_ids):
        rows = session.exec(
            select(col(Interest.subscriber_id), col(Interest.kind), col(Interest.value))
            .where(among(session, col(Interest.subscriber_id), chunk))
            .order_by(col(Interest.id))
        )
        for subscriber_id, kind, value in rows:
            found[subscriber_id][InterestKind(kind)].append(value)
    return found


def take_turns(session: Session, subscriber_id: int) -> None:
    """One transaction at a time for one subscriber (PostgreSQL; SQLite's writers take turns
    anyway); what was read of them before their turn is read anew."""
    session.exec(
        select(Subscriber).where(Subscriber.id == subscriber_id).with_for_update(),
        execution_options={"populate_existing": True},
    ).all()


def set_interests(
    session: Session, subscriber_id: int, wanted: Mapping[InterestKind, Sequence[str]]
) -> None:
    """Make these kinds of interest exactly so; kinds that are not named stay as they are, and so
    does which named interest a term belongs to that stays."""
    take_turns(session, subscriber_id)
    for kind, values in wanted.items():
        of_this_kind = (col(Interest.subscriber_id) == subscriber_id, col(Interest.kind) == kind)
        rows = session.exec(select(Interest).where(*of_this_kind).order_by(col(Interest.id)))
        named = {row.value: row.named_id for row in rows}
        if list(named) == list(values):
            continue
        session.exec(delete(Interest).where(*of_this_kind))
        session.add_all(
            Interest(subscriber_id=subscriber_id, kind=kind, value=value, named_id=named.get(value))
            for value in dict.fromkeys(values)
        )
        session.flush()


def ask_while_pending(
    session: Session,
    person: Subscriber,
    wanted: Mapping[InterestKind, Sequence[str]],
    columns: Mapping[str, str | int | float | None],
    *,
    is_told: bool,
) -> None:
    """Take what somebody asks for who has not confirmed and is told of it by mail; for all others
    the same statements change nothing, so that their number and kind tell nothing of whom they
    are about."""
    take_turns(session, id_of(person))
    is_pending = (
        col(Subscriber.id) == id_of(person),
        col(Subscriber.state) == SubscriberState.PENDING,
        literal(is_told),
    )
    if columns:
        session.exec(update(Subscriber).where(*is_pending).values(**columns))
    pending = select(Subscriber.id).where(*is_pending)
    for kind, values in wanted.items():
        mine = (col(Interest.subscriber_id).in_(pending), col(Interest.kind) == kind)
        session.exec(delete(Interest).where(*mine))
        for value in values:
            row = select(Subscriber.id, literal(kind.value), literal(value)).where(*is_pending)
            names = ["subscriber_id", "kind", "value"]
            session.exec(insert(Interest).from_select(names, row))


def unconfirmed(session: Session, before: datetime, limit: int) -> list[int]:
    """The numbers of those who never confirmed, joined before a moment, and were not asked to
    confirm since."""
    asked_since = select(Delivery.subscriber_id).where(
        Delivery.subscriber_id == col(Subscriber.id),
        Delivery.kind == DeliveryKind.CONFIRMATION,
        Delivery.created_at >= before,
    )
    found = session.exec(
        select(Subscriber.id)
        .where(
            Subscriber.state == SubscriberState.PENDING,
            Subscriber.joined_at < before,
            ~asked_since.exists(),
        )
        .order_by(col(Subscriber.id))
        .limit(limit)
    )
    return [number for number in found if number is not None]


def remove(session: Session, subscriber_id: int) -> None:
    """Remove a subscriber; interests, votes, digests and deliveries go with the row."""
    session.exec(delete(Subscriber).where(col(Subscriber.id) == subscriber_id))


def set_next_due(session: Session, subscriber_id: int, at: datetime | None) -> None:
    """When the subscriber's next digest is to be composed."""
    session.exec(
        update(Subscriber).where(col(Subscriber.id) == subscriber_id).values(next_due_at=at)
    )


def move_next_due(session: Session, seen: Subscriber, at: datetime) -> bool:
    """Change when the next digest is due; False if that or the schedule changed since `seen`."""
    moved = session.exec(
        update(Subscriber)
        .where(
            col(Subscriber.id) == seen.id,
            col(Subscriber.state) == seen.state,
            col(Subscriber.next_due_at).is_not_distinct_from(seen.next_due_at),
            col(Subscriber.timezone) == seen.timezone,
            col(Subscriber.hour) == seen.hour,
            col(Subscriber.frequency) == seen.frequency,
        )
        .values(next_due_at=at)
    )
    return bool(moved.rowcount == 1)
