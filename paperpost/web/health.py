"""For machines that watch this one."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from paperpost.service.status import is_healthy
from paperpost.web.render import READ, Here

router = APIRouter()


@router.api_route("/healthz", methods=READ)
def healthz(site: Here) -> JSONResponse:
    """200 as long as the database answers."""
    healthy = is_healthy(site.installation)
    return JSONResponse(
        {"status": "ok" if healthy else "the database does not answer"},
        status_code=200 if healthy else 503,
        headers={"Cache-Control": "no-store"},
    )
