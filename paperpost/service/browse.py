"""What the public pages show of a paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from mailer.plain import readable, shorten
from paperpost.service.bibtex import bibtex
from paperpost.service.installation import Installation
from paperpost.service.letters import web_address
from paperpost.service.origins import Origins, origins
from paperpost.store import papers, votes
from paperpost.store.papers import number_of
from paperpost.store.tables import Paper
from paperpost.store.votes import Tally
from recommender.trending import FEWEST

# Letters of an abstract in a list; and so many are read for them, as reading LaTeX is slow.
EXCERPT = 300
_READ_FOR_AN_EXCERPT = 420


@dataclass(frozen=True, slots=True)
class PaperView:
    """A paper as pages show it: LaTeX made readable; `votes` is how many readers voted it up.
    `number` is the store's."""

    number: int
    id: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    comment: str
    announced: date
    address: str
    votes: int


def newest_day(installation: Installation) -> date | None:
    """The newest announcement day that has papers."""
    with installation.database.reading() as session:
        return papers.newest_day(session)


def paper(installation: Installation, name: str) -> PaperView | None:
    """The paper of that id, or of any name it was once met under."""
    with installation.database.reading() as session:
        found = papers.find_public(session, name)
        return None if found is None else _told_view(installation, session, found)


@dataclass(frozen=True, slots=True)
class PaperPage:
    """A paper with where it is from, and as BibTeX."""

    paper: PaperView
    origins: Origins
    bibtex: str


def page(installation: Installation, name: str) -> PaperPage | None:
    """What the page of a paper shows that is the paper's own."""
    with installation.database.reading() as session:
        found = papers.find_public(session, name)
        if found is None:
            return None
        view = _told_view(installation, session, found)
        return PaperPage(view, origins(session, found), bibtex([found]))


def citation(installation: Installation, name: str) -> str | None:
    """A paper as BibTeX."""
    with installation.database.reading() as session:
        found = papers.find_public(session, name)
    return None if found is None else bibtex([found])


def _told_view(installation: Installation, session: Session, paper: Paper) -> PaperView:
    totals = votes.tally(session, [number_of(paper)], installation.clock())
    return view_of(installation, paper, totals[number_of(paper)])


def view_of(installation: Installation, paper: Paper, tally: Tally) -> PaperView:
    """A stored paper as pages show it, with the votes of everyone."""
    return _view(installation, paper, _told(tally), readable(paper.abstract))


def listed(installation: Installation, paper: Paper) -> PaperView:
    """A stored paper as lists show it: with the beginning of its abstract, and without votes."""
    return _view(installation, paper, 0, excerpt(paper.abstract))


def excerpt(abstract: str) -> str:
    """The beginning of an abstract, made readable; a formula stays whole or is left out."""
    if len(abstract) <= _READ_FOR_AN_EXCERPT:
        return shorten(readable(abstract), EXCERPT)
    beginning = abstract[:_READ_FOR_AN_EXCERPT].rpartition(" ")[0]
    if beginning.count("$") % 2:
        beginning = beginning.rpartition("$")[0]
    return shorten(f"{readable(beginning)} …", EXCERPT)


def _view(installation: Installation, paper: Paper, votes_up: int, abstract: str) -> PaperView:
    return PaperView(
        number=number_of(paper),
        id=paper.id,
        title=readable(paper.title),
        abstract=abstract,
        authors=_readable_all(paper.authors),
        categories=tuple(paper.categories),
        comment=readable(paper.comment or ""),
        announced=paper.announced,
        address=paper.url or web_address(installation.settings, paper),
        votes=votes_up,
    )


def _told(tally: Tally) -> int:
    """Votes up as everybody may see them, counted as for what trends: in a small group one or two
    tell who voted."""
    return tally.ups if tally.ups - tally.downs >= FEWEST else 0


def _readable_all(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(readable(name) for name in names)
