"""Whose forms are taken."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from paperpost.web.guards.doors import is_one_click
from paperpost.web.guards.refusal import refused
from paperpost.web.render import READ, Site


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
        page = refused(self._site, scope, 403, "Not from here", text)
        await page(scope, receive, send)

    def _is_own(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        told = headers.get("sec-fetch-site")
        if is_one_click(scope) or told in ("same-origin", "none"):
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
