"""How large a body may be."""

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paperpost.service import links
from paperpost.web.guards.doors import is_library, is_one_click, shown
from paperpost.web.guards.refusal import refused
from paperpost.web.render import Site

LARGEST_BODY = 64 * 1024
# A larger body is still read, so that the answer arrives, but not without end.
READ_AT_MOST = 16  # times what may be
# A library behind somebody's own link: 5 MB, and what a form has around them.
LARGEST_LIBRARY = 5 * 1024 * 1024
_AROUND_A_LIBRARY = 64 * 1024


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
        if body is None and not is_one_click(scope):
            text = "That was more than a form on this site can hold."
            page = refused(self._site, scope, 413, "Too large", text)
            await page(scope, receive, send)
            return
        await self._app(scope, _replay(body or b"", receive), send)

    def _largest(self, scope: Scope) -> int:
        """A large body may come behind a token that was really signed here."""
        if is_library(scope) and links.signed_for(self._site.installation, *shown(scope)):
            return LARGEST_LIBRARY + _AROUND_A_LIBRARY
        return LARGEST_BODY


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
