"""What stands between the network and the pages: limits, headers, and a last resort.

Plain ASGI, because Starlette's BaseHTTPMiddleware reads bodies in its own way.
"""

import ipaddress
import traceback
from urllib.parse import urlsplit

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paperpost.service import links, tokens
from paperpost.service.links import Purpose
from paperpost.web.api import asked
from paperpost.web.api.problems import problem
from paperpost.web.render import READ, Site
from paperpost.web.visitor import COOKIE

LARGEST_BODY = 64 * 1024
# A larger body is still read, so that the answer arrives, but not without end.
READ_AT_MOST = 16  # times what may be
# A library behind somebody's own link: 5 MB, and what a form has around them.
LARGEST_LIBRARY = 5 * 1024 * 1024
_AROUND_A_LIBRARY = 64 * 1024
LIBRARY = "/library"
# The first parts of paths whose second one is a token.
DOORS = frozenset(Purpose) - {Purpose.API, Purpose.SESSION}
# Pages that mails lead to and programs look at: without any script, so that nothing there can act.
SCRIPTLESS = frozenset({Purpose.VOTE, Purpose.UNSUBSCRIBE})
FORMS = frozenset({"/subscribe", "/link", "/api/subscribe", "/api/link", "/api/confirm"})
# What takes a while, for everybody.
LABORIOUS = frozenset({"/subscribe/preview", "/api/preview", "/api/search"})

# A mail gateway may open a link hundreds of times: twice what is promised.
PER_TOKEN = RateLimitItemPerMinute(1200)
PER_CLIENT = RateLimitItemPerMinute(30)
# A preview follows what somebody types.
PER_PREVIEW = RateLimitItemPerMinute(120)
# Reading one takes seconds.
PER_LIBRARY = RateLimitItemPerMinute(10)

NO_SCRIPT = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
WITH_OUR_SCRIPT = f"{NO_SCRIPT}; script-src 'self'; connect-src 'self'"
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: browsers would then post forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
}
BEHIND_A_TOKEN = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}

log = structlog.get_logger()


def _door(scope: Scope) -> tuple[str, str]:
    """The purpose and the token of a path like /vote/TOKEN, or two empty texts."""
    _, first, second = (*scope["path"].split("/", 3), "", "")[:3]
    return (first, second) if first in DOORS else ("", "")


def _refused(site: Site, scope: Scope, status: int, title: str, text: str) -> Response:
    """Says no: by a page, or as the API does."""
    if asked.is_api(scope):
        return problem(status, f"{title}. {text}")
    return site.notice(status, title, text)


def _is_one_click(scope: Scope) -> bool:
    """Whether this asks to unsubscribe: always obeyed (RFC 8058, Gmail's rules for senders)."""
    return scope["method"] == "POST" and _door(scope)[0] == Purpose.UNSUBSCRIBE


class SafeHeaders:
    """Puts the headers on every answer that keep scripts, frames, caches and robots out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        door, _ = _door(scope)
        unless_told = BEHIND_A_TOKEN if door or asked.bearer(scope) else {}
        policy = NO_SCRIPT if door in SCRIPTLESS else WITH_OUR_SCRIPT

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(EVERYWHERE)
                for name, value in unless_told.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", policy)
            await send(message)

        await self._app(scope, receive, with_headers)


class LastResort:
    """Turns what nobody expected into a plain page and one line in the log."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            _log_failure(scope, error)
            if not started:
                text = "It is our fault, and it is in our log."
                page = _refused(self._site, scope, 500, "Something went wrong", text)
                await page(scope, receive, send)


def _log_failure(scope: Scope, error: Exception) -> None:
    # The route, not the path, which holds a token; the first line, as SQLAlchemy's later ones
    # hold addresses.
    what = (str(error).splitlines() or [""])[0]
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error(
        "request failed",
        method=scope["method"],
        route=getattr(scope.get("route"), "path", "unknown"),
        error=f"{type(error).__name__}: {what}",
        place=f"{place.filename}:{place.lineno}",
    )


