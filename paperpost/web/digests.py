"""A subscriber's past digests: a list, and each mail as it was mailed, in a frame of its own."""

import re

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from paperpost.service import past_digests
from paperpost.service.past_digests import PastMail
from paperpost.web.guards.headers import WITH_OUR_SCRIPT
from paperpost.web.own import OWN, Fresh, Mine, Own
from paperpost.web.parameters import date_of, page_number
from paperpost.web.render import READ

router = APIRouter()

WITH_A_FRAME = f"{WITH_OUR_SCRIPT}; frame-src 'self'"
# A mail's styles stand in it. Sandboxed by itself too, for whoever opens the frame's address.
IN_THE_FRAME = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
# What became of a mail, as its reader is told.
STATES = {
    "queued": "composed, not sent yet",
    "sending": "being sent",
    "unknown": "perhaps sent: the mail server did not answer",
    "sent": "sent",
    "failed": "not delivered",
    "expired": "not sent in time",
    "suppressed": "held back",
    "silent": "no mail",
}
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


@router.api_route(f"{OWN}/digests", methods=READ)
def past(mine: Mine, page: str = "1") -> HTMLResponse:
    """All digests, newest first."""
    number = page_number(page)
    shown = past_digests.show(mine.site.installation, mine.number, number)
    if number > shown.pages:
        raise HTTPException(404)
    zone = mine.person.timezone
    return mine.page("digests.html", tab="/digests", shown=shown, states=STATES, timezone=zone)


@router.api_route(f"{OWN}/digests/{{day}}", methods=READ)
def digest(mine: Mine, day: str) -> HTMLResponse:
    """One digest: what became of it, and its mail."""
    page = mine.page(
        "digest.html",
        tab="/digests",
        shown=_mail(mine, day),
        states=STATES,
        timezone=mine.person.timezone,
    )
    page.headers["Content-Security-Policy"] = WITH_A_FRAME
    return page


@router.api_route(f"{OWN}/digests/{{day}}/mail", methods=READ)
def mail(mine: Mine, day: str) -> HTMLResponse:
    """The mail's HTML, for the frame; its links open outside of it."""
    html = _mail(mine, day).html
    if not html:
        raise HTTPException(404)
    outside = _HEAD.sub(lambda head: f'{head[0]}<base target="_blank">', html, count=1)
    return HTMLResponse(outside, headers={"Content-Security-Policy": IN_THE_FRAME})


@router.api_route("/access/{token}/digests/{day}/mail.eml", methods=READ)
def message(mine: Fresh, day: str) -> Response:
    """The whole message as a file, which names an address: behind a fresh link alone."""
    shown = _mail(mine, day)
    if shown.data is None:
        raise HTTPException(404)
    name = f"paperpost-{shown.digest.local_date}.eml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(shown.data, media_type="message/rfc822", headers=headers)


def _mail(mine: Own, day: str) -> PastMail:
    shown = past_digests.mail(mine.site.installation, mine.person, date_of(day))
    if shown is None:
        raise HTTPException(404)
    return shown
