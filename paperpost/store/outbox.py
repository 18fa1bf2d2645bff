"""The outbox: every mail there is or was, and what became of it; leases.py has who may try it."""

from datetime import datetime

from sqlalchemy import insert, inspect, literal, or_, update
from sqlmodel import Session, col, func, select

from paperpost.store.leases import WAITING
from paperpost.store.tables import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Subscriber,
)

OPEN = (*WAITING, DeliveryState.SENDING)


def add(session: Session, delivery: Delivery) -> int:
    """Put a mail into the outbox; its number."""
    session.add(delivery)
    session.flush()
    if delivery.id is None:
        raise ValueError("the delivery was not stored")
    return delivery.id


def add_if(session: Session, delivery: Delivery, is_wanted: bool) -> None:
    """Put a mail into the outbox or leave it, by one and the same statement."""
    table = inspect(Delivery).local_table
    columns = [column for column in table.columns if column.name != "id"]
    values = [literal(getattr(delivery, one.name), one.type).label(one.name) for one in columns]
    wanted = select(*values).where(literal(is_wanted))
    session.execute(insert(Delivery).from_select(columns, wanted))


def created_since(
    session: Session, subscriber_id: int, kind: DeliveryKind, since: datetime
) -> list[datetime]:
    """When the mails of one kind to one subscriber were queued since then, oldest first."""
    return list(
        session.exec(
            select(Delivery.created_at)
            .where(
                Delivery.subscriber_id == subscriber_id,
                Delivery.kind == kind,
                Delivery.created_at >= since,
            )
            .order_by(col(Delivery.id))
        )
    )


def unsuppress(session: Session, subscriber_id: int, now: datetime) -> None:
    """Let the digests that were held back and are still news go out after all."""
    session.exec(
        update(Delivery)
        .where(
            col(Delivery.subscriber_id) == subscriber_id,
            col(Delivery.state) == DeliveryState.SUPPRESSED,
            col(Delivery.expires_at) > now,
        )
        .values(state=DeliveryState.QUEUED, reply="")
    )


def count_by_state(session: Session) -> dict[str, dict[str, int]]:
    """How many deliveries there are by kind and state, states without any included."""
    counts = {kind.value: dict.fromkeys(map(str, DeliveryState), 0) for kind in DeliveryKind}
    rows = session.exec(
        select(Delivery.kind, Delivery.state, func.count()).group_by(Delivery.kind, Delivery.state)
    )
    for kind, state, number in rows:
        counts[kind][state] = number
    return counts


def count_since(session: Session, since: datetime) -> dict[str, dict[str, int]]:
    """How many of the deliveries that were due since then there are by kind and state, states
    without any left out."""
    counts: dict[str, dict[str, int]] = {kind.value: {} for kind in DeliveryKind}
    rows = session.exec(
        select(Delivery.kind, Delivery.state, func.count())
        # Whichever state: the index begins with it.
        .where(col(Delivery.state).in_(list(DeliveryState)), Delivery.due_at >= since)
        .group_by(Delivery.kind, Delivery.state)
        .order_by(Delivery.state)
    )
    for kind, state, number in rows:
        counts[kind][state] = number
    return counts


def count_ever(session: Session) -> dict[str, int]:
    """How many deliveries there ever were by state, states without any included. Those that were
    sent, nearly all, are what the others leave: to count a million of them by themselves takes
    ten times as long as to count all rows."""
    others = [state for state in DeliveryState if state != DeliveryState.SENT]
    rows = session.exec(
        select(Delivery.state, func.count())
        .where(col(Delivery.state).in_(others))
        .group_by(Delivery.state)
    )
    counts = dict.fromkeys(map(str, DeliveryState), 0) | dict(rows.all())
    total = session.exec(select(func.count()).select_from(Delivery)).one()
    return counts | {DeliveryState.SENT.value: total - sum(counts.values())}


def last_sent(session: Session) -> datetime | None:
    """When the newest mail was handed over, by when they were due."""
    return session.exec(
        select(Delivery.sent_at)
        .where(Delivery.state == DeliveryState.SENT)
        .order_by(col(Delivery.due_at).desc())
        .limit(1)
    ).first()


def oldest_open(session: Session) -> datetime | None:
    """When the oldest mail was queued that is neither handed over nor given up."""
    return session.exec(
        select(func.min(Delivery.created_at)).where(col(Delivery.state).in_(OPEN))
    ).one()


def any_mail(session: Session) -> bool:
    """Whether there ever was a mail."""
    return session.exec(select(Delivery.id).limit(1)).first() is not None


def of_subscriber(session: Session, subscriber_id: int) -> list[Delivery]:
    """All mails to one subscriber, oldest first."""
    return list(
        session.exec(
            select(Delivery)
            .where(Delivery.subscriber_id == subscriber_id)
            .order_by(col(Delivery.id))
        )
    )


def in_trouble(session: Session, limit: int) -> list[tuple[Delivery, Subscriber | None]]:
    """The newest mails that failed, came too late, or wait after a try that failed, and to whom
    they are (None: the operator)."""
    waits_again = col(Delivery.state).in_(WAITING) & (Delivery.attempts > 0)
    lost = col(Delivery.state).in_((DeliveryState.FAILED, DeliveryState.EXPIRED))
    query = (
        select(Delivery, Subscriber)
        .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id), isouter=True)
        .where(or_(lost, waits_again))
        .order_by(col(Delivery.due_at).desc(), col(Delivery.id).desc())  # as the index has them
        .limit(limit)
    )
    return list(session.exec(query))


def requeue(
    session: Session, delivery_id: int, was: str, now: datetime, expires_at: datetime
) -> bool:
    """Let a mail that was in the state `was`, and that nobody holds, go out once more; False if
    that changed meanwhile."""
    done = session.exec(
        update(Delivery)
        .where(
            col(Delivery.id) == delivery_id,
            col(Delivery.state) == was,
            col(Delivery.lease).is_(None),
        )
        .values(
            state=DeliveryState.QUEUED,
            reply="",
            attempts=0,
            tried_at=None,
            due_at=now,
            expires_at=expires_at,
        )
    )
    return bool(done.rowcount == 1)
