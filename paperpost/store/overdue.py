"""What should have happened by now: digests to compose, mails to send; and how mails ended."""

from datetime import datetime

from sqlmodel import Session, col, func, select

from paperpost.store.tables import Delivery, DeliveryState, Subscriber, SubscriberState

WAITING = (DeliveryState.QUEUED, DeliveryState.UNKNOWN)


def uncomposed(session: Session, before: datetime) -> int:
    """How many active subscribers' digests were due before that time and are not composed."""
    return session.exec(
        select(func.count())
        .select_from(Subscriber)
        .where(Subscriber.state == SubscriberState.ACTIVE, col(Subscriber.next_due_at) < before)
    ).one()


def unsent(session: Session, before: datetime) -> int:
    """How many mails were due before that time and wait."""
    return session.exec(
        select(func.count())
        .select_from(Delivery)
        .where(col(Delivery.state).in_(WAITING), col(Delivery.due_at) < before)
    ).one()


def ended(session: Session, since: datetime) -> dict[str, int]:
    """How many mails due since then are in each state."""
    rows = session.exec(
        select(col(Delivery.state), func.count())
        .where(Delivery.due_at >= since)
        .group_by(col(Delivery.state))
    )
    return dict(rows.all())


def last_refusal(session: Session, since: datetime) -> str:
    """What was said to the newest mail due since then that failed; empty if none did."""
    found = session.exec(
        select(col(Delivery.reply))
        .where(Delivery.state == DeliveryState.FAILED, Delivery.due_at >= since)
        .order_by(col(Delivery.id).desc())
        .limit(1)
    ).first()
    return found or ""


def addresses(session: Session) -> list[str]:
    """The addresses of everybody who is or may become active."""
    return list(
        session.exec(
            select(col(Subscriber.email)).where(Subscriber.state != SubscriberState.UNSUBSCRIBED)
        )
    )
