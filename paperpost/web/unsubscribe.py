"""Leaving: a page with a button, and the one-click address of RFC 8058."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from paperpost.service import account
from paperpost.service.presses import TooSoon, stamp
from paperpost.web.forms import Posted
from paperpost.web.render import READ, Here, Site

router = APIRouter()


@router.api_route("/unsubscribe/{token}", methods=READ)
@router.api_route("/unsubscribe/{token}/", methods=READ)
def unsubscribe_form(site: Here, token: str) -> HTMLResponse:
    """The button that unsubscribes."""
    subscribed = account.is_subscribed(site.installation, token)
    # The way back is offered after the act alone: what opens pages and submits their forms
    # must not subscribe anybody again.
    return _page(site, token, subscribed=subscribed)


@router.post("/unsubscribe/{token}")
@router.post("/unsubscribe/{token}/")
def unsubscribe(site: Here, token: str, posted: Posted) -> HTMLResponse:
    """Unsubscribe at once, whatever was posted, or undo it.

    RFC 8058, section 3.1: neither a redirect nor a question; an answer other than 200 would
    make mail programs say that leaving failed. Only our own page's button, which says when its
    page was opened, asks once more when a program seems to have pressed it.
    """
    if posted.get("undo") == "1":
        back = account.come_back(site.installation, token)
        return site.page("welcome_back.html", back=back, email="", keywords="", problem="")
    opened = None if "List-Unsubscribe" in posted else posted.get("opened")
    try:
        may_undo = account.leave(site.installation, token, opened)
    except TooSoon as error:
        return _page(site, token, subscribed=True, problem=str(error), opened=error.opened)
    return _page(site, token, subscribed=False, may_undo=may_undo)


def _page(
    site: Site,
    token: str,
    *,
    subscribed: bool,
    may_undo: bool = False,
    problem: str = "",
    opened: str | None = None,
) -> HTMLResponse:
    return site.page(
        "unsubscribe.html",
        token=token,
        subscribed=subscribed,
        may_undo=may_undo,
        problem=problem,
        opened=opened or stamp(site.installation.clock()),
    )
