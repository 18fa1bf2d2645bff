"""What came back, and whose mail it was."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, func, select

from paperpost.store.tables import Bounce, BounceKind, Delivery, Subscriber


def addressee(session: Session, delivery_id: int) -> tuple[Delivery, Subscriber] | None:
    """A mail and whom it went to; None if either is gone, or it went to the operator. Until the
    transaction ends, nobody else counts what came back from them."""
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or delivery.subscriber_id is None:
        return None
    person = in_turn(session, delivery.subscriber_id)
    return None if person is None else (delivery, person)


def in_turn(session: Session, subscriber_id: int) -> Subscriber | None:
    """A subscriber. Until the transaction ends, nobody else counts what came back from them."""
    return session.get(Subscriber, subscriber_id, with_for_update=True)


def is_known(session: Session, fingerprint: str) -> bool:
    """Whether this was counted before."""
    found = session.exec(select(Bounce.id).where(Bounce.fingerprint == fingerprint)).first()
    return found is not None


def add(session: Session, bounce: Bounce) -> None:
    """Count what came back."""
    session.add(bounce)
    session.flush()


def count_soft(session: Session, subscriber_id: int, since: datetime) -> int:
    """How many mails to a subscriber came back softly since then and are not forgiven."""
    return session.exec(
        select(func.count()).where(
            Bounce.subscriber_id == subscriber_id,
            Bounce.kind == BounceKind.SOFT,
            Bounce.received_at > since,
        )
    ).one()


def forgive(session: Session, subscriber_id: int) -> None:
    """Let what came back softly so far not count any more."""
    session.exec(
        update(Bounce)
        .where(col(Bounce.subscriber_id) == subscriber_id, col(Bounce.kind) == BounceKind.SOFT)
        .values(kind=BounceKind.FORGIVEN)
    )


def of_subscriber(session: Session, subscriber_id: int) -> list[Bounce]:
    """All that came back from one subscriber, oldest first."""
    return list(
        session.exec(
            select(Bounce).where(Bounce.subscriber_id == subscriber_id).order_by(col(Bounce.id))
        )
    )


def count_by_kind(session: Session, since: datetime) -> dict[str, int]:
    """How much came back since then, kinds without any included."""
    rows = session.exec(
        select(Bounce.kind, func.count())
        .where(Bounce.received_at > since)
        .group_by(col(Bounce.kind))
    )
    return dict.fromkeys(map(str, BounceKind), 0) | dict(rows.all())


def count_suppressed(session: Session) -> int:
    """To how many subscribers nothing is mailed because of what came back."""
    return session.exec(
        select(func.count()).where(col(Subscriber.suppressed_at).is_not(None))
    ).one()
