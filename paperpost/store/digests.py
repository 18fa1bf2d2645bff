"""Digests: frozen rows, one per subscriber and local date."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, or_, update
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, func, select

from paperpost.store.bulk import insert_all, new_numbers
from paperpost.store.database import among, in_chunks
from paperpost.store.merging import predecessors, successors
from paperpost.store.subscribers import domain_of
from paperpost.store.tables import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Digest,
    Subscriber,
    Vote,
)

# What has to be as it was before the ranking; the latter only for a digest by the clock.
_COMPOSED = ("digest_count",)
_SCHEDULE = ("next_due_at", "timezone", "hour", "frequency")

# The papers in the text of `items`, of which reading all takes much longer. What looks the same in
# a reason is not found: there quotation marks are escaped.
_PAPERS = re.compile(r'"(?:paper|also)":\s*\[?\s*(\d+(?:,\s*\d+)*)')


@dataclass(frozen=True, slots=True)
class NewDigest:
    """A digest that has been ranked and is about to be frozen. Without items it is silent, or
    with `quiet_note` a mail that says why (`silence`).

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
    missing: str = ""
    owed_from: date | None = None
    quiet_note: bool = False

    @property
    def is_mailed(self) -> bool:
        """Whether there is a mail to send."""
        return bool(self.items) or self.quiet_note

    @property
    def outcome(self) -> str:
        """What became of it, once it is stored."""
        if self.items:
            return "queued"
        return "quiet note" if self.quiet_note else "silent"


def freeze(session: Session, new_ones: Sequence[NewDigest], now: datetime) -> dict[int, str]:
    """Insert digests of one date with their deliveries, and set the subscribers' next due times.

    What became of each, by subscriber: "queued", "quiet note" or "silent"; "composed before" when
    the date has its digest, or its note has gone out (what has come in since is for the next date);
    "overtaken" when since the ranking began another process composed for this subscriber (its
    papers were not known then), or their schedule was changed: then nothing was written.
    """
    if not new_ones:
        return {}
    day = new_ones[0].local_date
    ids = sorted(new.subscriber_id for new in new_ones)
    unchanged = _unchanged(session, ids, new_ones)
    _count(session, [new for new in new_ones if new.subscriber_id in unchanged])
    dates = _dates_since(session, ids, day)
    later = {number for number, date_of in dates if date_of > day}
    found = _of_day(session, [number for number, date_of in dates if date_of == day], day)
    outcomes: dict[int, str] = {}
    fresh = []
    for new in new_ones:
        number, old = new.subscriber_id, found.get(new.subscriber_id)
        if old is not None and (old.items or not new.items):
            outcomes[number] = "composed before"
        elif number not in unchanged:
            outcomes[number] = "overtaken"
        elif old is not None:
            filled = _fill(session, old, new, now)
            outcomes[number] = new.outcome if filled else "composed before"
        elif new.next_due_at is not None and number in later:
            # A schedule changed while a digest was due: there is no way back in time.
            outcomes[number] = "composed before"
        else:
            outcomes[number] = new.outcome
            fresh.append(new)
    _insert(session, fresh, now)
    return outcomes


def _unchanged(
    session: Session, ids: Sequence[int], new_ones: Sequence[NewDigest]
) -> frozenset[int]:
    """The subscribers who are as they were seen, and stay so until the transaction ends."""
    seen = {new.subscriber_id: new for new in new_ones}
    columns = [getattr(Subscriber, name) for name in ("id", *_COMPOSED, *_SCHEDULE)]
    query = (
        sql_select(*columns)
        .where(among(session, col(Subscriber.id), ids))
        .order_by(col(Subscriber.id))
        .with_for_update()
    )
    return frozenset(
        person.id for person in session.execute(query) if _is_as_seen(person, seen[person.id])
    )


def _is_as_seen(person: Any, new: NewDigest) -> bool:
    watched = _COMPOSED if new.next_due_at is None else (*_COMPOSED, *_SCHEDULE)
    return all(getattr(person, name) == getattr(new.seen, name) for name in watched)


def _count(session: Session, new_ones: Sequence[NewDigest]) -> None:
    """Tell others who are ranking now that these subscribers have been composed for."""
    by_due: dict[datetime | None, list[int]] = defaultdict(list)
    for new in new_ones:
        by_due[new.next_due_at].append(new.subscriber_id)
    for due, numbers in by_due.items():
        changes: dict[str, Any] = {"digest_count": Subscriber.digest_count + 1}
        if due is not None:
            changes["next_due_at"] = due
        these = (
            update(Subscriber).where(among(session, col(Subscriber.id), numbers)).values(**changes)
        )
        session.connection().execute(these)


