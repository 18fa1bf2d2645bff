"""What is answered where something fails that nobody expected."""

import traceback

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paperpost.web.guards.refusal import refused
from paperpost.web.render import Site

log = structlog.get_logger()


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
                page = refused(self._site, scope, 500, "Something went wrong", text)
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
