"""How a guard says no."""

from starlette.responses import Response
from starlette.types import Scope

from paperpost.web.api import asked
from paperpost.web.api.problems import problem
from paperpost.web.render import Site


def refused(site: Site, scope: Scope, status: int, title: str, text: str) -> Response:
    """The answer that says no: a page, or a problem of the API."""
    if asked.is_api(scope):
        return problem(status, f"{title}. {text}")
    return site.notice(status, title, text)
