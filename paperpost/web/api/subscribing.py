"""Becoming a subscriber, and having one's own link mailed. The answers to a known and an unknown
address are the same."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from paperpost.service import confirm, subscribe, wishes
from paperpost.store.tables import SubscriberState
from paperpost.web.api.bearer import Here
from paperpost.web.api.document import refusals
from paperpost.web.api.limits import Line, Said, Terms, Told
from paperpost.web.guards.limits import client_of

router = APIRouter(tags=["subscribing"])

Address = Annotated[Line, Field(max_length=254, json_schema_extra={"format": "email"})]


class Interests(Said):
    """What somebody reads about."""

    keywords: Terms | None = Field(None, examples=[["graph neural networks", "protein folding"]])
    authors: Terms | None = Field(None, description="Followed, by name.")
    categories: Terms | None = Field(None, examples=[["cs.LG"]])
    muted: Terms | None = Field(None, description="Papers with these words stay out.")


class Subscription(Interests):
    """Who wants to subscribe, and what they read about."""

    email: Address = Field(examples=["ada@example.org"])


class Whom(Said):
    """Whose link is to be mailed."""

    email: Address = Field(examples=["ada@example.org"])


class Mailed(Told):
    """What happens next happens in a mailbox."""

    detail: str


class Confirmation(Said):
    """A token out of a mail that asks to confirm."""

    token: Annotated[Line, Field(min_length=1, max_length=512)]


class Confirmed(Told):
    """How the subscription stands."""

    state: SubscriberState


@router.post("/subscribe", status_code=202, responses=refusals(403))
def subscribe_by_mail(here: Here, request: Request, said: Subscription) -> Mailed:
    """Subscribe an address: a mail asks it to confirm. To a subscriber their own link is mailed."""
    interests = said.model_dump(exclude={"email"})
    client = client_of(request.scope)
    subscribe.by_form(here, said.email, wishes.checked(interests), client=client)
    return Mailed(detail=f"A mail is on its way to {said.email}.")


@router.post("/confirm", responses=refusals(401))
def confirm_subscription(here: Here, said: Confirmation) -> Confirmed:
    """Confirm a subscription, with what follows /confirm/ in the link that was mailed."""
    return Confirmed(state=SubscriberState(confirm.confirm(here, said.token).state))


@router.post("/link", status_code=202)
def mail_link(here: Here, request: Request, said: Whom) -> Mailed:
    """Have a fresh link mailed to a subscriber: what follows /access/ in it is a token for an
    hour."""
    client = client_of(request.scope)
    subscribe.mail_access_link_by_form(here, said.email, client=client)
    return Mailed(detail=f"If {said.email} is a subscriber's address, a link is on its way there.")
