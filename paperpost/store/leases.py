"""The leases under which deliveries are tried.

A lease is a text that names who holds it (service/leases.py makes it). A leased delivery waits as
before until it is about to go out, which makes it `sending`: what is `sending` under a lease that
has run out, or whose holder is dead, may have been sent, and nothing else may.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, or_, true, update
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, func, select

from paperpost.store.database import in_chunks
from paperpost.store.tables import Delivery, DeliveryState, Subscriber, UtcDateTime

WAITING = (DeliveryState.QUEUED, DeliveryState.UNKNOWN)
TOO_LATE = "too late to be of use"
_NO_LEASE = {"lease": None, "lease_ends_at": None}


def claim(
    session: Session,
    lease: str,
    ends_at: datetime,
    now: datetime,
    *,
    limit: int,
    retry_all_before: datetime | None,
    room: Mapping[str, int],
) -> list[Delivery]:
    """Lease up to `limit` deliveries that may be tried now, those due longest first.

    May be tried: what waits, is not leased, and is due; with `retry_all_before` also what was
    refused before that and is not due yet. `room` has how many more of a throttled domain may be
    leased.
    """
    others = col(Delivery.domain).not_in(list(room)) if room else true()
    found = _first(session, limit, now, retry_all_before, others)
    for domain, most in room.items():
        if most > 0:
            found += _first(session, most, now, retry_all_before, col(Delivery.domain) == domain)
    session.expunge_all()
    session.exec(
        update(Delivery)
        .where(col(Delivery.id).in_([delivery.id for delivery in found]))
        .values(lease=lease, lease_ends_at=ends_at)
    )
    return found


def _first(
    session: Session,
    limit: int,
    now: datetime,
    retry_all_before: datetime | None,
    concerned: ColumnElement[bool],
) -> list[Delivery]:
    """The first that wait and are not leased. One state at a time, in the order of the index: the
    rest of a long queue is not looked at."""
    due = col(Delivery.due_at) <= now
    again = due
    if retry_all_before is not None:
        again = (due & col(Delivery.tried_at).is_(None)) | (
            col(Delivery.tried_at) < retry_all_before
        )
    found: list[Delivery] = []
    # What may have arrived waits its time, whoever asks.
    for state, may_be_tried in ((DeliveryState.QUEUED, again), (DeliveryState.UNKNOWN, due)):
        query = (
            select(Delivery)
            .where(Delivery.state == state, col(Delivery.lease).is_(None), may_be_tried, concerned)
            .order_by(col(Delivery.due_at), col(Delivery.id))
            .limit(limit)
            .with_for_update(skip_locked=True)  # PostgreSQL; SQLite's writers take turns anyway
        )
        found += session.exec(query)
    return sorted(found, key=lambda row: (row.due_at, row.id))[:limit]


def leased_by_domain(session: Session, domains: Collection[str], now: datetime) -> dict[str, int]:
    """How many deliveries to each of these domains anybody holds."""
    counts = dict.fromkeys(domains, 0)
    rows = session.exec(
        select(col(Delivery.domain), func.count())
        .where(
            col(Delivery.lease).is_not(None),
            col(Delivery.lease_ends_at) > now,
            col(Delivery.domain).in_(list(domains)),
        )
        .group_by(col(Delivery.domain))
    )
    return counts | dict(rows.all())


def take_back(session: Session, now: datetime, is_dead: Callable[[str], bool]) -> None:
    """Free what is held under a lease that ran out, or whose holder `is_dead`. What was being sent
    becomes `unknown`: nobody knows whether it was."""
    leased = col(Delivery.lease).is_not(None)
    leases = session.exec(select(Delivery.lease).where(leased).distinct())
    dead = [lease for lease in leases if lease is not None and is_dead(lease)]
    orphaned = leased & or_(col(Delivery.lease_ends_at) <= now, col(Delivery.lease).in_(dead))
    # What a frozen process has locked in the middle of a transaction is left for later: to wait
    # for it would stop everybody.
    unlocked = select(col(Delivery.id)).where(orphaned).with_for_update(skip_locked=True)
    for chunk in in_chunks(session.exec(unlocked).all()):
        freed = col(Delivery.id).in_(chunk)
        session.exec(
            update(Delivery)
            .where(freed, col(Delivery.state) == DeliveryState.SENDING)
            .values(
                state=DeliveryState.UNKNOWN,
                reply="whoever was sending it ended or took too long",
            )
        )
        session.exec(update(Delivery).where(freed).values(**_NO_LEASE))


def renew(session: Session, lease: str, now: datetime, ends_at: datetime) -> None:
    """Extend a lease, where it has not run out. What is being settled right now is left alone: its
    lease is extended or given up there."""
    ours = (
        select(col(Delivery.id))
        .where(col(Delivery.lease) == lease, col(Delivery.lease_ends_at) > now)
        .with_for_update(skip_locked=True)
    )
    for chunk in in_chunks(session.exec(ours).all()):
        session.exec(
            update(Delivery).where(col(Delivery.id).in_(chunk)).values(lease_ends_at=ends_at)
        )


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery that is leased, and who it is for (None: the operator)."""

    id: int
    kind: str
    state: str
    domain: str
    expires_at: datetime
    lease_ends_at: datetime
    subscriber_state: str | None
    suppressed_at: datetime | None
    paused_until: date | None
    timezone: str | None


