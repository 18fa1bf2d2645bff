"""The papers that everybody sees: days, weeks, months, what trends, a paper, and those like it."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response
from pydantic import Field

from paperpost.service import browse, lists, periods, similar
from paperpost.service.browse import PaperView
from paperpost.service.lists import ListView, Order
from paperpost.service.periods import Period, Span
from paperpost.web.api.bearer import Here
from paperpost.web.api.document import refusals
from paperpost.web.api.limits import NO_CONTROL, Bibtex, Day, PageNumber, PaperId, Told, told

router = APIRouter(tags=["papers"])

NO_PAGE = "There are not so many pages."
NO_PAPERS = "There are no papers yet."
NO_PAPER = "There is no such paper."

OrderOf = Annotated[Order | None, Query(description="[trending, if anything does]")]
Category = Annotated[
    str,
    Query(
        max_length=lists.LONGEST_CATEGORY, pattern=NO_CONTROL, description="Those of one category."
    ),
]


class PaperInBrief(Told):
    """A paper in a list."""

    id: str = Field(examples=["2604.00001"])
    title: str
    excerpt: str = Field(description="The beginning of its abstract.")
    authors: list[str]
    categories: list[str] = Field(examples=[["cs.LG", "stat.ML"]])
    announced: date
    address: str = Field(description="Where it is read.")
    counts: list[str] = Field(description="Why it trends, in words.")


class PaperList(Told):
    """A page of the papers of a day, a week or a month."""

    period: str = Field(description="Its name.", examples=["2026-04-07", "2026-W15", "2026-04"])
    first: date
    last: date
    order: Order
    total: int
    page: int
    pages: int
    earlier: str | None = Field(description="The period with papers before.")
    later: str | None = Field(description="The period with papers after.")
    papers: list[PaperInBrief]


class TrendingList(Told):
    """A page of what trends among the papers of some days, the most first."""

    window: Span
    first: date
    last: date
    page: int
    pages: int
    papers: list[PaperInBrief]


class Place(Told):
    """Where a paper, or what is said of it, can be read."""

    label: str
    address: str
    note: str


class Telling(Told):
    """What a source told of a paper: that it is there, or that a new version replaced it."""

    source: str
    version: int | None
    day: date
    replaced: bool


class Paper(Told):
    """A paper."""

    id: str = Field(examples=["2604.00001"])
    title: str
    abstract: str
    authors: list[str]
    categories: list[str]
    comment: str
    announced: date
    address: str = Field(description="Where it is read.")
    votes: int = Field(description="How many readers voted it up; 0 for fewer than three.")


class WholePaper(Paper):
    """A paper, and where it is from."""

    places: list[Place]
    told: list[Telling]


class Neighbour(Told):
    """A paper, in short."""

    id: str
    title: str
    authors: list[str] = Field(description="The first of them.")
    author_count: int
    announced: date


class Around(Told):
    """What is around a paper."""

    papers: list[Neighbour] = Field(description="Those most like it, the best first.")
    versions: list[Neighbour] = Field(description="The same work under other ids.")


class Asked:
    """Which part of a list is asked for."""

    def __init__(
        self, order: OrderOf = None, category: Category = "", page: PageNumber = 1
    ) -> None:
        self.order, self.category, self.page = order, category, page


Part = Annotated[Asked, Depends()]


@router.get("/days/newest", responses=refusals(404))
def newest_day(here: Here, part: Part) -> PaperList:
    """The newest day that has papers, thirty of them to a page."""
    newest = browse.newest_day(here)
    if newest is None:
        raise HTTPException(404, NO_PAPERS)
    return _list(here, periods.around(Span.DAY, newest), part)


@router.get("/days/{day}", responses=refusals(404))
def one_day(
    here: Here, day: Annotated[Day, Path(description="An announcement day.")], part: Part
) -> PaperList:
    """The papers of one day; there may be none."""
    return _list(here, periods.around(Span.DAY, day), part)


@router.get("/weeks/{week}", responses=refusals(404))
def one_week(
    here: Here,
    week: Annotated[str, Path(pattern=r"^[0-9]{4}-W[0-9]{2}$", examples=["2026-W15"])],
    part: Part,
) -> PaperList:
    """The papers of one ISO week."""
    return _list(here, _period(Span.WEEK, week), part)


@router.get("/months/{month}", responses=refusals(404))
def one_month(
    here: Here,
    month: Annotated[str, Path(pattern=r"^[0-9]{4}-[0-9]{2}$", examples=["2026-04"])],
    part: Part,
) -> PaperList:
    """The papers of one month."""
    return _list(here, _period(Span.MONTH, month), part)


def _period(span: Span, name: str) -> Period:
    found = periods.named(span, name)
    if found is None:
        raise HTTPException(404, f"There is no {span} {name}.")
    return found


def _list(here: Here, period: Period, part: Asked) -> PaperList:
    found: ListView = lists.papers_of(
        here, period, order=part.order, category=part.category, page=part.page
    )
    if found.page > found.pages:
        raise HTTPException(404, NO_PAGE)
    return PaperList(
        period=period.name,
        first=period.first,
        last=period.last,
        order=found.order,
        total=found.total,
        page=found.page,
        pages=found.pages,
        earlier=None if found.earlier is None else found.earlier.name,
        later=None if found.later is None else found.later.name,
        papers=[in_brief(one.paper, one.counts) for one in found.papers],
    )


def in_brief(paper: PaperView, counts: Sequence[str] = ()) -> PaperInBrief:
    """A paper as lists have it."""
    return PaperInBrief(
        id=paper.id,
        title=paper.title,
        excerpt=paper.abstract,
        authors=list(paper.authors),
        categories=list(paper.categories),
        announced=paper.announced,
        address=paper.address,
        counts=list(counts),
    )


@router.get("/trending", responses=refusals(404))
def what_trends(
    here: Here,
    window: Annotated[Span, Query(description="How far back.")] = Span.WEEK,
    page: PageNumber = 1,
) -> TrendingList:
    """The papers of the last day, week or month that trend, thirty to a page."""
    found = lists.trending(here, window, page)
    if found is None:
        raise HTTPException(404, NO_PAPERS)
    if found.page > found.pages:
        raise HTTPException(404, NO_PAGE)
    return TrendingList(
        window=found.window,
        first=found.first,
        last=found.last,
        page=found.page,
        pages=found.pages,
        papers=[in_brief(one.paper, one.counts) for one in found.papers],
    )


@router.get("/papers/{paper_id:path}", responses=refusals(404))
def one_paper(here: Here, paper_id: PaperId) -> WholePaper:
    """A paper, by its id or any name it was met under."""
    found = browse.page(here, paper_id)
    if found is None:
        raise HTTPException(404, NO_PAPER)
    return WholePaper(
        **told(Paper, found.paper).model_dump(),
        places=[told(Place, one) for one in found.origins.places],
        told=[told(Telling, one) for one in found.origins.told],
    )


@router.get("/bibtex/{paper_id:path}", response_class=Bibtex, responses=refusals(404))
def paper_as_bibtex(here: Here, paper_id: PaperId) -> Response:
    """A paper as BibTeX."""
    found = browse.citation(here, paper_id)
    if found is None:
        raise HTTPException(404, NO_PAPER)
    return Bibtex(found)


@router.get("/similar/{paper_id:path}", responses=refusals(404))
def similar_papers(here: Here, paper_id: PaperId) -> Around:
    """The papers most like a paper, and its other versions; none before a model is trained."""
    found = browse.paper(here, paper_id)
    if found is None:
        raise HTTPException(404, NO_PAPER)
    return told(Around, similar.similar(here, found.id))
