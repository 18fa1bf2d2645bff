"""The outbox: deliveries, and the leases under which they are tried.

A lease is a text that names who holds it (service/deliver.py makes it); a delivery that is
`sending` under a lease that has run out, or whose holder is dead, may be claimed again.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import Session, col, func, select

from paperpost.store.database import in_chunks
from paperpost.store.tables import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Subscriber,
    SubscriberState,
)

WAITING = (DeliveryState.QUEUED, DeliveryState.UNKNOWN)
OPEN = (*WAITING, DeliveryState.SENDING)


def add(session: Session, delivery: Delivery) -> int:
    """Put a mail into the outbox; its number."""
    session.add(delivery)
    session.flush()
    if delivery.id is None:
        raise ValueError("the delivery was not stored")
    return delivery.id


def claim(
    session: Session,
    lease: str,
    now: datetime,
    *,
    limit: int,
    lasts: timedelta,
    retry_all_before: datetime | None,
    is_dead: Callable[[str], bool],
) -> list[Delivery]:
    """Lease up to `limit` deliveries that may be tried now, those due longest first.

    May be tried: what waits and is due (or, with `retry_all_before`, was tried already but not
    since then); and what is being sent under a lease that ran out or whose holder `is_dead`.
    """
    due = col(Delivery.due_at) <= now
    if retry_all_before is not None:
        due = (due & col(Delivery.tried_at).is_(None)) | (col(Delivery.tried_at) < retry_all_before)
    orphans = _held_by_the_dead(session, is_dead)
    ready = or_(
        col(Delivery.state).in_(WAITING) & due,
        (col(Delivery.state) == DeliveryState.SENDING)
        & ((col(Delivery.lease_ends_at) <= now) | col(Delivery.lease).in_(orphans)),
    )
    claimed = session.exec(
        select(Delivery)
        .where(ready)
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite's writers take turns anyway
    ).all()
    for delivery in claimed:
        delivery.state = DeliveryState.SENDING
        delivery.lease, delivery.lease_ends_at = lease, now + lasts
    session.flush()
    return list(claimed)


def _held_by_the_dead(session: Session, is_dead: Callable[[str], bool]) -> list[str]:
    held = session.exec(
        select(Delivery.lease)
        .where(Delivery.state == DeliveryState.SENDING, col(Delivery.lease).is_not(None))
        .distinct()
    )
    return [lease for lease in held if lease is not None and is_dead(lease)]


def renew(
    session: Session, lease: str, ids: Collection[int], now: datetime, lasts: timedelta
) -> set[int]:
    """Extend a lease; the deliveries among `ids` that are still held under it."""
    held: set[int] = set()
    for chunk in in_chunks(ids):
        kept = session.exec(
            update(Delivery)
            .where(col(Delivery.id).in_(chunk), *_held(lease, now))
            .values(lease_ends_at=now + lasts)
            .returning(col(Delivery.id))
        )
        held.update(row[0] for row in kept)
    return held


def _held(lease: str, now: datetime) -> Sequence[ColumnElement[bool]]:
    return (
        col(Delivery.state) == DeliveryState.SENDING,
        col(Delivery.lease) == lease,
        col(Delivery.lease_ends_at) > now,
    )


def record(
    session: Session,
    delivery_id: int,
    lease: str,
    state: DeliveryState,
    reply: str,
    now: datetime,
    next_attempt_at: datetime | None,
    *,
    counted: bool = True,
) -> bool:
    """Write down how a try ended; False if the lease is no longer ours.

    What was accepted is recorded even under a lease that has just run out, as long as nobody
    else has taken the delivery: the mail is on its way.
    """
    changes: dict[str, object] = {
        "state": state,
        "reply": reply[:1000],
        "attempts": Delivery.attempts + int(counted),
        "tried_at": now,
        "lease": None,
        "lease_ends_at": None,
    }
    if state is DeliveryState.SENT:
        changes["sent_at"] = now
    if next_attempt_at is not None:
        changes["due_at"] = next_attempt_at
    done = session.exec(
        update(Delivery)
        .where(
            col(Delivery.id) == delivery_id,
            col(Delivery.state) == DeliveryState.SENDING,
            col(Delivery.lease) == lease,
        )
        .values(**changes)
    )
    return bool(done.rowcount == 1)


def release(session: Session, lease: str, ids: Collection[int]) -> None:
    """Give back what was claimed and not tried."""
    for chunk in in_chunks(ids):
        session.exec(
            update(Delivery)
            .where(
                col(Delivery.id).in_(chunk),
                col(Delivery.state) == DeliveryState.SENDING,
                col(Delivery.lease) == lease,
            )
            .values(state=DeliveryState.QUEUED, lease=None, lease_ends_at=None)
        )


def next_lease_end(session: Session, now: datetime, but_not: str) -> datetime | None:
    """When the first of others' leases runs out."""
    return session.exec(
        select(func.min(Delivery.lease_ends_at)).where(
            Delivery.state == DeliveryState.SENDING,
            col(Delivery.lease) != but_not,
            col(Delivery.lease_ends_at) > now,
        )
    ).one()


def expire(session: Session, now: datetime) -> int:
    """Give up waiting mails that are too late to be of use; how many."""
    done = session.exec(
        update(Delivery)
        .where(col(Delivery.state).in_(WAITING), col(Delivery.expires_at) <= now)
        .values(state=DeliveryState.EXPIRED, reply="too late to be of use")
    )
    return int(done.rowcount)


def suppress(session: Session, paused: Collection[int]) -> int:
    """Hold back waiting digests of subscribers who left, or are among the `paused`; how many."""
    left = select(Subscriber.id).where(Subscriber.state != SubscriberState.ACTIVE)
    unwilling = or_(col(Delivery.subscriber_id).in_(left), col(Delivery.subscriber_id).in_(paused))
    done = session.exec(
        update(Delivery)
        .where(
            col(Delivery.state).in_(WAITING),
            col(Delivery.kind) == DeliveryKind.DIGEST,
            unwilling,
        )
        .values(state=DeliveryState.SUPPRESSED, reply="the subscriber left or paused")
    )
    return int(done.rowcount)


def count_by_state(session: Session) -> dict[str, dict[str, int]]:
    """How many deliveries there are by kind and state, states without any included."""
    counts = {kind.value: dict.fromkeys(map(str, DeliveryState), 0) for kind in DeliveryKind}
    rows = session.exec(
        select(Delivery.kind, Delivery.state, func.count()).group_by(Delivery.kind, Delivery.state)
    )
    for kind, state, number in rows:
        counts[kind][state] = number
    return counts


def latest(session: Session, subscriber_id: int, kind: DeliveryKind) -> Delivery | None:
    """The newest mail of one kind to one subscriber."""
    return session.exec(
        select(Delivery)
        .where(Delivery.subscriber_id == subscriber_id, Delivery.kind == kind)
        .order_by(col(Delivery.id).desc())
    ).first()


def waiting(session: Session, now: datetime) -> int:
    """How many mails are due and not delivered yet."""
    return session.exec(
        select(func.count()).where(col(Delivery.state).in_(OPEN), Delivery.due_at <= now)
    ).one()