# Settling happens for every few mails: its statements are put together once.
_held = (
    sql_select(
        col(Delivery.id),
        col(Delivery.kind),
        col(Delivery.state),
        col(Delivery.domain),
        col(Delivery.expires_at),
        col(Delivery.lease_ends_at),
        col(Subscriber.state),
        col(Subscriber.suppressed_at),
        col(Subscriber.paused_until),
        col(Subscriber.timezone),
    )
    .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id), isouter=True)
    .where(
        col(Delivery.id).in_(bindparam("numbers", expanding=True)),
        col(Delivery.lease) == bindparam("held_under"),
    )
    # In one order, so that two processes never wait for one another.
    .order_by(col(Delivery.id))
    .with_for_update(of=Delivery)
)


def held(session: Session, lease: str, ids: Sequence[int]) -> dict[int, Held]:
    """Those of `ids` whose lease is ours, by number; nobody changes them meanwhile."""
    found: Iterable[Any] = session.connection().execute(
        _held, {"numbers": ids, "held_under": lease}
    )
    return {row[0]: Held(*row) for row in found}


_begin = (
    update(Delivery)
    .where(col(Delivery.id).in_(bindparam("numbers", expanding=True)))
    .values(state=DeliveryState.SENDING, lease_ends_at=bindparam("ends_at"))
)


def begin(session: Session, ids: Sequence[int], ends_at: datetime) -> None:
    """Mark held deliveries as being sent, from now on."""
    session.connection().execute(_begin, {"numbers": ids, "ends_at": ends_at})


def close(session: Session, delivery_id: int, state: DeliveryState, reply: str) -> None:
    """End a delivery that is not sent after all."""
    session.exec(
        update(Delivery)
        .where(col(Delivery.id) == delivery_id)
        .values(state=state, reply=reply, **_NO_LEASE)
    )


@dataclass(frozen=True, slots=True)
class Result:
    """How a try ended; `due_at` None leaves it as it was. An uncounted one was no try."""

    id: int
    state: DeliveryState
    reply: str
    due_at: datetime | None
    counted: bool


_record = (
    update(Delivery)
    .where(col(Delivery.id) == bindparam("number"))
    .values(
        state=bindparam("new_state"),
        reply=bindparam("new_reply"),
        attempts=Delivery.attempts + bindparam("tries"),
        tried_at=func.coalesce(bindparam("at", type_=UtcDateTime), Delivery.tried_at),
        sent_at=func.coalesce(bindparam("accepted_at", type_=UtcDateTime), Delivery.sent_at),
        due_at=func.coalesce(bindparam("next_at", type_=UtcDateTime), Delivery.due_at),
        **_NO_LEASE,
    )
)


def record(session: Session, results: Sequence[Result], now: datetime) -> None:
    """Write down how tries of held deliveries ended."""
    rows = [
        {
            "number": result.id,
            "new_state": result.state,
            "new_reply": result.reply[:1000],
            "tries": int(result.counted),
            "at": now if result.counted else None,
            "accepted_at": now if result.state is DeliveryState.SENT else None,
            "next_at": result.due_at,
        }
        for result in results
    ]
    session.connection().execute(_record, rows)


def release(session: Session, lease: str, ids: Collection[int]) -> None:
    """Give back what was claimed and not tried; what was only marked as being sent waits again."""
    waits = case(
        (col(Delivery.state) == DeliveryState.SENDING, DeliveryState.QUEUED),
        else_=col(Delivery.state),
    )
    for chunk in in_chunks(ids):
        session.exec(
            update(Delivery)
            .where(
                col(Delivery.id).in_(chunk),
                col(Delivery.lease) == lease,
            )
            .values(state=waits, **_NO_LEASE)
        )


def next_lease_end(session: Session, now: datetime, but_not: str) -> datetime | None:
    """When the first of others' leases runs out."""
    return session.exec(
        select(func.min(Delivery.lease_ends_at)).where(
            col(Delivery.lease).is_not(None),
            col(Delivery.lease) != but_not,
            col(Delivery.lease_ends_at) > now,
        )
    ).one()


def expire(session: Session, now: datetime) -> int:
    """Give up waiting mails that are too late to be of use; how many."""
    done = session.exec(
        update(Delivery)
        .where(
            col(Delivery.state).in_(WAITING),
            col(Delivery.lease).is_(None),
            col(Delivery.expires_at) <= now,
        )
        .values(state=DeliveryState.EXPIRED, reply=TOO_LATE)
    )
    return int(done.rowcount)
