"""At which door a request knocks and what it shows there, before anybody reads it."""

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from paperpost.service.links import Purpose
from paperpost.web.api import asked
from paperpost.web.own import SIGNED_IN
from paperpost.web.visitor import COOKIE

# The first parts of paths whose second one is a token.
DOORS = frozenset(Purpose) - {Purpose.API, Purpose.SESSION}
LIBRARY = "/library"
# Where a visitor changes something on the pages of everybody.
BY_COOKIE = frozenset({"/vote", "/search/follow"})


def door(scope: Scope) -> tuple[str, str]:
    """The purpose and the token of a path like /vote/TOKEN, or two empty texts."""
    _, first, second = (*scope["path"].split("/", 3), "", "")[:3]
    return (first, second) if first in DOORS else ("", "")


def shown(scope: Scope) -> tuple[str, tuple[Purpose, ...]]:
    """The token that a request shows (in its path, as a bearer, in a cookie) and for which
    purposes it may be signed there; an empty text where none is looked at."""
    first, second = door(scope)
    if (first, second) == (Purpose.PREFERENCES, SIGNED_IN):
        return _cookie(scope), (Purpose.SESSION,)
    if second:
        return second.removesuffix(".xml"), (Purpose(first),)  # a feed's has an ending
    if asked.is_operators(scope):
        return asked.bearer(scope), (Purpose.OPERATOR,)
    if scope["method"] == "POST" and scope["path"] in BY_COOKIE:
        return _cookie(scope), (Purpose.SESSION,)
    return asked.bearer(scope), (Purpose.API, Purpose.ACCESS)


def _cookie(scope: Scope) -> str:
    return cookie_parser(Headers(scope=scope).get("cookie", "")).get(COOKIE, "")


def is_one_click(scope: Scope) -> bool:
    """Whether this asks to unsubscribe: always obeyed (RFC 8058, Gmail's rules for senders)."""
    return scope["method"] == "POST" and door(scope)[0] == Purpose.UNSUBSCRIBE


def is_library(scope: Scope) -> bool:
    """Whether this asks about somebody's own library."""
    is_own = door(scope)[0] in (Purpose.PREFERENCES, Purpose.ACCESS)
    return scope["path"] == asked.LIBRARY or (is_own and bool(scope["path"].endswith(LIBRARY)))
