"""Subscribing, with a preview of what one's interests bring; confirming; one's own link again.

The answers to a known and an unknown address are the same: only a mailbox tells them apart.
"""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from paperpost.service import calendar, confirm, links, subscribe, wishes
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.live_preview import LivePreview, preview
from paperpost.service.mentions import MOST_ON_A_PAGE, unmentioned
from paperpost.service.turns import SECONDS_TO_WAIT, TooBusy
from paperpost.service.wishes import InvalidWish, Wishes
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind, Subscriber
from paperpost.web.forms import Posted, labelled
from paperpost.web.guards.limits import client_of
from paperpost.web.render import READ, Here, Site

router = APIRouter()

LISTS = {"keyword": "keywords", "author": "authors", "category": "categories", "muted": "muted"}
LABELS = {
    InterestKind.KEYWORD: "Keywords",
    InterestKind.AUTHOR: "Authors",
    InterestKind.CATEGORY: "Categories",
    InterestKind.MUTED: "Muted",
}
# Without any of these, nothing is known yet of what somebody reads.
SOUGHT = (InterestKind.KEYWORD, InterestKind.AUTHOR, InterestKind.CATEGORY)
SCHEDULE = ("timezone", "hour", "frequency")
# A field that no person sees, so that only a program fills it.
TRAP = "reference"


@router.api_route("/subscribe", methods=READ)
def subscribe_form(site: Here, request: Request) -> HTMLResponse:
    """The subscribe form; a link may fill in interests (`?keywords=…`), never an address."""
    query = {name: request.query_params.get(name, "") for name in LISTS.values()}
    return _form(site, query)


@router.post("/subscribe/preview")
def preview_form(site: Here, posted: Posted) -> HTMLResponse:
    """The form again, with what its interests would bring; a button of a paper there adds or mutes
    one more. Changes nothing."""
    try:
        return _form(site, _with_handle(posted), shows=True)
    except InvalidWish as error:
        return _form(site, posted, problem=labelled(error))


@router.post("/subscribe")
def subscribe_by_form(site: Here, request: Request, posted: Posted) -> HTMLResponse:
    """Take a subscription; what it leads to is told by mail."""
    email = posted.get("email", "")
    try:
        wanted = _wanted(posted)
        if posted.get(TRAP):
            wishes.address(email)  # a program's is answered alike, and not kept
        else:
            subscribe.by_form(site.installation, email, wanted, client=client_of(request.scope))
    except InvalidWish as error:
        return _form(site, posted, problem=labelled(error))
    # Told from what was typed alone, and so the same for every address.
    unknown = unmentioned(site.installation, wanted.interests(), MOST_ON_A_PAGE)
    is_open = not any(v for kind, v in wanted.interests().items() if kind in SOUGHT)
    return site.page("mailed.html", email=email.strip(), unknown=unknown, is_open=is_open)


def _wanted(posted: Mapping[str, str]) -> Wishes:
    """What a form asks for. A list that is empty is left as it is: as an earlier try had it."""
    lists = {name: posted.get(name, "") for name in LISTS.values()}
    asked = {name: text for name, text in lists.items() if text.strip()}
    return wishes.checked(asked | {name: posted.get(name) for name in SCHEDULE})


def _with_handle(posted: Mapping[str, str]) -> dict[str, str]:
    """What was typed, changed by the button of a paper that was pressed, if one was: `add` says
    the kind of interest and its value, `mute` the value."""
    kind, _, value = posted.get("add", "").partition(":")
    if value and kind in LISTS:
        return dict(posted) | _added(posted, LISTS[kind], value)
    if posted.get("mute"):
        return dict(posted) | _added(posted, LISTS["muted"], posted["mute"])
    return dict(posted)


def _added(posted: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    terms = wishes.terms([*(wishes.terms(posted.get(name, "")) or ()), value]) or ()
    return {name: ", ".join(terms)}


def _form(
    site: Site, typed: Mapping[str, str], *, shows: bool = False, problem: str = ""
) -> HTMLResponse:
    """The form with what was typed, and the preview if there are interests or it was asked for;
    where it cannot be had just now, nothing that was typed is lost."""
    values = {name: typed.get(name, "") for name in ("email", *LISTS.values(), *SCHEDULE)}
    seen, is_busy = None, False
    if shows or any(values[name].strip() for name in LISTS.values()):
        try:
            seen = _preview(site.installation, values)
        except InvalidWish as error:
            problem = problem or str(error)
        except TooBusy as error:
            is_busy, problem = not problem, problem or str(error)
    page = site.page(
        "subscribe.html",
        status=503 if is_busy else 400 if problem else 200,
        values=values,
        frequencies=calendar.FREQUENCIES,
        preview=seen,
        problem=problem,
        trap=TRAP,
    )
    if is_busy:
        page.headers["Retry-After"] = SECONDS_TO_WAIT
    return page


def _preview(installation: Installation, values: Mapping[str, str]) -> LivePreview:
    return preview(installation, wishes.checked({name: values[name] for name in LISTS.values()}))


@router.api_route("/confirm/{token}", methods=READ)
@router.api_route("/confirm/{token}/", methods=READ)
def confirm_form(site: Here, token: str) -> HTMLResponse:
    """The button that confirms."""
    person, asked = confirm.awaiting(site.installation, token)
    return _confirm_page(site, token, person, asked=asked)


@router.post("/confirm/{token}")
@router.post("/confirm/{token}/")
def confirm_by_button(site: Here, token: str) -> HTMLResponse:
    """Make the subscription active."""
    person = confirm.confirm(site.installation, token)
    return _confirm_page(site, token, person)


def _confirm_page(
    site: Site,
    token: str,
    person: Subscriber,
    *,
    asked: Mapping[InterestKind, Sequence[str]] | None = None,
) -> HTMLResponse:
    """The page before its button is pressed, with what was `asked` for, or after it."""
    here = site.installation
    own = links.token(here.signer, Purpose.PREFERENCES, here.clock(), id_of(person))
    named = [(label, asked[kind]) for kind, label in LABELS.items() if asked and kind in asked]
    done = asked is None
    return site.page("confirm.html", token=token, person=person, named=named, done=done, own=own)


@router.api_route("/link", methods=READ)
def link_form(site: Here) -> HTMLResponse:
    """The form that asks for one's own link."""
    return site.page("link.html", email="", problem="")


@router.post("/link")
def mail_link(site: Here, request: Request, posted: Posted) -> HTMLResponse:
    """Mail a fresh link, if the address is a subscriber's."""
    email, client = posted.get("email", ""), client_of(request.scope)
    try:
        subscribe.mail_access_link_by_form(site.installation, email, client=client)
    except InvalidWish as error:
        return site.page("link.html", status=400, email=email, problem=str(error))
    return site.page("link_mailed.html", email=email.strip())
