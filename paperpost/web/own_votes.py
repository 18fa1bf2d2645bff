"""A subscriber's votes: those that hold, with a way back, and those that do not count."""

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from paperpost.errors import PaperpostError
from paperpost.service import own_votes
from paperpost.service.own_votes import NothingToTakeBack
from paperpost.service.uncounted import NothingIgnored, NothingTicked
from paperpost.service.vote import VALUES
from paperpost.service.wishes import InvalidWish
from paperpost.web.forms import MINE, TAKE_BACK, Posted, ticked
from paperpost.web.own import OWN, Mine, Own
from paperpost.web.parameters import page_number
from paperpost.web.render import READ

router = APIRouter()

FILTERS = {"": "All", "up": "More like this", "down": "Less like this"}
# Where a vote was cast, as its `origin` names it.
PLACES = {
    "link": "by mail",
    "restored": "by mail, as you confirmed",
    "site": "on the site",
    "library": "from your library",
    "rating": "when you rated papers",
    "command": "by whoever runs this",
    "api": "by a program of yours",
}


@router.api_route(f"{OWN}/votes", methods=READ)
def page(mine: Mine, only: str = "", page: str = "1") -> HTMLResponse:
    """Votes that hold, newest first; `only` up or down ones."""
    return _page(mine, _filter(only), page_number(page))


@router.post(f"{OWN}/votes")
def act(mine: Mine, posted: Posted, only: str = "", page: str = "1") -> HTMLResponse:
    """Take votes back, undo that, or say that ignored ones were one's own."""
    shown = _filter(only), page_number(page)
    taken: Mapping[int, str] = {}
    done = ""
    try:
        match posted.get("action", ""):
            case "take-back":
                chosen = ticked(posted, TAKE_BACK)
                taken = own_votes.take_back(mine.site.installation, mine.number, chosen)
            case "put-back":
                done = _put_back(mine, ticked(posted, TAKE_BACK))
            case "restore":
                own_votes.restore(mine.site.installation, mine.number, ticked(posted))
                done = "They count now."
            case _:
                raise InvalidWish("the form did not say what to do")
    except (InvalidWish, NothingIgnored, NothingTicked, NothingToTakeBack) as error:
        return _page(mine, *shown, problem=error)
    return _page(mine, *shown, taken=taken, done=done)


def _put_back(mine: Own, numbers: list[str]) -> str:
    back = own_votes.put_back(mine.site.installation, mine.number, numbers)
    return f"{back} vote{'s' if back != 1 else ''} put back."


def _filter(only: str) -> str:
    if only not in FILTERS:
        raise HTTPException(404)
    return only


def _page(
    mine: Own,
    only: str,
    number: int,
    *,
    taken: Mapping[int, str] | None = None,
    done: str = "",
    problem: PaperpostError | None = None,
) -> HTMLResponse:
    value = VALUES[only] if only else None
    shown = own_votes.show(mine.site.installation, mine.number, value, number)
    if number > shown.pages and taken:  # the last vote of the last page was taken back
        shown = own_votes.show(mine.site.installation, mine.number, value, shown.pages)
    elif number > shown.pages:
        raise HTTPException(404)
    return mine.page(
        "votes.html",
        status=400 if problem else 200,
        tab="/votes",
        shown=shown,
        only=only,
        filters=FILTERS,
        places=PLACES,
        taken=taken or {},
        done=done,
        problem=str(problem or ""),
        mine=MINE,
        take_back=TAKE_BACK,
        now=mine.site.installation.clock(),
    )
