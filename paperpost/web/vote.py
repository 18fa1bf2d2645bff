"""The thumbs of a digest: a link shows the paper, its buttons vote."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from paperpost.service import vote
from paperpost.service.uncounted import NothingIgnored, NothingTicked
from paperpost.service.vote import VotePage
from paperpost.web.forms import MINE, Posted, ticked
from paperpost.web.guards.headers import WITH_OUR_SCRIPT
from paperpost.web.render import READ, Here, Site

router = APIRouter()


@router.api_route("/vote/{token}", methods=READ)
@router.api_route("/vote/{token}/", methods=READ)
def vote_form(site: Here, token: str) -> HTMLResponse:
    """The paper, and the buttons; the first one is what the link stands for."""
    shown = vote.show(site.installation, token)
    page = _page(site, token, shown, votes_itself=shown.votes_itself)
    if shown.votes_itself:
        page.headers["Content-Security-Policy"] = WITH_OUR_SCRIPT
    return page


@router.post("/vote/{token}")
@router.post("/vote/{token}/")
def cast(site: Here, token: str, posted: Posted) -> HTMLResponse:
    """Record the vote that was posted, and say how it stands."""
    if posted.get("action") == "restore":
        return _restore(site, token, ticked(posted))
    value = posted.get("value", "")
    if value not in vote.VALUES:
        shown = vote.show(site.installation, token)
        return _page(site, token, shown, status=400)
    shown = vote.cast_by_link(site.installation, token, value)
    return _page(site, token, shown, just_cast=True)


def _restore(site: Site, token: str, mine: list[str]) -> HTMLResponse:
    """Have ignored votes count after all, and say how they stand."""
    try:
        shown = vote.restore_by_link(site.installation, token, mine)
    except (NothingTicked, NothingIgnored) as error:
        still = vote.show(site.installation, token)
        return _page(site, token, still, status=400, problem=str(error))
    return _page(site, token, shown, just_cast=True)


def _page(
    site: Site,
    token: str,
    shown: VotePage,
    *,
    just_cast: bool = False,
    votes_itself: bool = False,
    status: int = 200,
    problem: str = "",
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
        votes_itself=votes_itself,
        problem=problem,
        mine=MINE,
        now=site.installation.clock(),
    )
