"""When mails arrived, as far as we know: what the age of a click is told by."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from paperpost.store.tables import Delivery, DeliveryState, Digest


def of_digest(
    session: Session, subscriber_id: int, issued_at: datetime, now: datetime
) -> datetime | None:
    """When the digest arrived whose links were issued then (to the second); None: it did not.

    One that is being sent arrives now: its server may have it before we have the answer.
    """
    delivery = session.exec(
        select(Delivery)
        .join(Digest, col(Digest.delivery_id) == col(Delivery.id))
        .where(
            Digest.subscriber_id == subscriber_id,
            Digest.composed_at >= issued_at,
            Digest.composed_at < issued_at + timedelta(seconds=1),
        )
    ).first()
    if delivery is None:
        return None
    return now if delivery.state == DeliveryState.SENDING else delivery.sent_at


def newest(session: Session, subscriber_id: int, now: datetime) -> datetime | None:
    """When the last mail of any kind arrived at a subscriber's."""
    sending = select(Delivery.id).where(
        Delivery.subscriber_id == subscriber_id, Delivery.state == DeliveryState.SENDING
    )
    if session.exec(sending).first() is not None:
        return now
    return session.exec(
        select(func.max(Delivery.sent_at)).where(Delivery.subscriber_id == subscriber_id)
    ).one()
