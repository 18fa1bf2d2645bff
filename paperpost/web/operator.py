"""The operator's page: how the installation is doing, behind a link that `paperpost operator`
prints."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from paperpost.service import links
from paperpost.service.links import ExpiredLink
from paperpost.service.overview import overview
from paperpost.web.render import READ, Here

router = APIRouter()


@router.api_route("/operator/{token}", methods=READ)
@router.api_route("/operator/{token}/", methods=READ)
def operator(site: Here, token: str) -> HTMLResponse:
    """Subscribers, runs, mails, sources and what is wrong; nobody's address."""
    try:
        links.require_operator(site.installation, token)
    except ExpiredLink:
        text = "The command “paperpost operator” prints a new one."
        return site.notice(410, "This link is too old", text)
    return site.page("operator.html", shown=overview(site.installation))
