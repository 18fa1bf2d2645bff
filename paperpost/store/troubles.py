"""What the operator should know of the outbox: mail that was lost, mail that is stuck, and the
last alarm. Alarms themselves are left out: one that cannot be sent must not cause another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, func, select

from paperpost.store.leases import WAITING
from paperpost.store.tables import Delivery, DeliveryKind, DeliveryState

# No mail is of use for longer: what ended since a moment was due at most so long before it.
LONGEST_USE = timedelta(days=8)
MOST_REPLIES = 500


@dataclass(frozen=True, slots=True)
class Mails:
    """How many mails, since when the oldest is there, and the replies of the newest."""

    number: int
    oldest: datetime | None
    replies: Sequence[str]


def refused(session: Session, since: datetime, until: datetime) -> Mails:
    """Mails that failed for good between the two moments."""
    return _mails(
        session,
        col(Delivery.state) == DeliveryState.FAILED,
        col(Delivery.tried_at) > since,
        col(Delivery.tried_at) <= until,
        col(Delivery.due_at) > since - LONGEST_USE,
    )


def expired(session: Session, since: datetime, until: datetime) -> Mails:
    """Mails whose time to be of use ended between the two moments, whether that was noticed yet."""
    return _mails(
        session,
        col(Delivery.state).in_((DeliveryState.EXPIRED, *WAITING)),
        col(Delivery.expires_at) > since,
        col(Delivery.expires_at) <= until,
        col(Delivery.due_at) > since - LONGEST_USE,
    )


def stuck(session: Session, before: datetime, now: datetime) -> Mails:
    """Mails that were queued before that moment and of which no server has said anything yet."""
    return _mails(
        session,
        col(Delivery.state).in_(WAITING),
        col(Delivery.attempts) == 0,
        col(Delivery.created_at) < before,
        or_(col(Delivery.due_at) < before, col(Delivery.tried_at).is_not(None)),
        col(Delivery.expires_at) > now,
    )


def _mails(session: Session, *conditions: ColumnElement[bool]) -> Mails:
    chosen = and_(col(Delivery.kind) != DeliveryKind.ALARM, *conditions)
    number, oldest = session.exec(
        select(func.count(), func.min(Delivery.created_at)).where(chosen)
    ).one()
    if not number:
        return Mails(0, None, ())
    newest = select(Delivery.reply).where(chosen).order_by(col(Delivery.id).desc())
    return Mails(number, oldest, session.exec(newest.limit(MOST_REPLIES)).all())


def last_alarm(session: Session) -> Delivery | None:
    """The newest alarm, whatever became of it."""
    return session.exec(
        select(Delivery)
        .where(col(Delivery.subscriber_id).is_(None), Delivery.kind == DeliveryKind.ALARM)
        .order_by(col(Delivery.id).desc())
    ).first()
