"""A subscriber's own pages: preferences by the link of any mail, export and deletion by a
fresh one."""

import json
from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from paperpost.service import account, wishes
from paperpost.service.account import Account
from paperpost.service.links import Purpose
from paperpost.service.mentions import MOST_ON_A_PAGE, unmentioned
from paperpost.service.uncounted import NothingIgnored, NothingTicked
from paperpost.service.wishes import InvalidWish
from paperpost.web.forms import MINE, Posted, ticked
from paperpost.web.own import masked
from paperpost.web.render import READ, Here, Site

router = APIRouter()

LISTS = {"keywords": "keyword", "authors": "author", "categories": "category", "muted": "muted"}
SCHEDULE = ("timezone", "hour", "size", "frequency")
SELECTION = ("threshold", "explore", "revisions", "quiet_note")


@router.api_route("/me/{token}", methods=READ)
@router.api_route("/me/{token}/", methods=READ)
def preferences(site: Here, token: str) -> HTMLResponse:
    """Preferences, behind the link of any mail."""
    return _show(site, token, Purpose.PREFERENCES)


@router.post("/me/{token}")
@router.post("/me/{token}/")
def change_preferences(site: Here, token: str, posted: Posted) -> HTMLResponse:
    """Save, pause, resume, or have a fresh link mailed."""
    return _act(site, token, Purpose.PREFERENCES, posted)


@router.api_route("/access/{token}", methods=READ)
@router.api_route("/access/{token}/", methods=READ)
def access(site: Here, token: str) -> HTMLResponse:
    """The same behind a fresh link, with export and deletion."""
    return _show(site, token, Purpose.ACCESS)


@router.post("/access/{token}")
@router.post("/access/{token}/")
def change_by_access(site: Here, token: str, posted: Posted) -> HTMLResponse:
    """Save, pause or resume."""
    return _act(site, token, Purpose.ACCESS, posted)


@router.api_route("/access/{token}/export", methods=READ)
def export(site: Here, token: str) -> Response:
    """Everything that is stored about the subscriber, as a file."""
    document = account.export_by_link(site.installation, token)
    return Response(
        json.dumps(document, ensure_ascii=False, indent=2),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="paperpost-export.json"'},
    )


@router.post("/access/{token}/delete")
def delete(site: Here, token: str, posted: Posted) -> HTMLResponse:
    """Delete everything, for good, if its box was ticked: programs submit forms as they are."""
    if posted.get("confirm") != "yes":
        shown = account.show(site.installation, token, Purpose.ACCESS)
        problem = "tick “Yes, delete everything” first, then press the button"
        return _page(site, token, Purpose.ACCESS, shown, problem=problem)
    account.delete_by_link(site.installation, token)
    text = "Your address, interests, votes and digests are no longer stored. Farewell!"
    return site.notice(200, "Everything is deleted", text)


def _show(site: Site, token: str, door: Purpose) -> HTMLResponse:
    return _page(site, token, door, account.show(site.installation, token, door))


def _act(site: Site, token: str, door: Purpose, posted: Mapping[str, str]) -> HTMLResponse:
    try:
        shown, done = _acted(site, token, door, posted)
    except (InvalidWish, NothingTicked, NothingIgnored) as error:
        shown = account.show(site.installation, token, door)
        return _page(site, token, door, shown, posted=posted, problem=str(error))
    return _page(site, token, door, shown, done=done)


def _acted(
    site: Site, token: str, door: Purpose, posted: Mapping[str, str]
) -> tuple[Account, list[str]]:
    """Do what a form's hidden `action` says: the account after it, and lines that tell."""
    here = site.installation
    match posted.get("action", ""):
        case "save":
            # A field that is missing, rather than empty, leaves what there is.
            fields = (*LISTS, *SCHEDULE, *SELECTION)
            wanted = wishes.checked({name: posted.get(name) for name in fields})
            shown = account.change(here, token, door, wanted)
            unknown = unmentioned(here, wanted.interests(), MOST_ON_A_PAGE)
            return shown, ["Saved.", *(one.sentence for one in unknown)]
        case "pause":
            if not posted.get("until", "").strip():
                raise InvalidWish("choose the day on which mail is to come again")
            return account.pause(here, token, door, posted["until"]), ["Paused."]
        case "resume":
            return account.pause(here, token, door, ""), ["Mail comes again."]
        case "mail-again":
            return account.mail_again(here, token, door), ["Mail comes again."]
        case "restore":
            return account.restore(here, token, door, ticked(posted)), ["They count now."]
        case "mail-link":
            shown, mailed = account.mail_link(here, token, door)
            if mailed:
                done = "A fresh link is on its way to your mailbox; it is valid for an hour."
            else:
                done = "A link was mailed to you just before this: look into your mailbox."
            return shown, [done]
    raise InvalidWish("the form did not say what to do")


def _page(
    site: Site,
    token: str,
    door: Purpose,
    shown: Account,
    *,
    posted: Mapping[str, str] | None = None,
    done: Sequence[str] = (),
    problem: str = "",
) -> HTMLResponse:
    return site.page(
        "account.html",
        status=400 if problem else 200,
        token=token,
        door=door,
        shown=shown,
        address=shown.email if shown.may_take_all else masked(shown.email),
        values=_values(shown) | dict(posted or {}),
        frequencies=("daily", "weekdays", "weekly"),
        done=done,
        problem=problem,
        mine=MINE,
        now=site.installation.clock(),
    )


def _values(shown: Account) -> dict[str, str]:
    """What the form's fields hold before anyone types."""
    lists = {name: "\n".join(shown.interests.get(kind, ())) for name, kind in LISTS.items()}
    schedule = {name: str(getattr(shown, name)) for name in SCHEDULE}
    selection = {
        "threshold": str(shown.threshold or ""),
        "explore": "yes" if shown.explore else "no",
        "revisions": "yes" if shown.revisions else "no",
        "quiet_note": "yes" if shown.quiet_note else "no",
    }
    return lists | schedule | selection | {"until": str(shown.paused_until or "")}
