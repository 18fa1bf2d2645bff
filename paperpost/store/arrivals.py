"""When mails arrived, as far as we know: what the age of a click is told by."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case
from sqlmodel import Session, col, func, select

from paperpost.store.tables import Delivery, DeliveryState, Digest, Subscriber


def of_digest(session: Session, subscriber_id: int, issued_at: datetime) -> datetime | None:
    """When the digest arrived whose links were issued then (to the second); None: it did not.

    The links of a mail that still waited when its reader renewed all of theirs were issued in that
    moment (letters.py).
    """
    issued_anew = (
        _in_second(col(Subscriber.links_from), issued_at)
        & (col(Digest.composed_at) < issued_at)
        & (_arrived_at() >= issued_at)
    )
    arrived_at: datetime | None = session.exec(
        select(func.max(_arrived_at()))
        .join(Digest, col(Digest.delivery_id) == col(Delivery.id))
        .join(Subscriber, col(Subscriber.id) == col(Digest.subscriber_id))
        .where(
            Digest.subscriber_id == subscriber_id,
            _in_second(col(Digest.composed_at), issued_at) | issued_anew,
        )
    ).one()
    return arrived_at


def _in_second(column: Any, moment: datetime) -> ColumnElement[bool]:
    return and_(column >= moment, column < moment + timedelta(seconds=1))


def newest(session: Session, subscriber_id: int) -> datetime | None:
    """When the last mail of any kind arrived at a subscriber's."""
    arrived_at: datetime | None = session.exec(
        select(func.max(_arrived_at())).where(Delivery.subscriber_id == subscriber_id)
    ).one()
    return arrived_at


def _arrived_at() -> ColumnElement[Any]:
    """When its server accepted a mail; without its answer: when it may have, as we tried."""
    unanswered = col(Delivery.state).in_((DeliveryState.SENDING, DeliveryState.UNKNOWN))
    return case((unanswered, col(Delivery.tried_at)), else_=col(Delivery.sent_at))
