"""The outbox: deliveries, and the leases under which they are tried.

A lease is a text that names who holds it (service/deliver.py makes it); a delivery that is
`sending` under a lease that has run out, or whose holder is dead, may be claimed again.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta

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
) -> list[Delivery]:
    """Lease up to `limit` deliveries that may be tried now, those due longest first.

    May be tried: what waits and is due (or, with `retry_all_before`, was tried already but not
    since then). Deliveries come as they were before the claim, so that their state is known.
    """
    due = col(Delivery.due_at) <= now
    if retry_all_before is not None:
        due = (due & col(Delivery.tried_at).is_(None)) | (col(Delivery.tried_at) < retry_all_before)
    found = session.exec(
        select(Delivery)
        .where(col(Delivery.state).in_(WAITING), due)
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite's writers take turns anyway
    ).all()
    session.expunge_all()
    session.exec(
        update(Delivery)
        .where(col(Delivery.id).in_([delivery.id for delivery in found]))
        .values(state=DeliveryState.SENDING, lease=lease, lease_ends_at=now + lasts)
    )
    return list(found)


def take_back(session: Session, now: datetime, is_dead: Callable[[str], bool]) -> int:
    """Make waiting again what is being sent under a lease that ran out, or whose holder
    `is_dead`; how many. Nobody knows whether it was sent: its state is `unknown`."""
    leases = session.exec(
        select(Delivery.lease)
        .where(Delivery.state == DeliveryState.SENDING, col(Delivery.lease).is_not(None))
        .distinct()
    )
    orphaned = [lease for lease in leases if lease is not None and is_dead(lease)]
    done = session.exec(
        update(Delivery)
        .where(
            col(Delivery.state) == DeliveryState.SENDING,
            or_(col(Delivery.lease_ends_at) <= now, col(Delivery.lease).in_(orphaned)),
        )
        .values(
            state=DeliveryState.UNKNOWN,
            lease=None,
            lease_ends_at=None,
            reply="whoever was sending it ended or took too long",
        )
    )
    return int(done.rowcount)


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


def release(session: Session, lease: str, ids: Collection[int], state: DeliveryState) -> None:
    """Give back what was claimed and not tried, in the state it had."""
    for chunk in in_chunks(ids):
        session.exec(
            update(Delivery)
            .where(
                col(Delivery.id).in_(chunk),
                col(Delivery.state) == DeliveryState.SENDING,
                col(Delivery.lease) == lease,
            )
            .values(state=state, lease=None, lease_ends_at=None)
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


def expire(
    session: Session, now: datetime, only: int | None = None, lease: str | None = None
) -> int:
    """Give up mails that are too late to be of use; how many.

    Those that wait; or `only` the one that is about to be sent under `lease`.
    """
    done = session.exec(
        update(Delivery)
        .where(*_concerned(only, lease), col(Delivery.expires_at) <= now)
        .values(
            state=DeliveryState.EXPIRED,
            reply="too late to be of use",
            lease=None,
            lease_ends_at=None,
        )
    )
    return int(done.rowcount)


def _concerned(only: int | None, lease: str | None) -> list[ColumnElement[bool]]:
    if only is None:
        return [col(Delivery.state).in_(WAITING)]
    return [
        col(Delivery.id) == only,
        col(Delivery.state) == DeliveryState.SENDING,
        col(Delivery.lease) == lease,
    ]


def suppress(
    session: Session, paused: Collection[int], only: int | None = None, lease: str | None = None
) -> int:
    """Hold back digests of subscribers who left, or are among the `paused`; how many.

    Those that wait; or `only` the one that is about to be sent under `lease`.
    """
    left = select(Subscriber.id).where(Subscriber.state != SubscriberState.ACTIVE)
    unwilling = [col(Delivery.subscriber_id).in_(left)]
    unwilling += [col(Delivery.subscriber_id).in_(chunk) for chunk in in_chunks(paused)]
    done = session.exec(
        update(Delivery)
        .where(*_concerned(only, lease), col(Delivery.kind) == DeliveryKind.DIGEST, or_(*unwilling))
        .values(
            state=DeliveryState.SUPPRESSED,
            reply="the subscriber left or paused",
            lease=None,
            lease_ends_at=None,
        )
    )
    return int(done.rowcount)


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


def silences(session: Session, since: datetime, limit: int) -> list[tuple[date, str, int]]:
    """Why digests were silent that were due since then: date, reason and how many subscribers,
    the newest date and its most frequent reason first."""
    people = func.count()
    query = (
        select(col(Delivery.local_date), col(Delivery.reply), people)
        .where(Delivery.state == DeliveryState.SILENT, Delivery.due_at >= since)
        .group_by(col(Delivery.local_date), col(Delivery.reply))
        .order_by(col(Delivery.local_date).desc(), people.desc(), col(Delivery.reply))
        .limit(limit)
    )
    return [(day, reason, number) for day, reason, number in session.exec(query)]


def in_trouble(session: Session, limit: int) -> list[tuple[Delivery, Subscriber]]:
    """The newest mails that failed, came too late, or wait after a try that failed."""
    waits_again = col(Delivery.state).in_(WAITING) & (Delivery.attempts > 0)
    lost = col(Delivery.state).in_((DeliveryState.FAILED, DeliveryState.EXPIRED))
    query = (
        select(Delivery, Subscriber)
        .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(or_(lost, waits_again))
        .order_by(col(Delivery.id).desc())
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
