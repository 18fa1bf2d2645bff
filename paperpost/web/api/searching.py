"""Search over everything that is stored."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import Field

from paperpost.service.search import LONGEST, FoundBy, Order, search
from paperpost.web.api.bearer import Here
from paperpost.web.api.document import refusals
from paperpost.web.api.limits import NO_CONTROL, Day, PageNumber, Told
from paperpost.web.api.papers import NO_PAGE, Category, PaperInBrief, in_brief

router = APIRouter(tags=["papers"])

Typed = Annotated[
    str,
    Query(
        min_length=1,
        max_length=LONGEST,
        pattern=NO_CONTROL,
        description="Words; in quotes they have to stand side by side, with a minus not at all.",
        examples=["graph neural networks", '"speech recognition" -audio'],
    ),
]
Since = Annotated[Day | None, Query(description="Announced on that day or later.")]
Until = Annotated[Day | None, Query(description="Announced on that day or before.")]


class Hit(Told):
    """A paper that was found."""

    paper: PaperInBrief
    found_by: list[FoundBy] = Field(description="What of it fits.")


class Found(Told):
    """A page of what was found, the best first."""

    with_words: int = Field(description="All papers that have all the words.")
    by_meaning: bool = Field(description="Whether the meaning of the words is known.")
    total: int
    page: int
    pages: int
    hits: list[Hit]


@router.get("/search", responses=refusals(404))
def search_papers(
    here: Here,
    q: Typed,
    order: Order = Order.RELEVANCE,
    category: Category = "",
    since: Since = None,
    until: Until = None,
    page: PageNumber = 1,
) -> Found:
    """Papers that have the words, or are near to them in meaning; twenty to a page."""
    found = search(here, q, order=order, category=category, since=since, until=until, page=page)
    if page > found.pages:
        raise HTTPException(404, NO_PAGE)
    return Found(
        with_words=found.with_words,
        by_meaning=found.by_meaning,
        total=found.total,
        page=found.page,
        pages=found.pages,
        hits=[Hit(paper=in_brief(one.paper), found_by=list(one.found_by)) for one in found.hits],
    )
