"""Subscribing, confirming, and getting one's own link again.

The answers to a known and an unknown address are the same: only a mailbox tells them apart.
"""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from paperpost.service import subscribe, wishes
from paperpost.service.mentions import MOST_ON_A_PAGE, unmentioned
from paperpost.service.wishes import InvalidWish
from paperpost.web.forms import Posted
from paperpost.web.render import READ, Here

router = APIRouter()


@router.api_route("/subscribe", methods=READ)
def subscribe_form(site: Here) -> HTMLResponse:
    """The subscribe form."""
    return site.page("subscribe.html", email="", keywords="", problem="")


@router.post("/subscribe")
def subscribe_by_form(site: Here, posted: Posted) -> HTMLResponse:
    """Take a subscription; what it leads to is told by mail."""
    email, keywords = posted.get("email", ""), posted.get("keywords", "")
    try:
        # No keywords in the form: those of an earlier try stay.
        wanted = wishes.checked({"keywords": keywords if keywords.strip() else None})
        subscribe.by_form(site.installation, email, wanted)
    except InvalidWish as error:
        return site.page(
            "subscribe.html", status=400, email=email, keywords=keywords, problem=str(error)
        )
    # Told from what was typed alone, and so the same for every address.
    unknown = unmentioned(site.installation, wanted.interests(), MOST_ON_A_PAGE)
    return site.page("mailed.html", email=email.strip(), unknown=unknown)


@router.api_route("/confirm/{token}", methods=READ)
@router.api_route("/confirm/{token}/", methods=READ)
def confirm_form(site: Here, token: str) -> HTMLResponse:
    """The button that confirms."""
    person = subscribe.awaiting(site.installation, token)
    return site.page("confirm.html", token=token, person=person, done=False)


@router.post("/confirm/{token}")
@router.post("/confirm/{token}/")
def confirm(site: Here, token: str) -> HTMLResponse:
    """Make the subscription active."""
    person = subscribe.confirm(site.installation, token)
    return site.page("confirm.html", token=token, person=person, done=True)


@router.api_route("/link", methods=READ)
def link_form(site: Here) -> HTMLResponse:
    """The form that asks for one's own link."""
    return site.page("link.html", email="", problem="")


@router.post("/link")
def mail_link(site: Here, posted: Posted) -> HTMLResponse:
    """Mail a fresh link, if the address is a subscriber's."""
    email = posted.get("email", "")
    try:
        subscribe.mail_access_link(site.installation, email)
    except InvalidWish as error:
        return site.page("link.html", status=400, email=email, problem=str(error))
    return site.page("link_mailed.html", email=email.strip())
