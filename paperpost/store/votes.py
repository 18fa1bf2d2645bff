"""Votes: every act is kept, and the newest one that counts holds."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, extract, or_, update
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, func, select

from paperpost.store.database import among, in_chunks
from paperpost.store.merging import hold
from paperpost.store.tables import Paper, Vote

OVERRIDDEN = "overridden before it counted"
# Taking something back, which is then as if it had never been said.
UNDONE = "undone"
LINK = "link"
# Given on the page that asks about papers, which were not mailed.
RATING = "rating"


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
    that is taken back before it counted never counts.

    Whatever overrides another vote has a row of its own, so that `void` can undo it; one that
    leaves what counts as it is has nothing to wait for.
    """
    paper_number = hold(session, [paper_number]).get(paper_number, paper_number)
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
    session.add(
        Vote(
            subscriber_id=subscriber_id,
            paper_number=paper_number,
            value=value,
            origin=origin,
            cast_at=now,
            counts_at=now if value == before.counted else counts_at,
        )
    )
    session.flush()
    return standing(session, subscriber_id, paper_number, now)


def last_said(session: Session, subscriber_id: int, paper_number: int) -> datetime | None:
    """When the subscriber last said anything of the paper, a program in their name left out."""
    return session.exec(
        select(func.max(Vote.cast_at)).where(
            Vote.subscriber_id == subscriber_id,
            Vote.paper_number == paper_number,
            of_a_person(),
        )
    ).one()


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


@dataclass(frozen=True, slots=True)
class Opinions:
    """What one subscriber said of papers, by number: 1 or -1 of those on which a vote holds, in the
    order in which these were cast; and the papers that they know from elsewhere than a digest."""

    values: dict[int, int] = field(default_factory=dict)
    elsewhere: set[int] = field(default_factory=set)


NO_OPINIONS = Opinions()


def opinions(
    session: Session, now: datetime, elsewhere: Collection[str], subscriber_ids: Collection[int]
) -> dict[int, Opinions]:
    """What these subscribers said, by their numbers. A paper on which they ever cast a vote of one
    of the origins `elsewhere` is known from there, whatever they said of it since."""
    found: dict[int, Opinions] = defaultdict(Opinions)
    counts = (col(Vote.counts_at) <= now) & col(Vote.voided).is_(None)
    query = sql_select(
        col(Vote.subscriber_id),
        col(Vote.paper_number),
        case((counts, col(Vote.value)), else_=None),
        col(Vote.origin).in_(elsewhere),
    ).order_by(col(Vote.id))
    for chunk in in_chunks(subscriber_ids):
        rows = session.execute(query.where(among(session, col(Vote.subscriber_id), chunk)))
        for subscriber_id, paper_number, value, is_elsewhere in rows:
            own = found[subscriber_id]
            if value is not None:
                own.values.pop(paper_number, None)  # the newest one's place is the vote's
                if value:
                    own.values[paper_number] = value
            if is_elsewhere:
                own.elsewhere.add(paper_number)
    return dict(found)


def held(session: Session, subscriber_id: int, now: datetime) -> list[Vote]:
    """A subscriber's votes that wait to count, oldest first."""
    return list(
        session.exec(
            select(Vote)
            .where(
                Vote.subscriber_id == subscriber_id,
                Vote.counts_at > now,
                col(Vote.voided).is_(None),
            )
            .order_by(col(Vote.id))
        )
    )


def void(
    session: Session, subscriber_id: int, reasons: Mapping[tuple[int, datetime], str]
) -> set[int]:
    """Have votes by link never count: paper number and time of casting -> why. What each of them
    overrode holds again. The numbers of the papers on which there were any."""
    if not reasons:
        return set()
    cast_since = session.exec(
        select(Vote).where(
            Vote.subscriber_id == subscriber_id,
            Vote.origin == LINK,
            Vote.cast_at >= min(at for _, at in reasons),
            of_a_person(),
        )
    ).all()
    voided = [act for act in cast_since if (act.paper_number, act.cast_at) in reasons]
    for act in voided:
        act.voided = reasons[act.paper_number, act.cast_at]
        session.add(act)
    session.flush()
    touched = {act.paper_number for act in voided}
    for paper_number in touched:
        reinstate(session, subscriber_id, paper_number)
    return touched


def of_a_person() -> ColumnElement[bool]:
    """Whether an act was a person's: not one that was voided as a program's, nor one that they
    undid."""
    return or_(col(Vote.voided).is_(None), col(Vote.voided) == OVERRIDDEN)


def reinstate(session: Session, subscriber_id: int, paper_number: int) -> None:
    """Nothing overrides the newest act on a paper that is left after others were voided."""
    newest = session.exec(
        select(Vote)
        .where(
            Vote.subscriber_id == subscriber_id,
            Vote.paper_number == paper_number,
            of_a_person(),
        )
        .order_by(col(Vote.id).desc())
        .limit(1)
    ).first()
    if newest is not None and newest.voided == OVERRIDDEN:
        newest.voided = None
        session.add(newest)
        session.flush()