def _dates_since(session: Session, ids: Sequence[int], day: date) -> list[tuple[int, date]]:
    """Who has digests of that date or later ones, and their dates."""
    query = select(col(Digest.subscriber_id), col(Digest.local_date)).where(
        among(session, col(Digest.subscriber_id), ids), Digest.local_date >= day
    )
    return list(session.exec(query))


def _of_day(session: Session, ids: Sequence[int], day: date) -> dict[int, Digest]:
    if not ids:
        return {}
    query = select(Digest).where(col(Digest.subscriber_id).in_(ids), Digest.local_date == day)
    return {digest.subscriber_id: digest for digest in session.exec(query)}


def _fill(session: Session, found: Digest, new: NewDigest, now: datetime) -> bool:
    """Put the papers that have come in since into a digest that had none; False if its note has
    gone out, or is about to."""
    filled = session.exec(
        update(Delivery)
        .where(
            col(Delivery.id) == found.delivery_id,
            col(Delivery.state).in_((DeliveryState.SILENT, DeliveryState.QUEUED)),
            col(Delivery.lease).is_(None),
        )
        .values(
            state=DeliveryState.QUEUED,
            created_at=now,
            due_at=new.due_at,
            expires_at=new.expires_at,
            reply="",
        )
    )
    if filled.rowcount != 1:
        return False
    found.items, found.considered, found.why = new.items, new.considered, new.why
    found.composed_at, found.template_version = now, new.template_version
    found.frequency, found.newest_paper = new.frequency, new.newest_paper
    found.silence, found.missing, found.owed_from = "", new.missing, new.owed_from
    session.flush()
    return True


def _insert(session: Session, new_ones: Sequence[NewDigest], now: datetime) -> None:
    deliveries, stored = Delivery.metadata.tables["delivery"], Digest.metadata.tables["digest"]
    numbers = new_numbers(session, deliveries, len(new_ones))
    pairs = list(zip(numbers, new_ones, strict=True))
    insert_all(session, deliveries, [{"id": n} | delivery_values(new, now) for n, new in pairs])
    insert_all(session, stored, [{"delivery_id": n} | digest_values(new, now) for n, new in pairs])


def delivery_values(new: NewDigest, now: datetime) -> dict[str, Any]:
    """What the row of a digest's delivery holds at first, without its number. Not a row: making
    one takes as long as storing it."""
    return {
        "kind": DeliveryKind.DIGEST,
        "subscriber_id": new.subscriber_id,
        "domain": domain_of(new.seen.email),
        "local_date": new.local_date,
        "state": DeliveryState.QUEUED if new.is_mailed else DeliveryState.SILENT,
        "created_at": now,
        "due_at": new.due_at,
        "expires_at": new.expires_at,
        "attempts": 0,
        "message_id": new.message_id,
        "reply": "" if new.is_mailed else new.silence,
    }


def digest_values(new: NewDigest, now: datetime) -> dict[str, Any]:
    """What the row of a digest holds, without its number and its delivery's."""
    return {
        "subscriber_id": new.subscriber_id,
        "local_date": new.local_date,
        "composed_at": now,
        "template_version": new.template_version,
        "frequency": new.frequency,
        "why": new.why,
        "considered": new.considered,
        "newest_paper": new.newest_paper,
        "items": new.items,
        "silence": new.silence,
        "missing": new.missing,
        "owed_from": new.owed_from,
    }


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
    session: Session, subscriber_id: int, *, papers: bool = False
) -> tuple[Digest, Delivery] | None:
    """A subscriber's newest digest with its delivery; with `papers` the newest that has some."""
    query = (
        select(Digest, Delivery)
        .join(Delivery, col(Delivery.id) == col(Digest.delivery_id))
        .where(Digest.subscriber_id == subscriber_id)
        .order_by(col(Digest.local_date).desc())
    )
    if papers:
        query = query.where(Digest.silence == "")
    return session.exec(query.limit(1)).first()


def last_composed(session: Session) -> datetime | None:
    """When the newest digest was composed."""
    newest = select(Digest.composed_at).order_by(col(Digest.id).desc()).limit(1)
    return session.exec(newest).first()


def silences(session: Session, since: datetime, limit: int) -> list[tuple[date, str, int]]:
    """Why digests that were due since then had no papers: date, reason and how many subscribers,
    the newest date and its most frequent reason first."""
    people = func.count()
    query = (
        select(col(Digest.local_date), col(Digest.silence), people)
        .join(Delivery, col(Delivery.id) == col(Digest.delivery_id))
        .where(
            col(Delivery.state).in_(list(DeliveryState)),  # whichever: the index begins with it
            Delivery.due_at >= since,
            Digest.silence != "",
        )
        .group_by(col(Digest.local_date), col(Digest.silence))
        .order_by(col(Digest.local_date).desc(), people.desc(), col(Digest.silence))
        .limit(limit)
    )
    return [(day, reason, number) for day, reason, number in session.exec(query)]


