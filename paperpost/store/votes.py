"""Votes: every act is kept, and the newest one that counts holds."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import case, extract, update
from sqlmodel import Session, col, func, select

from paperpost.store.database import in_chunks
from paperpost.store.tables import Paper, Vote

OVERRIDDEN = "overridden before it counted"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a subscriber's vote on a paper stands: `value` is 1, -1 or 0; a `held` one counts
    from `counts_at` on, and until then `counted` is what the profile sees."""

    value: int
    counted: int
    held: bool
    counts_at: datetime | None


def standing(session: Session, subscriber_id: int, paper_number: int, now: datetime) -> Standing:
    """What the subscriber has said of the paper so far, and what counts now."""
    acts = session.exec(
        select(Vote)
        .where(
            Vote.subscriber_id == subscriber_id,
            Vote.paper_number == paper_number,
            col(Vote.voided).is_(None),
        )
        .order_by(col(Vote.id))
    ).all()
    counted = [act for act in acts if act.counts_at <= now]
    held = [act for act in acts if act.counts_at > now]
    value = counted[-1].value if counted else 0
    if not held:
        return Standing(value, value, held=False, counts_at=None)
    return Standing(held[-1].value, value, held=True, counts_at=held[-1].counts_at)


def cast(
    session: Session,
    subscriber_id: int,
    paper_number: int,
    value: int,
    *,
    origin: str,
    now: datetime,
    counts_at: datetime,
) -> Standing:
    """Record what the subscriber says now. Saying the same again changes nothing; a held vote
    that is taken back before it counted never counts."""
    before = standing(session, subscriber_id, paper_number, now)
    if before.value == value and not (before.held and counts_at <= now):
        return before
    session.exec(
        update(Vote)
        .where(
            col(Vote.subscriber_id) == subscriber_id,
            col(Vote.paper_number) == paper_number,
            col(Vote.counts_at) > now,
            col(Vote.voided).is_(None),
        )
        .values(voided=OVERRIDDEN)
    )
    if before.counted != value:
        session.add(
            Vote(
                subscriber_id=subscriber_id,
                paper_number=paper_number,
                value=value,
                origin=origin,
                cast_at=now,
                counts_at=counts_at,
            )
        )
    session.flush()
    return standing(session, subscriber_id, paper_number, now)


def counted(
    session: Session, now: datetime, subscriber_ids: Collection[int] | None = None
) -> dict[int, dict[int, Vote]]:
    """The votes that hold now: subscriber number -> paper number -> the vote (value 1 or -1).

    Of those named, or of everyone; in the order in which they were cast.
    """
    holding: dict[int, dict[int, Vote]] = defaultdict(dict)
    chunks = [None] if subscriber_ids is None else list(in_chunks(subscriber_ids))
    for chunk in chunks:
        newest = select(func.max(Vote.id)).where(Vote.counts_at <= now, col(Vote.voided).is_(None))
        if chunk is not None:
            newest = newest.where(col(Vote.subscriber_id).in_(chunk))
        newest = newest.group_by(col(Vote.subscriber_id), col(Vote.paper_number))
        rows = session.exec(
            select(Vote).where(col(Vote.id).in_(newest), Vote.value != 0).order_by(col(Vote.id))
        )
        for vote in rows:
            holding[vote.subscriber_id][vote.paper_number] = vote
    return holding


def count_held(session: Session, subscriber_id: int, now: datetime) -> int:
    """How many of a subscriber's votes wait to count."""
    return session.exec(
        select(func.count()).where(
            Vote.subscriber_id == subscriber_id,
            Vote.counts_at > now,
            col(Vote.voided).is_(None),
        )
    ).one()


def acts(session: Session, subscriber_id: int) -> list[Vote]:
    """Every act of voting of one subscriber, oldest first, those that never counted as well."""
    return list(
        session.exec(select(Vote).where(Vote.subscriber_id == subscriber_id).order_by(col(Vote.id)))
    )


def count(session: Session, now: datetime, *, counted_after: datetime | None = None) -> int:
    """How many acts of voting count by now, all of them or those that came to count since."""
    query = select(func.count()).where(Vote.counts_at <= now, col(Vote.voided).is_(None))
    if counted_after is not None:
        query = query.where(Vote.counts_at > counted_after)
    return session.exec(query).one()


@dataclass(frozen=True, slots=True)
class SpanOfVotes:
    """The votes that hold on one paper and were cast in the time that begins at `begin`."""

    paper_number: int
    begin: datetime
    ups: int
    downs: int


def by_time(
    session: Session, first: date, last: date, now: datetime, width: timedelta
) -> list[SpanOfVotes]:
    """The votes of all subscribers, as they hold now, on the papers announced from `first` to
    `last`, both included; counted in spans of that width (whole seconds)."""
    newest = (
        select(func.max(Vote.id))
        .join(Paper, col(Paper.number) == col(Vote.paper_number))
        .where(
            col(Paper.announced) >= first,
            col(Paper.announced) <= last,
            Vote.counts_at <= now,
            col(Vote.voided).is_(None),
        )
        .group_by(col(Vote.subscriber_id), col(Vote.paper_number))
    )
    second = extract("epoch", col(Vote.cast_at))
    begin = second - second % int(width.total_seconds())
    rows = session.exec(
        select(
            Vote.paper_number,
            begin,
            func.sum(case((col(Vote.value) > 0, 1), else_=0)),
            func.sum(case((col(Vote.value) < 0, 1), else_=0)),
        )
        .where(col(Vote.id).in_(newest), Vote.value != 0)
        .group_by(col(Vote.paper_number), begin)
    )
    return [
        SpanOfVotes(number, datetime.fromtimestamp(int(start), UTC), int(ups), int(downs))
        for number, start, ups, downs in rows
    ]


def tally(session: Session, paper_numbers: Collection[int], now: datetime) -> dict[int, int]:
    """Ups minus downs of each paper over all subscribers, as they hold now."""
    totals: dict[int, int] = dict.fromkeys(paper_numbers, 0)
    for chunk in in_chunks(paper_numbers):
        newest = (
            select(func.max(Vote.id))
            .where(
                Vote.counts_at <= now,
                col(Vote.voided).is_(None),
                col(Vote.paper_number).in_(chunk),
            )
            .group_by(col(Vote.subscriber_id), col(Vote.paper_number))
        )
        rows = session.exec(
            select(Vote.paper_number, func.sum(Vote.value))
            .where(col(Vote.id).in_(newest))
            .group_by(col(Vote.paper_number))
        )
        totals.update({number: int(total) for number, total in rows})
    return totals
