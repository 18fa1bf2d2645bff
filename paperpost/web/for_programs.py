"""What people see of the API: a page that lists it, and their own token for it."""

from collections import defaultdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from paperpost.service import tokens
from paperpost.web.own import Fresh
from paperpost.web.render import READ, Here

router = APIRouter()


@router.api_route("/api", methods=READ)
@router.api_route("/api/", methods=READ)
def list_operations(site: Here, request: Request) -> HTMLResponse:
    """Every operation in a line, by what it is about."""
    document = request.app.state.api.openapi()
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            line = {"method": method.upper(), "path": path, "told": operation["description"]}
            groups[operation["tags"][0]].append(line)
    return site.page("api.html", groups=groups, address=site.installation.settings.public_url)


@router.api_route("/access/{token}/api", methods=READ)
def own_token(mine: Fresh) -> HTMLResponse:
    """The subscriber's token that lasts."""
    here = mine.site.installation
    lasting = tokens.lasting(here, mine.person)
    return mine.page(
        "token.html", tab="/api", lasting=lasting, site_address=here.settings.public_url
    )
