"""The API, put together: an application of its own under /api, so that its errors, its methods and
its document are its own."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from fastapi import Depends, FastAPI, HTTPException, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from paperpost import __version__
from paperpost.service.wishes import InvalidWish
from paperpost.web.api import (
    account,
    digests,
    interests,
    library,
    likes,
    operator,
    papers,
    previewing,
    rating,
    searching,
    subscribing,
    votes,
)
from paperpost.web.api.document import Operation, document
from paperpost.web.api.problems import explain
from paperpost.web.render import Site

ROOMS = (
    papers,
    searching,
    previewing,
    subscribing,
    account,
    interests,
    likes,
    votes,
    digests,
    rating,
    library,
    operator,
)
DESCRIPTION = """\
What the site does, for programs. Times are in UTC. Every error is a problem (RFC 9457).

A parameter or a field that is not listed here is refused (422). Where GET works, HEAD does. There
is no CORS: pages of other sites cannot read this API, and no cookie counts here. What is asked with
a token is never refused below 600 GETs a minute; other limits are answered with 429 and
`Retry-After`.
"""


def create_api(site: Site) -> FastAPI:
    """The API of a site."""
    api = FastAPI(
        title="Paperpost",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": f"{site.root}/api"}],
        root_path_in_servers=False,
        dependencies=[Depends(_only_known_parameters), Depends(_only_known_content)],
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.site = site
    for room in ROOMS:
        api.include_router(room.router)
    api.openapi = partial(document, api)  # type: ignore[method-assign]
    explain(api, _allowed)
    return api


class HeadAsGet:
    """Answers HEAD as it does GET; the server leaves the body away."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


def _operation(request: Request) -> Operation:
    """What the document says of the operation that a request asks for."""
    paths: dict[str, dict[str, Operation]] = request.app.openapi()["paths"]
    return paths[_path(request)][request.method.lower()]


def _path(request: Request) -> str:
    """The path as the document has it."""
    return str(request.scope["route"].path_format)


def _only_known_parameters(request: Request) -> None:
    """Refuse a parameter that is misspelt, or given twice, rather than to act without it."""
    known = {
        one["name"]: one["schema"].get("type") == "array"
        for one in _operation(request).get("parameters", ())
        if one["in"] == "query"
    }
    given = [name for name, _ in request.query_params.multi_items()]
    for name, times in Counter(given).items():
        if name not in known:
            raise InvalidWish(f"there is no parameter {name[:40]!r} here")
        if times > 1 and not known[name]:
            raise InvalidWish(f"the parameter {name!r} stands there {times} times")


def _only_known_content(request: Request) -> None:
    """Refuse a body of another type than the document names."""
    body = _operation(request).get("requestBody")
    if body is None:
        return
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in body["content"]:
        raise HTTPException(415, f"The body has to be {' or '.join(body['content'])}.")


def _allowed(request: Request) -> Sequence[str]:
    """The methods that the path of a request has."""
    methods = [name.upper() for name in request.app.openapi()["paths"][_path(request)]]
    return [*methods, "HEAD"] if "GET" in methods else methods
