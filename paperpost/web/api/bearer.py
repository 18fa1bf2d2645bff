"""Who asks: by a token in the Authorization header (RFC 6750), and by nothing else. A cookie does
nothing here, so that no page of another site can act for somebody."""

from typing import Annotated

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from paperpost.service import links, tokens
from paperpost.service.installation import Installation
from paperpost.service.tokens import Holder
from paperpost.web.render import Site

CHALLENGE = {"WWW-Authenticate": "Bearer"}
TOKEN = HTTPBearer(
    scheme_name="token",
    description="A subscriber's token, from their own page or `paperpost token EMAIL`. It works "
    "until they renew their links. The fresh token works too.",
    auto_error=False,
)
FRESH = HTTPBearer(
    scheme_name="fresh token",
    description="What follows /access/ in a link that was mailed fresh (`POST /link`). "
    "It works for an hour.",
    auto_error=False,
)
OPERATOR = HTTPBearer(
    scheme_name="operator's token",
    description="What follows /operator/ in the address that `paperpost operator` prints.",
    auto_error=False,
)

Shown = HTTPAuthorizationCredentials | None


def _installation(request: Request) -> Installation:
    site: Site = request.app.state.site
    return site.installation


Here = Annotated[Installation, Depends(_installation)]


def _holder(here: Here, shown: Annotated[Shown, Security(TOKEN)]) -> Holder:
    return tokens.holder_of(here, _text(shown))


def _fresh_holder(here: Here, shown: Annotated[Shown, Security(FRESH)]) -> Holder:
    holder = tokens.holder_of(here, _text(shown))
    if not holder.is_fresh:
        detail = "This needs a token that was mailed fresh (POST /link)."
        told = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
        raise HTTPException(403, detail, told)
    return holder


def _operator(here: Here, shown: Annotated[Shown, Security(OPERATOR)]) -> None:
    links.require_operator(here, _text(shown))


def _text(shown: Shown) -> str:
    if shown is None:
        raise HTTPException(401, "This needs a token: Authorization: Bearer TOKEN.", CHALLENGE)
    return shown.credentials


Asks = Annotated[Holder, Depends(_holder)]
AsksFreshly = Annotated[Holder, Depends(_fresh_holder)]
BY_THE_OPERATOR = Depends(_operator)
