"""Which papers trend, as a page and as what a digest holds for whom nothing is known of."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum

from sqlmodel import Session

from paperpost.service.browse import DAY, PAGE_SIZE, PaperView, view_of
from paperpost.service.installation import Installation
from paperpost.store import papers, votes
from recommender.trending import FEWEST, Trend, Upvotes, Votes, trend


class Window(StrEnum):
    """How far back the page looks."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


LENGTHS = {Window.DAY: 1, Window.WEEK: 7, Window.MONTH: 30}
MOST = 3 * PAGE_SIZE


@dataclass(frozen=True, slots=True)
class TrendingPaper:
    """A paper, and what was counted, in words."""

    paper: PaperView
    counts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrendingView:
    """One page of the papers announced from `first` to `last` that trend, the most first.

    Pages run from 1 to `pages`, which is 1 if there are none. `elsewhere`: Hugging Face's upvotes
    count.
    """

    window: Window
    first: date
    last: date
    papers: tuple[TrendingPaper, ...]
    page: int
    pages: int
    elsewhere: bool


def trending(installation: Installation, window: Window, page: int = 1) -> TrendingView | None:
    """What trends in the days up to the newest that has papers, MOST papers at most; None
    without any papers."""
    now, elsewhere = installation.clock(), installation.settings.upvotes
    with installation.database.reading() as session:
        last = papers.newest_day(session)
        if last is None:
            return None
        first = date.fromordinal(max(last.toordinal() - LENGTHS[window] + 1, 1))
        found = trends(session, first, last, now, elsewhere=elsewhere)
        best = sorted(found, key=lambda number: (-found[number].score, number))[:MOST]
        shown = best[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        stored = papers.by_number(session, shown)
    return TrendingView(
        window=window,
        first=first,
        last=last,
        papers=tuple(
            # Without the sum of all votes, which may be of one or two.
            TrendingPaper(
                view_of(installation, stored[number], 0),
                counts(found[number], stored[number].discussed),
            )
            for number in shown
        ),
        page=page,
        pages=max(1, -(-len(best) // PAGE_SIZE)),
        elsewhere=elsewhere,
    )


def trends(
    session: Session, first: date, last: date, now: datetime, *, elsewhere: bool
) -> dict[int, Trend]:
    """The papers announced from `first` to `last`, both included, that trend, by number.

    Half of a vote's weight is gone after half of these days. Votes count as they hold `now`, but
    are looked at from the end of `last`: otherwise none would weigh anything in days long past.
    Upvotes count only if those from `elsewhere` are to.
    """
    seen_from = min(now, datetime.combine(last, time.max, UTC))
    half_life = ((last - first).days + 1) / 2
    cast: dict[int, list[Votes]] = defaultdict(list)
    # Votes of a twelfth of the half-life are counted together: 6 % of a weight, and fewer rows.
    for some in votes.by_time(session, first, last, now, half_life * DAY / 12):
        cast[some.paper_number].append(Votes((seen_from - some.begin) / DAY, some.ups, some.downs))
    upvoted = papers.upvoted(session, first, last, FEWEST) if elsewhere else []
    given = {number: Upvotes(count, (seen_from - since) / DAY) for number, count, since in upvoted}
    found = {
        number: trend(cast[number], given.get(number, Upvotes()), half_life)
        for number in sorted(cast.keys() | given.keys())
    }
    return {number: one for number, one in found.items() if one.score > 0}


def counts(found: Trend, discussed: int | None) -> tuple[str, ...]:
    """What was counted, in words; beside the upvotes the comments that stand there."""
    told = []
    if found.readers:
        told.append(f"{found.readers} readers voted this up")
    if found.upvotes:
        comments = "1 comment" if discussed == 1 else f"{discussed} comments"
        also = f", {comments}" if discussed else ""
        told.append(f"{found.upvotes} upvotes{also} on Hugging Face")
    return tuple(told)
