"""Style sheet, scripts and icon. Their addresses on our pages carry a version (render.py)."""

from pathlib import Path

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from paperpost.web.render import STATIC, version

# RFC 8246: what has its version in its address never changes there.
FOR_EVER = "public, max-age=31536000, immutable"
# Without one, or with another one while machines are updated one by one.
SHORTLY = "public, max-age=300"


class VersionedFiles(StaticFiles):
    """Serves the static files, and says how long a browser may keep each."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at that path, or word that it has not changed. Raises HTTPException."""
        response = await super().get_response(path, scope)
        asked = QueryParams(scope["query_string"]).get("v")
        is_current = asked is not None and asked == version(Path(path).as_posix())
        response.headers["Cache-Control"] = FOR_EVER if is_current else SHORTLY
        return response
