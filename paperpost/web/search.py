"""Search by words and by meaning; what was searched for becomes an interest by one button."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from paperpost.service import search
from paperpost.service.lists import LONGEST_CATEGORY
from paperpost.service.search import Found, FoundBy, Order
from paperpost.service.wishes import InvalidWish
from paperpost.web.forms import Posted
from paperpost.web.parameters import page_number, typed_date
from paperpost.web.render import READ, Here, Site
from paperpost.web.site_votes import ballots

router = APIRouter()

FIELDS = ("q", "order", "category", "since", "until")
FOUND_BY = {
    FoundBy.NAME: "has this id",
    FoundBy.WORDS: "has your words",
    FoundBy.SOME_WORDS: "has some of your words",
    FoundBy.MEANING: "near in meaning",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for, as it was typed; a field that is not there is empty."""

    typed: Mapping[str, str]
    page: int = 1

    @property
    def order(self) -> Order:
        """By relevance, unless another order is named."""
        return Order.NEWEST if self.typed["order"] == Order.NEWEST else Order.RELEVANCE

    def address(self, root: str, page: int = 1, order: str = "") -> str:
        """Of this search, in another order or on another page."""
        asked = {**self.typed, "order": order or self.typed["order"]}
        asked["page"] = str(page) if page > 1 else ""
        return f"{root}/search?{urlencode({k: v for k, v in asked.items() if v})}"


def _wanted(request: Request) -> Wanted:
    query = request.query_params
    if query.get("order", "") not in ("", *Order):
        raise HTTPException(404)
    return Wanted(
        {name: query.get(name, "") for name in FIELDS}, page_number(query.get("page", "1"))
    )


@router.api_route("/search", methods=READ)
def search_page(
    site: Here, request: Request, wanted: Annotated[Wanted, Depends(_wanted)]
) -> HTMLResponse:
    """Papers that have the words, or are near to them in meaning."""
    return _page(site, request, wanted)


def _page(site: Site, request: Request, wanted: Wanted) -> HTMLResponse:
    found, problem = None, ""
    try:
        found = _found(site, wanted)
    except InvalidWish as error:
        problem = str(error)
    if found is not None and found.page > found.pages:
        raise HTTPException(404)
    hits = found.hits if found else ()
    return site.page(
        "search.html",
        status=400 if problem else 200,
        typed=wanted.typed,
        found=found,
        listed=[(hit.paper, [FOUND_BY[how] for how in hit.found_by]) for hit in hits],
        where=partial(wanted.address, site.root),
        first=search.PAGE_SIZE * (wanted.page - 1) + 1,
        longest=search.LONGEST,
        longest_category=LONGEST_CATEGORY,
        ballots=ballots(site, request, [hit.paper for hit in hits]),
        problem=problem,
    )


@router.post("/search/follow")
def follow(site: Here, posted: Posted) -> HTMLResponse:
    """Make what was searched for an interest of the visitor, and tell what was done."""
    if site.visitor is None:
        text = "Interests are changed by your own link: follow one, or subscribe."
        return site.notice(403, "You are not signed in", text)
    wanted = Wanted({name: posted.get(name, "") for name in FIELDS})
    added: tuple[str, ...] = ()
    problem = ""
    try:
        added = search.follow(site.installation, site.visitor.number, wanted.typed["q"])
    except InvalidWish as error:
        problem = str(error)
    return site.page(
        "followed.html",
        status=400 if problem else 200,
        added=added,
        back=wanted.address(site.root),
        problem=problem,
    )


def _found(site: Site, wanted: Wanted) -> Found | None:
    """None where nothing is searched for. Raises InvalidWish for what is no date, or can find
    nothing."""
    if not wanted.typed["q"].strip():
        return None
    since, until = (_day(wanted.typed[name].strip()) for name in ("since", "until"))
    search.check(wanted.typed["q"], since, until)
    return search.search(
        site.installation,
        wanted.typed["q"],
        order=wanted.order,
        category=wanted.typed["category"].strip(),
        since=since,
        until=until,
        page=wanted.page,
    )


def _day(text: str) -> date | None:
    try:
        return typed_date(text) if text else None
    except ValueError:
        raise InvalidWish(f"not a day: {text[:20]!r} (write it like 2026-04-01)") from None
