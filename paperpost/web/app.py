"""The site, put together: its doors, what guards them, and what an error looks like."""

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from paperpost.service.admission import TooManyAtOnce
from paperpost.service.installation import Installation
from paperpost.service.links import BadLink, ExpiredLink
from paperpost.service.subscribe import SignupClosed
from paperpost.service.turns import SECONDS_TO_WAIT, TooBusy
from paperpost.service.vote import CannotVote
from paperpost.store.errors import StoreError
from paperpost.web import (
    account,
    digests,
    feed,
    for_programs,
    health,
    icon,
    interests,
    library,
    likes,
    metrics,
    operator,
    own_votes,
    pages,
    rate,
    record,
    search,
    signup,
    site_votes,
    unsubscribe,
    vote,
)
from paperpost.web.api import asked
from paperpost.web.api.app import HeadAsGet, create_api
from paperpost.web.api.problems import problem
from paperpost.web.guards.bodies import BodyLimit
from paperpost.web.guards.headers import SafeHeaders
from paperpost.web.guards.last_resort import LastResort
from paperpost.web.guards.limits import RateLimits
from paperpost.web.guards.own_forms import OwnForms
from paperpost.web.own import NotSignedIn
from paperpost.web.render import READ, Site, site_of
from paperpost.web.static_files import VersionedFiles

log = structlog.get_logger()

TITLES = {
    404: ("Not found", "There is nothing at this address."),
    405: ("Not that way", "This page cannot be asked for like that."),
}

ROOMS = (
    pages,
    site_votes,
    signup,
    vote,
    unsubscribe,
    account,
    library,
    own_votes,
    digests,
    record,
    search,
    interests,
    likes,
    feed,
    for_programs,
    rate,
    health,
    icon,
    metrics,
    operator,
)


def create_app(installation: Installation) -> FastAPI:
    """The site of an installation, as an ASGI application.

    Without `redirect_slashes`: RFC 8058 forbids to answer an unsubscribe link by a redirect.
    """
    app = FastAPI(redirect_slashes=False, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.site = site = site_of(installation)
    app.state.metrics = metrics.registry_of(installation)
    for room in ROOMS:
        app.include_router(room.router)
    app.state.api = api = create_api(site)
    app.mount("/api", HeadAsGet(api))
    app.mount("/static", VersionedFiles(), name="static")
    # The last one added is the first one asked.
    app.add_middleware(BodyLimit, site=site)
    app.add_middleware(OwnForms, site=site)
    app.add_middleware(RateLimits, site=site)
    app.add_middleware(LastResort, site=site)
    app.add_middleware(SafeHeaders)
    _explain_errors(app, site)
    return app


def _explain_errors(app: FastAPI, site: Site) -> None:
    @app.exception_handler(BadLink)
    def bad_link(_request: Request, _error: BadLink) -> HTMLResponse:
        text = "It may have been cut short on its way here, or belong to somebody who has left."
        return site.notice(404, "This link opens nothing", text)

    @app.exception_handler(ExpiredLink)
    def expired_link(_request: Request, error: ExpiredLink) -> HTMLResponse:
        return site.page("expired.html", status=410, issued=error.link.issued)

    @app.exception_handler(NotSignedIn)
    def not_signed_in(request: Request, _error: NotSignedIn) -> Response:
        if request.method in READ:
            return RedirectResponse(f"{site.root}/link", 303)
        text = "Nothing was changed. Your own pages open by your link, which we can mail you."
        return site.notice(403, "You are not signed in", text)

    @app.exception_handler(CannotVote)
    def cannot_vote(_request: Request, _error: CannotVote) -> HTMLResponse:
        text = "The paper or the subscriber that it is about is no longer stored."
        return site.notice(404, "This link opens nothing", text)

    @app.exception_handler(SignupClosed)
    def signup_closed(_request: Request, error: SignupClosed) -> HTMLResponse:
        return site.notice(403, "Not open to all", f"{error}.")

    @app.exception_handler(TooManyAtOnce)
    def too_many(_request: Request, error: TooManyAtOnce) -> HTMLResponse:
        page = site.notice(429, "Too many at once", f"{error}.")
        page.headers["Retry-After"] = "3600"
        return page

    @app.exception_handler(TooBusy)
    def too_busy(_request: Request, error: TooBusy) -> HTMLResponse:
        page = site.notice(503, "Too many at once", f"{error}.")
        page.headers["Retry-After"] = SECONDS_TO_WAIT
        return page

    @app.exception_handler(StoreError)
    def store_away(request: Request, error: StoreError) -> HTMLResponse:
        route = getattr(request.scope.get("route"), "path", "unknown")  # the path holds a token
        log.error("no page without the database", route=route, error=str(error))
        page = site.notice(503, "Not available right now", "Please try again in a minute.")
        page.headers["Retry-After"] = SECONDS_TO_WAIT
        return page

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> Response:
        title, text = TITLES.get(error.status_code, ("Not possible", str(error.detail)))
        if asked.is_api(request.scope):  # a path with a line end in it is not led to the API
            return problem(error.status_code, text, headers=error.headers)
        page = site.notice(error.status_code, title, text)
        page.headers.update(error.headers or {})
        return page
