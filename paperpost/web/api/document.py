"""The OpenAPI document: what FastAPI knows of the operations, and how each may be refused."""

from typing import Any, TypeAlias

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from paperpost.web.api.bearer import FRESH
from paperpost.web.api.problems import MEDIA_TYPE, Problem

Operation: TypeAlias = dict[str, Any]

REFUSALS = {
    400: "The body cannot be read.",
    401: "There is no token, or it opens nothing (any more).",
    403: "This is not allowed.",
    404: "There is no such thing.",
    409: "It cannot be done as things stand.",
    413: "The body is too large.",
    415: "The body is of another type than it has to be.",
    422: "A parameter, or what the body says, is not as it has to be.",
    429: "Too many requests: wait for a minute.",
    503: "Too many wait for a ranking: try again in some seconds.",
}
# What FastAPI says of an invalid request; ours is a Problem.
NOT_OURS = ("HTTPValidationError", "ValidationError")
COMPONENTS = "#/components/schemas"


# By where the API stands; all else in them is the same for every installation.
_made: dict[str, dict[str, Any]] = {}


def document(api: FastAPI) -> dict[str, Any]:
    """The document. It takes a while to make, and is made once."""
    place = str(api.servers)
    if place not in _made:
        _made[place] = _make(api)
    return _made[place]


def _make(api: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=api.title,
        version=api.version,
        description=api.description,
        routes=api.routes,
        servers=api.servers,
    )
    schemas = made["components"]["schemas"]
    for name in NOT_OURS:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template=f"{COMPONENTS}/{{model}}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for path in made["paths"].values():
        for operation in path.values():
            _tell_refusals(operation)
    return made


def _tell_refusals(operation: Operation) -> None:
    """Say how an operation may be refused: as any may, and as it says itself (`refusals`)."""
    answers = operation["responses"]
    own = {int(status) for status in answers if int(status) >= 400}
    for status in sorted(own | _of_any(operation)):
        answers[str(status)] = {
            "description": REFUSALS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"{COMPONENTS}/Problem"}}},
            **({"headers": RETRY_AFTER} if status in (429, 503) else {}),
            **({"headers": CHALLENGE} if status == 401 else {}),
        }


def _header(what: str, kind: str) -> dict[str, Any]:
    return {"description": what, "required": True, "schema": {"type": kind}}


RETRY_AFTER = {"Retry-After": _header("Seconds to wait.", "integer")}
CHALLENGE = {"WWW-Authenticate": _header("How to show a token (RFC 6750).", "string")}


def _of_any(operation: Operation) -> set[int]:
    statuses = {422, 429}
    if "requestBody" in operation:
        statuses |= {400, 413, 415}
    schemes = {name for one in operation.get("security", ()) for name in one}
    if schemes:
        statuses.add(401)
    if FRESH.scheme_name in schemes:
        statuses.add(403)
    return statuses


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The statuses, beside those of any operation, with which one refuses."""
    return {status: {"description": REFUSALS[status]} for status in statuses}
