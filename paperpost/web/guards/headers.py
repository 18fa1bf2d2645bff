"""The headers of every answer."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paperpost.service.links import Purpose
from paperpost.web.api import asked
from paperpost.web.guards.doors import door

# Pages that mails lead to and programs look at: without any script, so that nothing there can act.
SCRIPTLESS = frozenset({Purpose.VOTE, Purpose.UNSUBSCRIBE})
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


class SafeHeaders:
    """Puts the headers on every answer that keep scripts, frames, caches and robots out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        purpose, _ = door(scope)
        unless_told = BEHIND_A_TOKEN if purpose or asked.bearer(scope) else {}
        policy = NO_SCRIPT if purpose in SCRIPTLESS else WITH_OUR_SCRIPT

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(EVERYWHERE)
                for name, value in unless_told.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", policy)
            await send(message)

        await self._app(scope, receive, with_headers)
