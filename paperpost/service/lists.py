"""Lists of papers for the public pages: days, weeks, months, and what trends."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlmodel import Session

from paperpost.service.browse import PaperView, listed
from paperpost.service.installation import Installation
from paperpost.service.look_back import days_before
from paperpost.service.periods import Period, Span, around
from paperpost.service.trending import DAY, board, counts
from paperpost.sources.found import CATEGORY_LIMIT
from paperpost.store import listings, papers
from recommender.trending import Trend

PAGE_SIZE = 30
# So many of what trends in all of these days are shown, on several pages.
MOST_TRENDING = 10 * PAGE_SIZE
MOST_CATEGORIES = 10
LONGEST_CATEGORY = CATEGORY_LIMIT  # in letters: no source's papers have a longer one
LENGTHS = {Span.DAY: 1, Span.WEEK: 7, Span.MONTH: 30}


class Order(StrEnum):
    """In which order papers are listed."""

    TRENDING = "trending"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class ListedPaper:
    """A paper, and what was counted, in words (trending.py)."""

    paper: PaperView
    counts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListView:
    """One page of the papers of a period, and the periods around it that have papers.

    `total` counts the papers, of `category` if that is not empty; pages run from 1 to `pages`,
    which is 1 where there are none. `categories` are the commonest ones of the period, with their
    papers; `something_trends` tells whether both orders differ; `newest` is the period's last day
    that has papers, or its first.
    """

    period: Period
    order: Order
    something_trends: bool
    category: str
    categories: tuple[tuple[str, int], ...]
    papers: tuple[ListedPaper, ...]
    total: int
    page: int
    pages: int
    earlier: Period | None
    later: Period | None
    newest: date


def papers_of(
    installation: Installation,
    period: Period,
    *,
    order: Order | None = None,
    category: str = "",
    page: int = 1,
) -> ListView:
    """The papers of a period, those first that trend if any do and nothing else was asked for;
    there may be none, in any period, category or page."""
    trending = board(installation, period.first, period.last)
    with installation.database.reading() as session:
        every = listings.numbers(session, period.first, period.last, category)
        leading = _among(trending.best, every)
        order = order or (Order.TRENDING if leading else Order.NEWEST)
        if order == Order.TRENDING:
            every = list(dict.fromkeys(leading + every))
        shown = _listed(installation, session, _cut(every, page), trending.trends)
        earlier, later = _neighbours(session, period)
        newest = papers.newest_day(session, period.last)
    return ListView(
        period=period,
        order=order,
        something_trends=bool(leading),
        category=category,
        categories=tuple(_categories(installation, period).most_common(MOST_CATEGORIES)),
        papers=shown,
        total=len(every),
        page=page,
        pages=_pages(every),
        earlier=earlier,
        later=later,
        newest=max(newest or period.first, period.first),
    )


def _among(best: Iterable[int], every: Iterable[int]) -> list[int]:
    known = set(every)
    return [number for number in best if number in known]


def _neighbours(session: Session, period: Period) -> tuple[Period | None, Period | None]:
    """The nearest periods of the same length that have papers."""
    before = None
    if period.first > date.min:
        before = papers.newest_day(session, period.first - DAY)
    after = papers.next_day(session, period.last)
    return (
        None if before is None else around(period.span, before),
        None if after is None else around(period.span, after),
    )


def _categories(installation: Installation, period: Period) -> Counter[str]:
    def count() -> Counter[str]:
        with installation.database.reading() as session:
            return listings.categories(session, period.first, period.last)

    return installation.slot.categories.get(period, installation.clock(), count)


@dataclass(frozen=True, slots=True)
class TrendingView:
    """One page of the papers announced from `first` to `last` that trend, the most first.

    Pages run from 1 to `pages`, which is 1 if there are none. `elsewhere`: Hugging Face's upvotes
    count.
    """

    window: Span
    first: date
    last: date
    papers: tuple[ListedPaper, ...]
    page: int
    pages: int
    elsewhere: bool


def trending(installation: Installation, window: Span, page: int = 1) -> TrendingView | None:
    """What trends in the days up to the newest that has papers, MOST_TRENDING papers at most; None
    without any papers."""
    with installation.database.reading() as session:
        last = papers.newest_day(session)
    if last is None:
        return None
    first = days_before(last, timedelta(days=LENGTHS[window] - 1))
    found = board(installation, first, last)
    best = found.best[:MOST_TRENDING]
    with installation.database.reading() as session:
        shown = _listed(installation, session, _cut(best, page), found.trends)
    return TrendingView(
        window=window,
        first=first,
        last=last,
        papers=shown,
        page=page,
        pages=_pages(best),
        elsewhere=installation.settings.upvotes,
    )


def _listed(
    installation: Installation,
    session: Session,
    numbers: Iterable[int],
    trends: Mapping[int, Trend],
) -> tuple[ListedPaper, ...]:
    """The papers of these numbers, but for those that were given up since. They are shown without
    the sum of all votes, which may be of one or two."""
    numbers = list(numbers)
    stored = papers.by_number(session, numbers)
    return tuple(
        ListedPaper(
            listed(installation, stored[number]),
            counts(trends[number], stored[number].discussed) if number in trends else (),
        )
        for number in numbers
        if number in stored
    )


def _cut(every: Sequence[int], page: int) -> Sequence[int]:
    return every[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]


def _pages(every: Sequence[int]) -> int:
    return max(1, -(-len(every) // PAGE_SIZE))
