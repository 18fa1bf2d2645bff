"""What the public pages show: days of papers, and a paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mailer.plain import readable
from paperpost.service.installation import Installation
from paperpost.service.letters import web_address
from paperpost.store import papers, votes
from paperpost.store.papers import number_of
from paperpost.store.tables import NEVER_ANNOUNCED, Paper
from recommender.trending import FEWEST

DAY = timedelta(days=1)
PAGE_SIZE = 100  # a day of arXiv's larger categories has 600 papers


@dataclass(frozen=True, slots=True)
class PaperView:
    """A paper as pages show it: LaTeX made readable; `votes` is ups minus downs of everyone."""

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    comment: str
    announced: date
    address: str
    votes: int


@dataclass(frozen=True, slots=True)
class DayView:
    """One page of an announcement day, the most voted papers first, and the days around it.

    `total` counts the day's papers; pages run from 1 to `pages`, which is 1 for an empty day.
    """

    day: date
    papers: tuple[PaperView, ...]
    total: int
    page: int
    pages: int
    earlier: date | None
    later: date | None


def newest_day(installation: Installation) -> date | None:
    """The newest announcement day that has papers."""
    with installation.database.reading() as session:
        return papers.newest_day(session)


def day(installation: Installation, wanted: date, page: int = 1) -> DayView:
    """The papers of one announcement day; there may be none, on any day or page."""
    with installation.database.reading() as session:
        found = papers.announced(session, wanted, wanted)
        totals = votes.tally(session, [number_of(p) for p in found], installation.clock())
        earlier = papers.newest_day(session, wanted - DAY) if wanted > date.min else None
        later = papers.next_day(session, wanted)
    found.sort(key=lambda paper: -_told(totals[number_of(paper)]))
    return DayView(
        day=wanted,
        papers=tuple(
            view_of(installation, paper, totals[number_of(paper)])
            for paper in found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        ),
        total=len(found),
        page=page,
        pages=max(1, -(-len(found) // PAGE_SIZE)),
        earlier=earlier,
        later=later,
    )


def paper(installation: Installation, name: str) -> PaperView | None:
    """The paper of that id, or of any name it was once met under."""
    with installation.database.reading() as session:
        found = papers.find(session, name)
        if found is None or found.announced == NEVER_ANNOUNCED:
            return None
        totals = votes.tally(session, [number_of(found)], installation.clock())
    return view_of(installation, found, totals[number_of(found)])


def view_of(installation: Installation, paper: Paper, total: int) -> PaperView:
    """A stored paper as pages show it, with ups minus downs of everyone."""
    return PaperView(
        id=paper.id,
        title=readable(paper.title),
        abstract=readable(paper.abstract),
        authors=_readable_all(paper.authors),
        categories=tuple(paper.categories),
        comment=readable(paper.comment or ""),
        announced=paper.announced,
        address=paper.url or web_address(installation.settings, paper),
        votes=_told(total),
    )


def _told(total: int) -> int:
    """Votes as everybody may see them: in a small group one or two tell who voted."""
    return total if total >= FEWEST else 0


def _readable_all(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(readable(name) for name in names)