def ignored(session: Session, subscriber_id: int, since: datetime) -> list[Vote]:
    """A subscriber's votes since then that were voided as a program's, oldest first: the newest on
    each paper, unless something was said of it after, or it says what stands anyway."""
    touched = select(Vote.paper_number).where(
        Vote.subscriber_id == subscriber_id,
        Vote.cast_at >= since,
        col(Vote.voided).not_in((OVERRIDDEN, UNDONE)),
    )
    cast_on_them = session.exec(
        select(Vote)
        .where(Vote.subscriber_id == subscriber_id, col(Vote.paper_number).in_(touched))
        .order_by(col(Vote.id))
    )
    newest: dict[int, Vote] = {}
    standing: dict[int, int] = defaultdict(int)
    for act in cast_on_them:
        if act.voided == UNDONE:
            continue
        if act.voided not in (None, OVERRIDDEN):
            newest[act.paper_number] = act
            continue
        newest.pop(act.paper_number, None)
        if act.voided is None:
            standing[act.paper_number] = act.value
    left = [act for act in newest.values() if act.value != standing[act.paper_number]]
    return sorted(left, key=lambda act: act.id or 0)


def papers_of(session: Session, origin: str, subscriber_ids: Iterable[int]) -> dict[int, set[int]]:
    """The papers, by number, on which subscribers ever cast votes of that origin, whatever they
    said of them since."""
    found: dict[int, set[int]] = defaultdict(set)
    for chunk in in_chunks(subscriber_ids):
        rows = session.exec(
            select(Vote.subscriber_id, Vote.paper_number).where(
                col(Vote.subscriber_id).in_(chunk), Vote.origin == origin
            )
        )
        for subscriber_id, number in rows:
            found[subscriber_id].add(number)
    return found


def acts(session: Session, subscriber_id: int) -> list[Vote]:
    """Every act of voting of one subscriber, oldest first, those that never counted as well."""
    return list(
        session.exec(select(Vote).where(Vote.subscriber_id == subscriber_id).order_by(col(Vote.id)))
    )


def count(session: Session, now: datetime) -> int:
    """How many acts of voting count by now."""
    query = select(func.count()).where(Vote.counts_at <= now, col(Vote.voided).is_(None))
    return session.exec(query).one()


def count_later(session: Session, now: datetime, number: int, *, most: int) -> int:
    """How many of the acts with higher numbers count by now; no more than `most` are looked for."""
    counts = (col(Vote.id) > number, col(Vote.counts_at) <= now, col(Vote.voided).is_(None))
    found = sql_select(col(Vote.id)).where(*counts).order_by(col(Vote.id)).limit(most).subquery()
    return session.exec(select(func.count()).select_from(found)).one()


def last_counted(session: Session, now: datetime) -> int:
    """The number up to which no act of voting is held any more; 0 if there is none at all."""
    held = select(func.min(Vote.id)).where(Vote.counts_at > now, col(Vote.voided).is_(None))
    first_held = session.exec(held).one()
    if first_held is not None:
        return first_held - 1
    return session.exec(select(func.max(Vote.id))).one() or 0


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
    second = extract("epoch", col(Vote.cast_at))
    of_one = [col(Vote.subscriber_id), col(Vote.paper_number)]
    age = func.row_number().over(partition_by=of_one, order_by=col(Vote.id).desc())
    acts = (
        sql_select(
            col(Vote.paper_number),
            col(Vote.value),
            (second - second % int(width.total_seconds())).label("begin"),
            age.label("age"),
        )
        .join(Paper, col(Paper.number) == col(Vote.paper_number))
        .where(
            col(Paper.announced) >= first,
            col(Paper.announced) <= last,
            col(Vote.counts_at) <= now,
            col(Vote.voided).is_(None),
        )
        .subquery()
        .c
    )
    rows = session.execute(
        sql_select(
            acts.paper_number,
            acts.begin,
            func.sum(case((acts.value > 0, 1), else_=0)),
            func.sum(case((acts.value < 0, 1), else_=0)),
        )
        .where(acts.age == 1, acts.value != 0)
        .group_by(acts.paper_number, acts.begin)
    )
    return [
        SpanOfVotes(number, datetime.fromtimestamp(int(start), UTC), int(ups), int(downs))
        for number, start, ups, downs in rows
    ]


class Tally(NamedTuple):
    """How many voted a paper up, and how many down."""

    ups: int
    downs: int


def tally(session: Session, paper_numbers: Collection[int], now: datetime) -> dict[int, Tally]:
    """The votes of all subscribers on each paper, as they hold now."""
    totals = dict.fromkeys(paper_numbers, Tally(0, 0))
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
            select(
                Vote.paper_number,
                func.sum(case((col(Vote.value) > 0, 1), else_=0)),
                func.sum(case((col(Vote.value) < 0, 1), else_=0)),
            )
            .where(col(Vote.id).in_(newest))
            .group_by(col(Vote.paper_number))
        )
        totals.update({number: Tally(int(ups), int(downs)) for number, ups, downs in rows})
    return totals
