"""The thumbs of a digest: a link shows the paper, its buttons vote."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from paperpost.service import vote
from paperpost.service.vote import VotePage
from paperpost.web.forms import Posted
from paperpost.web.render import READ, Here, Site

router = APIRouter()


@router.api_route("/vote/{token}", methods=READ)
def vote_form(site: Here, token: str) -> HTMLResponse:
    """The paper, and the buttons; the first one is what the link stands for."""
    return _page(site, token, vote.show(site.installation, token), just_cast=False)


@router.post("/vote/{token}")
def cast(site: Here, token: str, posted: Posted) -> HTMLResponse:
    """Record the vote that was posted, and say how it stands."""
    value = posted.get("value", "")
    if value not in vote.VALUES:
        shown = vote.show(site.installation, token)
        return _page(site, token, shown, just_cast=False, status=400)
    shown = vote.cast_by_link(site.installation, token, value)
    return _page(site, token, shown, just_cast=True)


def _page(
    site: Site, token: str, shown: VotePage, *, just_cast: bool, status: int = 200
) -> HTMLResponse:
    # CONTRACT: the page's first form, posted as it stands, is the vote the link stands for.
    choices = ["up", "down"] if shown.wanted == "up" else ["down", "up"]
    return site.page(
        "vote.html",
        status=status,
        token=token,
        shown=shown,
        choices=choices,
        just_cast=just_cast,
        now=site.installation.clock(),
    )
