"""Browsing: days, weeks and months of papers, what trends, and a paper."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from paperpost.service import browse, lists, periods, silence, similar
from paperpost.service.lists import Order
from paperpost.service.periods import Period, Span
from paperpost.web.parameters import page_number
from paperpost.web.render import READ, Here, Site
from paperpost.web.site_votes import ballots

router = APIRouter()

# Some papers have thousands of authors, and a source may tell more of anything than a page can
# hold; what is longer than that, in letters, is cut.
MOST_AUTHORS = 100
MOST_CATEGORIES = 20
LONGEST_NAME = 100
LONGEST_COMMENT = 1_000
LONGEST_BIBTEX = 20_000  # a longer one comes as a file alone


class Wanted:
    """Which part of a list the address asks for."""

    def __init__(
        self, request: Request, order: str = "", category: str = "", page: str = "1"
    ) -> None:
        if order not in ("", *Order) or "\0" in category or len(category) > lists.LONGEST_CATEGORY:
            raise HTTPException(404)
        self.request = request
        self.order = Order(order) if order else None
        self.category = category
        self.page = page_number(page)


Asked = Annotated[Wanted, Depends()]


@router.api_route("/", methods=READ)
def newest_day(site: Here, wanted: Asked) -> HTMLResponse:
    """The newest day that has papers, with the subscribe form."""
    newest = browse.newest_day(site.installation)
    if newest is None:
        return _empty(site)
    period = periods.around(Span.DAY, newest)
    return _list(site, period, wanted, silence.since(site.installation, newest))


@router.api_route("/day/{name}", methods=READ)
def day(site: Here, name: str, wanted: Asked) -> HTMLResponse:
    """The papers of one announcement day."""
    period = _period(Span.DAY, name)
    return _list(site, period, wanted, silence.of_day(site.installation, period.first))


@router.api_route("/week/{name}", methods=READ)
def week(site: Here, name: str, wanted: Asked) -> HTMLResponse:
    """The papers of one ISO week."""
    return _list(site, _period(Span.WEEK, name), wanted)


@router.api_route("/month/{name}", methods=READ)
def month(site: Here, name: str, wanted: Asked) -> HTMLResponse:
    """The papers of one month."""
    return _list(site, _period(Span.MONTH, name), wanted)


def _empty(site: Site) -> HTMLResponse:
    missing = silence.since(site.installation, None)
    return site.page("empty.html", missing=missing)


def _period(span: Span, name: str) -> Period:
    found = periods.named(span, name)
    if found is None:
        raise HTTPException(404)
    return found


def _list(site: Site, period: Period, wanted: Wanted, missing: str = "") -> HTMLResponse:
    shown = lists.papers_of(
        site.installation,
        period,
        order=wanted.order,
        category=wanted.category,
        page=wanted.page,
    )
    if shown.page > shown.pages:
        raise HTTPException(404)
    return site.page(
        "list.html",
        shown=shown,
        spans=[periods.around(span, shown.newest) for span in Span],
        where=_Way(site.root, period, wanted),
        first=lists.PAGE_SIZE * (shown.page - 1) + 1,
        ballots=ballots(site, wanted.request, [one.paper for one in shown.papers]),
        missing=missing,
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """The address of a list like the one that was asked for: in another order, on another page."""

    root: str
    period: Period
    wanted: Wanted

    def __call__(
        self,
        *,
        period: Period | None = None,
        order: str | None = None,
        category: str | None = None,
        page: int = 1,
    ) -> str:
        asked = {
            "order": order or self.wanted.order or "",
            "category": self.wanted.category if category is None else category,
            "page": page if page > 1 else "",
        }
        told = {name: value for name, value in asked.items() if value}
        there = period or self.period
        return f"{self.root}/{there.span}/{there.name}{'?' if told else ''}{urlencode(told)}"


@router.api_route("/trending", methods=READ)
def what_trends(
    site: Here, request: Request, window: str = Span.WEEK, page: str = "1"
) -> HTMLResponse:
    """The papers of the last day, week or month that trend."""
    if window not in list(Span):
        raise HTTPException(404)
    shown = lists.trending(site.installation, Span(window), page_number(page))
    if shown is None:
        return _empty(site)
    if shown.page > shown.pages:
        raise HTTPException(404)
    papers = [one.paper for one in shown.papers]
    return site.page(
        "trending.html",
        shown=shown,
        windows=list(Span),
        where=partial(_trending_address, site.root, window),
        first=lists.PAGE_SIZE * (shown.page - 1) + 1,
        ballots=ballots(site, request, papers),
    )


def _trending_address(root: str, window: str, *, page: int) -> str:
    return f"{root}/trending?{urlencode({'window': window, 'page': page})}"


@router.api_route("/paper/{name:path}", methods=READ)
def paper(site: Here, request: Request, name: str) -> HTMLResponse:
    """One paper, by its id or any name it was met under."""
    found = browse.page(site.installation, name)
    if found is None:
        return _no_such_paper(site)
    return site.page(
        "paper.html",
        paper=found.paper,
        origins=found.origins,
        bibtex=found.bibtex,
        most_authors=MOST_AUTHORS,
        most_categories=MOST_CATEGORIES,
        longest_name=LONGEST_NAME,
        longest_comment=LONGEST_COMMENT,
        longest_bibtex=LONGEST_BIBTEX,
        around=similar.similar(site.installation, found.paper.id),
        ballots=ballots(site, request, [found.paper]),
    )


@router.api_route("/bibtex/{name:path}", methods=READ)
def citation(site: Here, name: str) -> Response:
    """One paper as a BibTeX file."""
    text = browse.citation(site.installation, name)
    if text is None:
        return _no_such_paper(site)
    headers = {"Content-Disposition": 'attachment; filename="paper.bib"'}
    return Response(text, media_type="text/x-bibtex; charset=utf-8", headers=headers)


def _no_such_paper(site: Site) -> HTMLResponse:
    return site.notice(404, "No such paper", "No paper with that id is stored here.")
