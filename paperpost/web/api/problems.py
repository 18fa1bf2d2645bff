"""What an error of the API looks like: problem details (RFC 9457), whatever room it comes from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from paperpost.errors import PaperpostError
from paperpost.service.admission import TooManyAtOnce
from paperpost.service.library import LibraryIsFull
from paperpost.service.links import BadLink, ExpiredLink
from paperpost.service.renewal import RenewedJustNow
from paperpost.service.subscribe import SignupClosed
from paperpost.service.turns import SECONDS_TO_WAIT, TooBusy
from paperpost.service.uncounted import NothingIgnored, NothingTicked
from paperpost.service.vote import CannotVote
from paperpost.service.wishes import InvalidWish
from paperpost.store.errors import StoreError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
MOST_FAULTS = 20
LONGEST_WHERE = 200


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="The part of the request, like `body.keywords.0`.")
    what: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(ge=400, le=599, examples=[404])
    detail: str = Field(description="What was wrong here.", examples=["There is no such paper."])
    faults: list[Fault] = Field(default=[], description="With 422: what is wrong, one by one.")


# What our own errors are to a program. What is not listed here is a fault of ours.
STATUSES: dict[type[PaperpostError] | type[Exception], int] = {
    InvalidWish: 422,
    SignupClosed: 403,
    TooManyAtOnce: 429,
    TooBusy: 503,
    CannotVote: 404,
    BadLink: 401,
    ExpiredLink: 401,
    LibraryIsFull: 409,
    RenewedJustNow: 409,
    NothingTicked: 422,
    NothingIgnored: 409,
}
# What is told beside them (RFC 9110, section 15.5.2; RFC 6585, section 4).
HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": "3600"},
    503: {"Retry-After": SECONDS_TO_WAIT},
}


def problem(
    status: int,
    detail: str,
    *,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that says what went wrong."""
    told = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, faults=list(faults)
    )
    return Response(told.model_dump_json(), status, headers, MEDIA_TYPE)


@contextmanager
def conflicts() -> Iterator[None]:
    """For what is as the document says and cannot be done all the same, as things stand: a name
    that is taken, a list that is full."""
    try:
        yield
    except InvalidWish as error:
        raise HTTPException(409, _sentence(str(error))) from error


def explain(api: FastAPI, allowed: Callable[[Request], Sequence[str]]) -> None:
    """Have every error of an app told as a problem; `allowed`: the methods of a request's path."""
    for error, status in STATUSES.items():
        api.add_exception_handler(error, _teller(status))

    @api.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> Response:
        faults = [_fault(one) for one in error.errors()[:MOST_FAULTS]]
        return problem(422, "The request is not as it has to be.", faults=faults)

    @api.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(allowed(request))
        return problem(error.status_code, _detail(error), headers=headers)

    @api.exception_handler(StoreError)
    def store_away(_request: Request, error: StoreError) -> Response:
        log.error("no answer without the database", error=str(error))
        return problem(503, "The database does not answer.", headers=HEADERS[503])

    @api.exception_handler(Exception)
    def broken(_request: Request, _error: Exception) -> Response:
        return problem(500, "It is our fault, and it is in our log.")


def _teller(status: int) -> Callable[[Request, Exception], Response]:
    def tell(_request: Request, error: Exception) -> Response:
        return problem(status, _sentence(str(error)), headers=HEADERS.get(status))

    return tell


def _detail(error: HTTPException) -> str:
    """Starlette's own words are the status in words, which the title says already."""
    own = {404: "There is nothing at this address.", 405: "Not with this method."}
    if error.detail == HTTPStatus(error.status_code).phrase:
        return own.get(error.status_code, error.detail)
    return str(error.detail)


def _sentence(text: str) -> str:
    return _printable(text[:1].upper() + text[1:] + ("" if text.endswith(".") else "."))


def _fault(error: Mapping[str, Any]) -> Fault:
    """Where and what, and not the value itself: it may be anything."""
    where = ".".join(map(str, error["loc"]))
    return Fault(where=_printable(where)[:LONGEST_WHERE], what=_printable(error["msg"]))


def _printable(text: str) -> str:
    """Without half a surrogate pair, which JSON may hold and UTF-8 may not."""
    return text.encode("utf-8", "replace").decode()
