"""Digests: frozen rows, one per subscriber and local date, and the fragments they show."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, func, select

from paperpost.store.database import add_or_leave, in_chunks
from paperpost.store.subscribers import domain_of
from paperpost.store.tables import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Digest,
    Fragment,
    Subscriber,
    Vote,
)


@dataclass(frozen=True, slots=True)
class NewDigest:
    """A digest that has been ranked and is about to be frozen. Without items it is silent.

    `seen`: the subscriber as they were read before the ranking. `next_due_at`: when the clock
    comes back to them; None for a digest composed by hand, which leaves the clock alone.
    """

    subscriber_id: int
    seen: Subscriber
    local_date: date
    due_at: datetime
    expires_at: datetime
    message_id: str
    template_version: str
    frequency: str
    why: str
    considered: int
    newest_paper: int
    items: list[dict[str, Any]]
    next_due_at: datetime | None
    silence: str = ""


def freeze(session: Session, new: NewDigest, now: datetime) -> str:
    """Insert a digest with its delivery and set the subscriber's next due time.

    Returns "queued" or "silent"; or "composed before" when the date has its digest; or
    "overtaken" when since the ranking began another process composed for this subscriber (its
    papers were not known then), or their schedule was changed: then nothing may be written.
    """
    may_insert = _may_insert(session, new)
    found = of_date(session, new.subscriber_id, new.local_date)
    if found is not None and (found.items or not new.items):
        return "composed before"
    if not may_insert:
        return "overtaken"
    if found is None and new.next_due_at is not None and _has_later(session, new):
        return "composed before"  # a schedule changed while a digest was due: no way back in time
    delivery = _delivery_of(session, new, found, now)
    if found is None:
        session.add(_digest_row(new, delivery, now))
    else:  # it was silent, and papers have come in since
        found.items, found.considered, found.why = new.items, new.considered, new.why
        found.composed_at, found.template_version = now, new.template_version
        found.frequency, found.newest_paper = new.frequency, new.newest_paper
    session.flush()
    return "queued" if new.items else "silent"


def _has_later(session: Session, new: NewDigest) -> bool:
    later = select(Digest.id).where(
        Digest.subscriber_id == new.subscriber_id, Digest.local_date > new.local_date
    )
    return session.exec(later.limit(1)).first() is not None


def _may_insert(session: Session, new: NewDigest) -> bool:
    unchanged = [
        col(Subscriber.id) == new.subscriber_id,
        col(Subscriber.digest_count) == new.seen.digest_count,
    ]
    changes: dict[str, object] = {"digest_count": Subscriber.digest_count + 1}
    if new.next_due_at is not None:
        unchanged += [
            col(Subscriber.next_due_at) == new.seen.next_due_at,
            col(Subscriber.timezone) == new.seen.timezone,
            col(Subscriber.hour) == new.seen.hour,
            col(Subscriber.frequency) == new.seen.frequency,
        ]
        changes["next_due_at"] = new.next_due_at
    raised = session.exec(update(Subscriber).where(*unchanged).values(**changes))
    return bool(raised.rowcount == 1)


def _delivery_of(session: Session, new: NewDigest, found: Digest | None, now: datetime) -> Delivery:
    delivery = None if found is None else session.get(Delivery, found.delivery_id)
    if delivery is None:
        delivery = Delivery(
            kind=DeliveryKind.DIGEST,
            subscriber_id=new.subscriber_id,
            domain=domain_of(new.seen.email),
            local_date=new.local_date,
            state=DeliveryState.SILENT,
            created_at=now,
            due_at=new.due_at,
            expires_at=new.expires_at,
            message_id=new.message_id,
        )
        session.add(delivery)
    delivery.state = DeliveryState.QUEUED if new.items else DeliveryState.SILENT
    delivery.created_at = now
    delivery.due_at, delivery.expires_at = new.due_at, new.expires_at
    delivery.reply = new.silence
    session.flush()
    return delivery


def _digest_row(new: NewDigest, delivery: Delivery, now: datetime) -> Digest:
    if delivery.id is None:
        raise ValueError("the delivery is not stored yet")
    return Digest(
        subscriber_id=new.subscriber_id,
        local_date=new.local_date,
        delivery_id=delivery.id,
        composed_at=now,
        template_version=new.template_version,
        frequency=new.frequency,
        why=new.why,
        considered=new.considered,
        newest_paper=new.newest_paper,
        items=new.items,
    )


def of_date(session: Session, subscriber_id: int, local_date: date) -> Digest | None:
    """The digest of one subscriber and local date."""
    return session.exec(
        select(Digest).where(Digest.subscriber_id == subscriber_id, Digest.local_date == local_date)
    ).first()


def of_subscriber(session: Session, subscriber_id: int) -> list[tuple[Digest, Delivery]]:
    """All digests of a subscriber with their deliveries, oldest first."""
    query = (
        select(Digest, Delivery)
        .join(Delivery, col(Delivery.id) == col(Digest.delivery_id))
        .where(Digest.subscriber_id == subscriber_id)
        .order_by(col(Digest.local_date))
    )
    return list(session.exec(query))


def newest(
    session: Session, subscriber_id: int, *, mailed: bool = False
) -> tuple[Digest, Delivery] | None:
    """A subscriber's newest digest with its delivery; with `mailed` the newest that has papers."""
    query = (
        select(Digest, Delivery)
        .join(Delivery, col(Delivery.id) == col(Digest.delivery_id))
        .where(Digest.subscriber_id == subscriber_id)
        .order_by(col(Digest.local_date).desc())
    )
    if mailed:
        query = query.where(Delivery.state != DeliveryState.SILENT)
    return session.exec(query.limit(1)).first()