class OwnForms:
    """Refuses what another site's page has a browser post (cross-site request forgery).

    By what browsers say of a request themselves: Sec-Fetch-Site (W3C Fetch Metadata), else Origin
    (RFC 6454). Programs say neither and send no cookie. What RFC 8058 has mail programs post is
    always taken.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site
        address = urlsplit(site.installation.settings.public_url)
        self._own = f"{address.scheme}://{address.netloc}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READ or self._is_own(scope):
            await self._app(scope, receive, send)
            return
        text = "Another site tried to press a button of this one."
        page = _refused(self._site, scope, 403, "Not from here", text)
        await page(scope, receive, send)

    def _is_own(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        told = headers.get("sec-fetch-site")
        if _is_one_click(scope) or told in ("same-origin", "none"):
            return True
        origin = headers.get("origin")
        if told is not None or origin is None:
            return told is None
        # Asked by another name than the public one, in a test or behind a tunnel.
        return origin in (
            self._own,
            f"http://{headers.get('host')}",
            f"https://{headers.get('host')}",
        )


class RateLimits:
    """Slows down who asks too often: per token behind a link, per client at the open forms."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._admits(scope):
            await self._app(scope, receive, send)
            return
        text = "Please wait for a minute, then try again."
        page = _refused(self._site, scope, 429, "Too many at once", text)
        page.headers["Retry-After"] = "60"
        await page(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        token = _door(scope)[1] or asked.bearer(scope) or _visitor_who_votes(scope)
        if token:
            # A token ends in its signature, which is its own; a prefix could be shared.
            # Posts are counted apart, so that they cannot use up what is promised for looking.
            if scope["method"] == "POST" and _is_library(scope):
                return self._limiter.hit(PER_LIBRARY, "library", token[-32:])
            kind = "look" if scope["method"] in READ else "post"
            return _is_one_click(scope) or self._limiter.hit(PER_TOKEN, kind, token[-32:])
        if scope["method"] == "POST" and scope["path"] in FORMS:
            return self._limiter.hit(PER_CLIENT, "client", client_of(scope))
        if scope["path"] in LABORIOUS:
            return self._limiter.hit(PER_PREVIEW, "preview", client_of(scope))
        return True


def _visitor_who_votes(scope: Scope) -> str:
    """The token of a visitor who votes on our pages."""
    if scope["method"] != "POST" or scope["path"] != f"/{Purpose.VOTE}":
        return ""
    return cookie_parser(Headers(scope=scope).get("cookie", "")).get(COOKIE, "")


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


class BodyLimit:
    """Reads a body before anyone else, up to a size; a larger one is refused.

    Only the unsubscribe link works whatever was posted: there a large body counts as empty.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _may_have_body(scope):
            await self._app(scope, receive, send)
            return
        try:
            body = await _read(receive, self._largest(scope))
        except ClientDisconnect:  # half a form is no form, and nobody is there to be told
            return
        if body is None and not _is_one_click(scope):
            text = "That was more than a form on this site can hold."
            page = _refused(self._site, scope, 413, "Too large", text)
            await page(scope, receive, send)
            return
        await self._app(scope, _replay(body or b"", receive), send)

    def _largest(self, scope: Scope) -> int:
        """A large body may come behind a link that was really mailed."""
        if not _is_library(scope):
            return LARGEST_BODY
        purpose, token = _door(scope)
        here = self._site.installation
        try:
            if token:
                links.read(here.signer, token, Purpose(purpose), here.clock())
            else:
                tokens.door_of(here, asked.bearer(scope))
        except links.LinkError:
            return LARGEST_BODY
        return LARGEST_LIBRARY + _AROUND_A_LIBRARY


def _is_library(scope: Scope) -> bool:
    """Whether this asks about somebody's own library."""
    is_own = _door(scope)[0] in (Purpose.PREFERENCES, Purpose.ACCESS)
    return scope["path"] == asked.LIBRARY or (is_own and bool(scope["path"].endswith(LIBRARY)))


def _may_have_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "content-length" in headers or "transfer-encoding" in headers


async def _read(receive: Receive, largest: int) -> bytes | None:
    """The body, or None if it is too large; raises ClientDisconnect if it does not end."""
    kept, size = bytearray(), 0
    while size <= READ_AT_MOST * largest:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size <= largest:
            kept += part
        if not message.get("more_body", False):
            break
    return bytes(kept) if size <= largest else None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body once more, then whatever the connection says."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
