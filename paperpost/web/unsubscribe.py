"""Leaving: a page with a button, and the one-click address of RFC 8058."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from paperpost.service import leaving
from paperpost.service.leaving import Leaving
from paperpost.web.forms import Posted
from paperpost.web.render import READ, Here, Site

router = APIRouter()


@router.api_route("/unsubscribe/{token}", methods=READ)
@router.api_route("/unsubscribe/{token}/", methods=READ)
def unsubscribe_form(site: Here, token: str) -> HTMLResponse:
    """The button that unsubscribes."""
    subscribed = leaving.is_subscribed(site.installation, token)
    # The way back is offered after the act alone: what opens pages and submits their forms
    # must not subscribe anybody again.
    return _page(site, token, Leaving(subscribed=subscribed))


@router.post("/unsubscribe/{token}")
@router.post("/unsubscribe/{token}/")
def unsubscribe(site: Here, token: str, posted: Posted) -> HTMLResponse:
    """Unsubscribe at once, whatever was posted, or undo it.

    RFC 8058, section 3.1: neither a redirect nor a question; an answer other than 200 would
    make mail programs say that leaving failed. Only our own page's button, known by its hidden
    field, may turn out to have been pressed by a program.
    """
    if posted.get("undo") == "1":
        back = leaving.come_back(site.installation, token)
        return site.page("welcome_back.html", back=back, email="", keywords="", problem="")
    by_button = "pressed" in posted and "List-Unsubscribe" not in posted
    act = leaving.press_leave if by_button else leaving.leave
    return _page(site, token, act(site.installation, token))


def _page(site: Site, token: str, state: Leaving) -> HTMLResponse:
    return site.page("unsubscribe.html", token=token, leaving=state)
