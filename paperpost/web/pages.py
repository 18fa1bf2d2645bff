"""Browsing: days of papers, what trends, and a paper."""

from datetime import date

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from paperpost.service import browse, silence, similar
from paperpost.service.trending import Window, trending
from paperpost.web.render import READ, Here, Site

router = APIRouter()


@router.api_route("/", methods=READ)
def newest_day(site: Here, page: str = "1") -> HTMLResponse:
    """The newest day that has papers, with the subscribe form."""
    newest = browse.newest_day(site.installation)
    if newest is None:
        return _empty(site)
    return _day(site, newest, page, silence.since(site.installation, newest))


@router.api_route("/day/{text}", methods=READ)
def day(site: Here, text: str, page: str = "1") -> HTMLResponse:
    """The papers of one announcement day."""
    wanted = _date(text)
    return _day(site, wanted, page, silence.of_day(site.installation, wanted))


def _empty(site: Site) -> HTMLResponse:
    missing = silence.since(site.installation, None)
    return site.page("empty.html", missing=missing, email="", keywords="", problem="")


def _day(site: Site, wanted: date, page: str, missing: str) -> HTMLResponse:
    shown = browse.day(site.installation, wanted, _page_number(page))
    if shown.page > shown.pages:
        raise HTTPException(404)
    return site.page("day.html", shown=shown, missing=missing, email="", keywords="", problem="")


@router.api_route("/trending", methods=READ)
def what_trends(site: Here, window: str = "week", page: str = "1") -> HTMLResponse:
    """The papers of the last day, week or month that trend."""
    if window not in list(Window):
        raise HTTPException(404)
    shown = trending(site.installation, Window(window), _page_number(page))
    if shown is None:
        return _empty(site)
    if shown.page > shown.pages:
        raise HTTPException(404)
    return site.page("trending.html", shown=shown, windows=list(Window))


def _date(text: str) -> date:
    """A date in its one spelling here: Python reads others too (20260401, 2026-W14-3)."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise HTTPException(404) from None
    if found.isoformat() != text:
        raise HTTPException(404)
    return found


def _page_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) > 0):
        raise HTTPException(404)
    return int(text)


@router.api_route("/paper/{name:path}", methods=READ)
def paper(site: Here, name: str) -> HTMLResponse:
    """One paper, by its id or any name it was met under."""
    # PostgreSQL takes no NUL in a text.
    found = None if "\0" in name else browse.paper(site.installation, name)
    if found is None:
        return site.notice(404, "No such paper", "No paper with that id is stored here.")
    around = similar.similar(site.installation, found.id)
    return site.page("paper.html", paper=found, around=around)
