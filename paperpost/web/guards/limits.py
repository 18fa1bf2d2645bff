"""How often somebody may ask."""

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from paperpost.service import links
from paperpost.service.links import Purpose, Signed
from paperpost.web.guards.doors import is_library, is_one_click, shown
from paperpost.web.guards.refusal import refused
from paperpost.web.render import READ, Site

# CONTRACT: GET and HEAD are never refused below 600 a minute per token. A mail gateway may open a
# link hundreds of times.
PER_LINK = RateLimitItemPerMinute(2 * 600)
# What a person's own pages and the API are opened by is made anew again and again: all of that is
# one count, with room for the four kinds of it.
PER_PERSON = RateLimitItemPerMinute(4 * 600)
OF_A_PERSON = frozenset({Purpose.PREFERENCES, Purpose.ACCESS, Purpose.SESSION, Purpose.API})
# Reading one takes seconds.
PER_LIBRARY = RateLimitItemPerMinute(10)

# What opens nothing costs little; but who guesses is not to go on for ever.
PER_STRANGER = RateLimitItemPerMinute(60)
PER_FORM = RateLimitItemPerMinute(30)
FORMS = frozenset({"/subscribe", "/link", "/api/subscribe", "/api/link", "/api/confirm"})
# A preview follows what somebody types, and previews are made one after the other.
PER_PREVIEW = RateLimitItemPerMinute(120)
PREVIEWS = frozenset({"/subscribe/preview", "/api/preview"})
PER_SEARCH = RateLimitItemPerMinute(600)
SEARCHES = frozenset({"/search", "/api/search"})


class Count(NamedTuple):
    """What a request counts as, and for whom."""

    limit: RateLimitItem
    kind: str
    whose: str


class RateLimits:
    """Slows down who asks too often: per person behind a link, else per client.

    Whose link it is, its signature says; so what is made up is never counted, nor kept, as somebody
    of its own.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._admits(scope):
            await self._app(scope, receive, send)
            return
        text = "Please wait for a minute, then try again."
        page = refused(self._site, scope, 429, "Too many at once", text)
        page.headers["Retry-After"] = "60"
        await page(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        return all(self._limiter.hit(*count) for count in self._counts(scope))

    def _counts(self, scope: Scope) -> Iterator[Count]:
        token, purposes = shown(scope)
        signed = links.signed_for(self._site.installation, token, purposes)
        if signed is not None and not is_one_click(scope):
            yield _behind_a_link(scope, token, signed)
        if signed is None and token:
            yield Count(PER_STRANGER, "stranger", client_of(scope))
        yield from _open(scope)


def _behind_a_link(scope: Scope, token: str, signed: Signed) -> Count:
    person = str(signed.number)
    if scope["method"] == "POST" and is_library(scope):
        return Count(PER_LIBRARY, "library", person)
    # Posts are counted apart, so that they cannot use up what is promised for looking.
    kind = "look" if scope["method"] in READ else "post"
    if signed.purpose in OF_A_PERSON:
        return Count(PER_PERSON, kind, person)
    if signed.purpose == Purpose.VOTE:  # a mail has dozens of them; it ends in its signature
        return Count(PER_LINK, kind, token[-32:])
    return Count(PER_LINK, f"{kind} {signed.purpose}", person)


def _open(scope: Scope) -> Iterator[Count]:
    """What a request to a page of everybody counts as."""
    path, is_post = scope["path"], scope["method"] == "POST"
    if is_post and path in FORMS:
        yield Count(PER_FORM, "form", client_of(scope))
    # The subscribe form is filled in by its address, and shows then what that would bring.
    if path in PREVIEWS or (path == "/subscribe" and not is_post and scope["query_string"]):
        yield Count(PER_PREVIEW, "preview", client_of(scope))
    if path in SEARCHES:
        yield Count(PER_SEARCH, "search", client_of(scope))


def client_of(scope: Scope) -> str:
    """Who asks, as far as we can tell; of IPv6 the /64 network, which is one customer's."""
    host = str((scope.get("client") or ("unknown", 0))[0])
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
