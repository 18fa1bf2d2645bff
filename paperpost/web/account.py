"""Preferences, by the link of any mail; export, renewing and deletion, by a fresh one; and staying
signed in on a browser."""

import json
from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from paperpost.service import account, links, renewal, subscribe, wishes
from paperpost.service.account import Account
from paperpost.service.links import Purpose
from paperpost.service.mentions import MOST_ON_A_PAGE, unmentioned
from paperpost.service.renewal import RenewedJustNow, was_just_now
from paperpost.service.wishes import InvalidWish
from paperpost.store.subscribers import id_of
from paperpost.web import visitor
from paperpost.web.forms import LABELS, Posted, labelled
from paperpost.web.meanwhile import CONFLICT, SEEN, ChangedMeanwhile, meant, seen
from paperpost.web.own import OWN, Fresh, Mine, Own, own_by_cookie
from paperpost.web.render import READ, Here

router = APIRouter()

LISTS = {"keywords": "keyword", "authors": "author", "categories": "category", "muted": "muted"}
SCHEDULE = ("timezone", "hour", "size", "frequency")
SELECTION = ("threshold", "explore", "revisions", "quiet_note")
FIELDS = (*LISTS, *SCHEDULE, *SELECTION)
RENEWED = (
    "All earlier links open nothing any more, but those that unsubscribe, and every browser is"
    " signed out. A fresh link is on its way to your mailbox."
)
STAYS = "You are signed in on this browser."
# After a POST a browser is to ask for a page by GET (RFC 9110, section 15.4.4).
SEE_OTHER = 303


@router.api_route(OWN, methods=READ)
@router.api_route(f"{OWN}/", methods=READ)
def preferences(mine: Mine, renewed: str = "", signed_in: str = "") -> HTMLResponse:
    """Preferences; behind a fresh link with export, renewing and deletion. `renewed`: all earlier
    links were ended just now; `signed_in`: the button that keeps somebody so was pressed."""
    here = mine.site.installation
    shown = account.show(here, mine.number)
    just_now = bool(renewed) and was_just_now(mine.person, here.clock())
    told = [RENEWED] if just_now else []
    if signed_in and _is_signed_in(mine):
        told.append(STAYS)
    return _page(mine, shown, done=told)


@router.post(OWN)
@router.post(f"{OWN}/")
def change(mine: Mine, posted: Posted) -> Response:
    """Save, pause, resume, have mail come again or a fresh link mailed, or stay signed in."""
    if posted.get("action") == "sign-in" and not mine.is_by_cookie:
        # Behind a fresh link its owner goes on there; the others need not stand in the history.
        there = mine.here if mine.is_fresh else own_by_cookie(mine.site)
        answer = RedirectResponse(f"{there}?signed_in=1", SEE_OTHER)
        visitor.sign_in(mine.site.installation, answer, mine.person)
        return answer
    try:
        shown, done = _acted(mine, posted)
    except InvalidWish as error:
        shown = account.show(mine.site.installation, mine.number)
        return _page(mine, shown, posted=posted, problem=labelled(error))
    except ChangedMeanwhile as error:
        shown = account.show(mine.site.installation, mine.number)
        problem = error.said(_values(shown), LABELS)
        return _page(mine, shown, posted=error.typed, problem=problem, status=CONFLICT)
    return _page(mine, shown, done=done)


@router.post("/sign-out")
def sign_out(site: Here) -> Response:
    """Forget who was signed in on this browser."""
    answer = RedirectResponse(f"{site.root}/", SEE_OTHER)
    visitor.sign_out(site.installation, answer)
    return answer


@router.api_route("/access/{token}/export", methods=READ)
def export(site: Here, token: str) -> Response:
    """Everything that is stored about the subscriber, as a file."""
    document = account.export_by_link(site.installation, token)
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return _file(text, "application/json", "paperpost-export.json")


@router.api_route("/access/{token}/export.bib", methods=READ)
def export_liked(site: Here, token: str) -> Response:
    """The papers that the subscriber likes, as BibTeX."""
    text = account.liked_by_link(site.installation, token)
    return _file(text, "application/x-bibtex; charset=utf-8", "paperpost-liked.bib")


