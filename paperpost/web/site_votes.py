"""Votes on the pages themselves, by a visitor who is signed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from paperpost.service.browse import PaperView
from paperpost.service.marks import Mark, cast_on_site, marks
from paperpost.service.vote import VALUES
from paperpost.web.forms import Posted
from paperpost.web.redirects import own_path
from paperpost.web.render import Here, Site

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Ballots:
    """What a page needs for the buttons of its papers: where they lead back to, and how the
    visitor's votes stand, by number of the paper."""

    back: str
    marks: Mapping[int, Mark]


def ballots(site: Site, request: Request, shown: Sequence[PaperView]) -> Ballots | None:
    """The buttons of these papers on the page that was asked for; None for somebody who is not
    signed in."""
    if site.visitor is None:
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    back = f"{site.root}{quote(request.scope['path'], safe='/:')}{query}"
    return Ballots(back, marks(site.installation, site.visitor.number, shown))


@router.post("/vote")
def cast(site: Here, request: Request, posted: Posted) -> Response:
    """Record a vote and go back to the page; a script is told how it stands instead."""
    if site.visitor is None:
        return site.notice(403, "You are not signed in", "Votes are by your own link: follow one.")
    value, paper = posted.get("value", ""), posted.get("paper", "")
    if value not in VALUES or "\0" in paper:
        return site.notice(400, "That is no vote", "A vote is for more like it, for less, or none.")
    standing = cast_on_site(site.installation, site.visitor.number, paper, value)
    if request.headers.get("accept") == "application/json":
        return JSONResponse({"paper": paper, "value": standing})
    return RedirectResponse(own_path(posted.get("back", ""), site.root), 303)