def of_deliveries(session: Session, delivery_ids: Collection[int]) -> dict[int, Digest]:
    """Digests by the number of their delivery."""
    return {
        digest.delivery_id: digest
        for chunk in in_chunks(delivery_ids)
        for digest in session.exec(select(Digest).where(col(Digest.delivery_id).in_(chunk)))
    }


@dataclass(frozen=True, slots=True)
class Sent:
    """A digest that went out: to whom, when it was due, and its frozen items, of which each names
    its paper by the number that it has now."""

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
            Digest.silence == "",
            Delivery.due_at >= since,
            Delivery.due_at <= until,
            col(Digest.subscriber_id).in_(select(Vote.subscriber_id)),
        )
        .order_by(col(Delivery.due_at).desc(), col(Digest.id).desc())
        .limit(most)
    )
    found = session.exec(query).all()
    now = successors(session, {item["paper"] for _, _, items in found for item in items})
    return [
        Sent(
            number,
            due_at,
            [item | {"paper": now.get(item["paper"], item["paper"])} for item in items],
        )
        for number, due_at, items in found
    ]


@dataclass(frozen=True, slots=True)
class Previous:
    """The digest before: its date, the newest paper that it could have had, when it was composed,
    and the oldest day of which papers were known to be missing then."""

    local_date: date
    newest_paper: int
    composed_at: datetime
    owed_from: date | None = None

    @property
    def first_day(self) -> date:
        """The day of the oldest papers that it had no chance to pass over."""
        return min(self.local_date, self.owed_from or self.local_date)


def previous(session: Session, subscriber_ids: Collection[int], day: date) -> dict[int, Previous]:
    """Each subscriber's newest digest before `day` that had candidates.

    A silent one without any passed nothing over: papers that came in late for it are still owed.
    """
    found: dict[int, Previous] = {}
    for chunk in in_chunks(subscriber_ids):
        newest = (
            select(Digest.subscriber_id, func.max(Digest.local_date).label("newest"))
            .where(
                among(session, col(Digest.subscriber_id), chunk),
                Digest.local_date < day,
                Digest.considered > 0,
            )
            .group_by(col(Digest.subscriber_id))
            .subquery()
        )
        rows = session.execute(
            sql_select(
                col(Digest.subscriber_id),
                col(Digest.local_date),
                col(Digest.newest_paper),
                col(Digest.composed_at),
                col(Digest.owed_from),
            ).join(
                newest,
                (newest.c.subscriber_id == Digest.subscriber_id)
                & (newest.c.newest == Digest.local_date),
            )
        )
        found.update({number: Previous(*rest) for number, *rest in rows})
    return found


def mailed(
    session: Session, subscriber_ids: Collection[int], since: date, *, but_not: date | None = None
) -> dict[int, set[int]]:
    """The papers in each subscriber's digests dated `since` or later, by the row number that they
    have now, and the other papers that were found to be the same works.

    `but_not` leaves out the digest of one date.
    """
    return _papers_in(session, subscriber_ids, col(Digest.local_date) >= since, but_not)


def mailed_of(
    session: Session,
    subscriber_ids: Collection[int],
    papers: Mapping[int, date],
    reach: timedelta,
    *,
    but_not: date | None = None,
) -> dict[int, set[int]]:
    """As `mailed`, but only the digests that may hold one of these papers, dated from the day given
    for it on for as long as `reach`: the others are neither sent nor read."""
    if not papers:
        return {}
    names = defaultdict(set, {number: {number} for number in papers})
    for old, new in predecessors(session, papers):
        names[new].add(old)
    # A number may be a part of another one: what is found is looked at.
    text = cast(col(Digest.items), Text)
    may_hold = or_(
        *(
            col(Digest.local_date).between(day, day + reach)
            & or_(*(text.contains(str(name)) for name in sorted(names[number])))
            for number, day in papers.items()
        )
    )
    return _papers_in(session, subscriber_ids, may_hold, but_not)


def _papers_in(
    session: Session,
    subscriber_ids: Collection[int],
    which: ColumnElement[bool],
    but_not: date | None,
) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for chunk in in_chunks(subscriber_ids):
        query = sql_select(
            col(Digest.subscriber_id), col(Digest.local_date), cast(col(Digest.items), Text)
        ).where(among(session, col(Digest.subscriber_id), chunk), which)
        for subscriber_id, local_date, items in session.execute(query):
            if local_date != but_not:
                for numbers in _PAPERS.findall(items):
                    found[subscriber_id].update(map(int, numbers.split(",")))
    now = successors(session, set().union(*found.values()))
    return {
        subscriber_id: {now.get(number, number) for number in numbers}
        for subscriber_id, numbers in found.items()
    }