def _file(text: str, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=media_type, headers=headers)


@router.post("/access/{token}/renew")
def renew(mine: Fresh, posted: Posted) -> Response:
    """Make all earlier links dead, if the box was ticked, and go on behind a new one to the
    preferences."""
    if posted.get("confirm") != "yes":
        return _refused(mine, "tick “Yes, end all earlier links” first, then press the button")
    try:
        person = renewal.renew(mine.site.installation, mine.number)
    except RenewedJustNow as error:
        return _refused(mine, str(error))
    here = mine.site.installation
    token = links.token(here.signer, Purpose.PREFERENCES, here.clock(), id_of(person))
    path = f"{mine.site.root}/{Purpose.PREFERENCES}/{token}?renewed=1"
    answer = RedirectResponse(path, SEE_OTHER)
    visitor.sign_out(mine.site.installation, answer)
    return answer


@router.post("/access/{token}/delete")
def delete(mine: Fresh, posted: Posted) -> HTMLResponse:
    """Delete everything, for good, if its box was ticked: programs submit forms as they are."""
    if posted.get("confirm") != "yes":
        return _refused(mine, "tick “Yes, delete everything” first, then press the button")
    account.delete_by_link(mine.site.installation, mine.token)
    text = "Your address, interests, votes and digests are no longer stored. Farewell!"
    return mine.site.notice(200, "Everything is deleted", text)


def _refused(mine: Own, problem: str) -> HTMLResponse:
    return _page(mine, account.show(mine.site.installation, mine.number), problem=problem)


def _acted(mine: Own, posted: Mapping[str, str]) -> tuple[Account, list[str]]:
    """Do what a form's hidden `action` says: the account after it, and lines that tell."""
    here, number = mine.site.installation, mine.number
    match posted.get("action", ""):
        case "save":
            # A field that is missing, rather than empty, leaves what there is.
            typed = meant(posted, _values(account.show(here, number)))
            wanted = wishes.checked({name: typed.get(name) for name in FIELDS})
            shown = account.change(here, number, wanted)
            unknown = unmentioned(here, wanted.interests(), MOST_ON_A_PAGE)
            return shown, ["Saved.", *(one.sentence for one in unknown)]
        case "pause":
            if not posted.get("until", "").strip():
                raise InvalidWish("choose the day on which mail is to come again")
            return account.pause(here, number, posted["until"]), ["Paused."]
        case "resume":
            return account.pause(here, number, ""), ["Mail comes again."]
        case "mail-again":
            return account.mail_again(here, number), ["Mail comes again."]
        case "mail-link":
            if subscribe.mail_access_link(here, mine.person.email):
                done = "A fresh link is on its way to your mailbox; it is valid for an hour."
            else:
                done = "A link was mailed to you just before this: look into your mailbox."
            return account.show(here, number), [done]
    raise InvalidWish("the form did not say what to do")


def _page(
    mine: Own,
    shown: Account,
    *,
    posted: Mapping[str, str] | None = None,
    done: Sequence[str] = (),
    problem: str = "",
    status: int = 400,
) -> HTMLResponse:
    """`status` is of a page that tells of a problem."""
    settings = mine.site.installation.settings
    values = _values(shown)
    return mine.page(
        "account.html",
        status=status if problem else 200,
        tab="",
        shown=shown,
        values=values | {SEEN: seen({name: values[name] for name in FIELDS})} | dict(posted or {}),
        frequencies=("daily", "weekdays", "weekly"),
        feed_url=f"{settings.public_url}/{Purpose.FEED}/{shown.feed_token}.xml",
        is_signed_in=_is_signed_in(mine),
        done=done,
        problem=problem,
        now=mine.site.installation.clock(),
    )


def _is_signed_in(mine: Own) -> bool:
    """Whether it is their own browser that asks."""
    signed_in = mine.site.visitor
    return signed_in is not None and signed_in.number == mine.number


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
