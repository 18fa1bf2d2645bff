"""The outbox: every mail there is or was, and what became of it; leases.py has who may try it."""

from datetime import datetime

from sqlalchemy import or_, update
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


def latest(session: Session, subscriber_id: int, kind: DeliveryKind) -> Delivery | None:
    """The newest mail of one kind to one subscriber."""
    return session.exec(
        select(Delivery)
        .where(Delivery.subscriber_id == subscriber_id, Delivery.kind == kind)
        .order_by(col(Delivery.id).desc())
    ).first()


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