def of_deliveries(session: Session, delivery_ids: Collection[int]) -> dict[int, Digest]:
    """Digests by the number of their delivery."""
    return {
        digest.delivery_id: digest
        for chunk in in_chunks(delivery_ids)
        for digest in session.exec(select(Digest).where(col(Digest.delivery_id).in_(chunk)))
    }


@dataclass(frozen=True, slots=True)
class Sent:
    """A digest that went out: to whom, when it was due, and its frozen items."""

    subscriber_id: int
    due_at: datetime
    items: list[dict[str, Any]]


def sent(session: Session, since: datetime, until: datetime, most: int) -> list[Sent]:
    """The newest digests that went out, due between the two times, of subscribers who voted."""
    query = (
        select(col(Digest.subscriber_id), col(Delivery.due_at), col(Digest.items))
        .join(Delivery, col(Delivery.id) == col(Digest.delivery_id))
        .where(
            Delivery.state == DeliveryState.SENT,
            Delivery.due_at >= since,
            Delivery.due_at <= until,
            col(Digest.subscriber_id).in_(select(Vote.subscriber_id)),
        )
        .order_by(col(Delivery.due_at).desc(), col(Digest.id).desc())
        .limit(most)
    )
    return [Sent(number, due_at, items) for number, due_at, items in session.exec(query)]


@dataclass(frozen=True, slots=True)
class Previous:
    """The digest before: its date, and the newest paper that it could have had."""

    local_date: date
    newest_paper: int


def previous(session: Session, subscriber_ids: Collection[int], day: date) -> dict[int, Previous]:
    """Each subscriber's newest digest before `day` that had candidates.

    A silent one without any passed nothing over: papers that came in late for it are still owed.
    """
    found: dict[int, Previous] = {}
    for chunk in in_chunks(subscriber_ids):
        newest = (
            select(Digest.subscriber_id, func.max(Digest.local_date).label("newest"))
            .where(
                col(Digest.subscriber_id).in_(chunk),
                Digest.local_date < day,
                Digest.considered > 0,
            )
            .group_by(col(Digest.subscriber_id))
            .subquery()
        )
        rows = session.exec(
            select(
                col(Digest.subscriber_id), col(Digest.local_date), col(Digest.newest_paper)
            ).join(
                newest,
                (newest.c.subscriber_id == Digest.subscriber_id)
                & (newest.c.newest == Digest.local_date),
            )
        )
        found.update({number: Previous(on, at) for number, on, at in rows})
    return found


def mailed(
    session: Session, subscriber_ids: Collection[int], since: date, *, but_not: date | None = None
) -> dict[int, set[int]]:
    """The papers in each subscriber's digests dated `since` or later, by row number, and the
    other papers that were found to be the same works.

    Papers are never announced later than they were (papers.py), so older digests cannot hold a
    candidate. `but_not` leaves out the digest of one date.
    """
    found: dict[int, set[int]] = defaultdict(set)
    for chunk in in_chunks(subscriber_ids):
        query = select(col(Digest.subscriber_id), col(Digest.local_date), col(Digest.items)).where(
            col(Digest.subscriber_id).in_(chunk), Digest.local_date >= since
        )
        for subscriber_id, local_date, items in session.exec(query):
            if local_date != but_not:
                for item in items:
                    found[subscriber_id].update((item["paper"], *item.get("also", ())))
    return found


def keep_fragments(session: Session, wanted: Sequence[Fragment]) -> dict[tuple[int, str], int]:
    """Store fragments that are not there yet; their numbers by (paper number, checksum)."""
    papers = {fragment.paper_number for fragment in wanted}
    have = _fragment_numbers(session, papers)
    missing = [one for one in wanted if (one.paper_number, one.checksum) not in have]
    if not missing:
        return have
    rows = [one.model_dump(exclude={"id"}) for one in missing]
    # In one order, and giving way: another process may be storing the same ones.
    rows.sort(key=lambda row: (row["paper_number"], row["checksum"]))
    add_or_leave(session, Fragment, rows)
    return _fragment_numbers(session, papers)


def _fragment_numbers(
    session: Session, paper_numbers: Collection[int]
) -> dict[tuple[int, str], int]:
    return {
        (number, checksum): identity or 0
        for chunk in in_chunks(paper_numbers)
        for number, checksum, identity in session.exec(
            select(Fragment.paper_number, Fragment.checksum, Fragment.id).where(
                col(Fragment.paper_number).in_(chunk)
            )
        )
    }


def fragments(session: Session, ids: Iterable[int]) -> dict[int, Fragment]:
    """Fragments by number."""
    return {
        fragment.id or 0: fragment
        for chunk in in_chunks(ids)
        for fragment in session.exec(select(Fragment).where(col(Fragment.id).in_(chunk)))
    }
