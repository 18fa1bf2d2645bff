"""The sign in a browser's tab; browsers ask for it by this name wherever no page names another."""

from fastapi import APIRouter
from fastapi.responses import FileResponse

from paperpost.web.render import READ, STATIC

router = APIRouter()


@router.api_route("/favicon.ico", methods=READ)
def icon() -> FileResponse:
    """The icon, which is an SVG whatever its name says."""
    return FileResponse(STATIC / "favicon.svg", media_type="image/svg+xml")
