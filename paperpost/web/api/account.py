"""A subscriber's own account: when and how much is mailed, a pause, leaving, tokens, export and
deletion."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from paperpost.service import account, calendar, leaving, links, renewal, tokens, wishes
from paperpost.service.account import Account
from paperpost.service.links import Purpose
from paperpost.service.wishes import LARGEST_SIZE
from paperpost.store.tables import SubscriberState
from paperpost.web.api.bearer import Asks, AsksFreshly, Here
from paperpost.web.api.document import refusals
from paperpost.web.api.limits import IN_FIGURES, Bibtex, Day, Flag, Line, Said, Told
from paperpost.web.api.problems import conflicts
from paperpost.web.own import masked

router = APIRouter(prefix="/me", tags=["account"])

Frequency = Literal["daily", "weekdays", "weekly"]
Hour = Annotated[int, Field(ge=0, le=23), IN_FIGURES]
Size = Annotated[int, Field(ge=1, le=LARGEST_SIZE), IN_FIGURES]


class Me(Told):
    """How things stand for a subscriber."""

    address: str = Field(description="Masked, unless the token is fresh.", examples=["a***@b.org"])
    state: SubscriberState
    timezone: str = Field(examples=["Europe/Berlin"])
    hour: int = Field(description="The hour of the day, there, at which the digest comes.")
    size: int = Field(description="So many papers in a digest, at most.")
    frequency: Frequency
    threshold: int | None = Field(description="The least probability of a vote up, in per cent.")
    explore: bool = Field(description="One paper in each digest is outside the usual.")
    quiet_note: bool = Field(description="A day without papers is told by a short mail.")
    revisions: bool = Field(description="New versions of older papers are mailed, too.")
    paused_until: date | None = Field(description="The first day with mail again.")
    next_at: datetime | None = Field(description="When the next digest is due; null if none is.")
    suppressed_because: str | None = Field(description="Why nothing is mailed, if mail came back.")
    votes: int = Field(description="The votes that hold.")
    library_votes: int = Field(description="Of these those that came of a library.")
    held_votes: int = Field(description="Votes by link that wait to count.")
    ignored_votes: int = Field(description="Votes of the last days taken for a program's.")


def _name_the_timezones(schema: dict[str, Any]) -> None:
    """Into the document alone; which names there are is a matter of the system."""
    named = schema["anyOf"][0]
    named.clear()
    named |= {"type": "string", "enum": sorted(calendar.timezones())}


class Changes(Said):
    """What is to be different; what is missing or null stays as it is."""

    timezone: Line | None = Field(None, max_length=60, json_schema_extra=_name_the_timezones)
    hour: Hour | None = None
    size: Size | None = None
    frequency: Frequency | None = None
    threshold: Annotated[int, Field(ge=0, le=99), IN_FIGURES] | None = Field(
        None, description="In per cent; 0 for none."
    )
    explore: Flag | None = None
    quiet_note: Flag | None = None
    revisions: Flag | None = None


class Pause(Said):
    """A time without mail."""

    until: Day = Field(description="The first day with mail again, within a year.")


class Token(Told):
    """A token for this API."""

    token: str


@router.get("")
def me(here: Here, asks: Asks) -> Me:
    """Schedule, selection, and how things stand."""
    return _me(asks, account.show(here, asks.number))


@router.patch("")
def change_me(here: Here, asks: Asks, said: Changes) -> Me:
    """Change schedule and selection."""
    wanted = wishes.checked({name: _text(value) for name, value in said})
    return _me(asks, account.change(here, asks.number, wanted))


def _text(value: object) -> object:
    """A value as a form would have it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _me(asks: Asks, shown: Account) -> Me:
    email = asks.person.email
    own = {name: getattr(shown, name) for name in Me.model_fields if name != "address"}
    return Me(address=email if asks.is_fresh else masked(email), **own)


@router.put("/pause", responses=refusals(409))
def pause(here: Here, asks: Asks, said: Pause) -> Me:
    """Have nothing mailed until a day."""
    with conflicts():
        return _me(asks, account.pause(here, asks.number, said.until.isoformat()))


@router.delete("/pause")
def end_pause(here: Here, asks: Asks) -> Me:
    """Have mail come again, after a pause or without one."""
    return _me(asks, account.pause(here, asks.number, ""))


@router.post("/mail-again")
def mail_again(here: Here, asks: Asks) -> Me:
    """Have mail come again to an address from which it came back."""
    return _me(asks, account.mail_again(here, asks.number))


@router.post("/leave")
def leave(here: Here, asks: Asks) -> Me:
    """Unsubscribe. What is stored stays until it is deleted."""
    shown = account.show(here, asks.number)
    leaving.leave(here, shown.leave_token)
    return _me(asks, account.show(here, asks.number))


class Feed(Told):
    """Where one's own papers are to be had as an Atom feed."""

    url: str


@router.get("/feed")
def feed_address(here: Here, asks: Asks) -> Feed:
    """The address of one's own Atom feed; whoever has it can read along."""
    token = links.lasting_token(here.signer, Purpose.FEED, asks.person)
    return Feed(url=f"{here.settings.public_url}/feed/{token}.xml")


@router.get("/token")
def lasting_token(here: Here, asks: AsksFreshly) -> Token:
    """The token that works until links are renewed, for a fresh one."""
    return Token(token=tokens.lasting(here, asks.person))


@router.post("/renew", responses=refusals(409))
def renew_links(here: Here, asks: AsksFreshly) -> Token:
    """Make every earlier link and token dead, but for links that unsubscribe; a new token that
    works until they are renewed again. A fresh one is mailed."""
    return Token(token=tokens.lasting(here, renewal.renew(here, asks.number)))


@router.get("/export")
def export(here: Here, asks: AsksFreshly) -> dict[str, Any]:
    """Everything that is stored about the subscriber."""
    return account.export_by_link(here, asks.token)


@router.get("/export.bib", response_class=Bibtex)
def export_liked(here: Here, asks: AsksFreshly) -> Response:
    """The papers that the subscriber likes, as BibTeX."""
    return Bibtex(account.liked_by_link(here, asks.token))


@router.delete("", status_code=204)
def delete_me(here: Here, asks: AsksFreshly) -> None:
    """Delete everything that is stored about the subscriber, for good."""
    account.delete_by_link(here, asks.token)
