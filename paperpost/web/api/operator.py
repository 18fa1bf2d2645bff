"""How the installation is doing, for programs of its operator."""

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from paperpost.service.overview import overview
from paperpost.web.api.bearer import BY_THE_OPERATOR, Here
from paperpost.web.api.limits import Told, told

router = APIRouter(tags=["operator"])


class Runs(Told):
    """When what is done again and again was done last."""

    fetched_at: datetime | None
    trained_at: datetime | None
    composed_at: datetime | None
    sent_at: datetime | None


class Mails(Told):
    """Mails by state."""

    last_day: dict[str, dict[str, int]] = Field(
        description="Those due in the last 24 hours: kind, state, number."
    )
    ever: dict[str, int] = Field(description="All there ever were: state, number.")


class Silent(Told):
    """Why digests of a date had no papers."""

    date: date
    reason: str
    subscribers: int


class SourceDay(Told):
    """How a day of a source stands."""

    day: date
    state: str
    evidence: str
    papers: int


class Source(Told):
    """How a source stands."""

    source: str
    state: str
    detail: str
    asked_at: datetime | None
    succeeded_at: datetime | None
    days: list[SourceDay]


class Host(Told):
    """What was asked of a host in 24 hours."""

    host: str
    requests: int
    answers: dict[str, int] = Field(description="By HTTP status.")
    closed_until: datetime | None
    sentence: str


class Model(Told):
    """The current model."""

    trained_at: datetime
    papers: int
    votes: int
    seconds: float


class Sizes(Told):
    """How much there is."""

    papers: int
    newest_day: date | None
    votes: int
    database: str
    database_bytes: int


class Overview(Told):
    """How the installation is doing; nobody's address."""

    version: str
    at: datetime
    wrong: list[str] = Field(description="What is wrong, in sentences.")
    runs: Runs
    subscribers: dict[str, int] = Field(
        description="By state; `suppressed` ones are counted twice."
    )
    mails: Mails
    silent: list[Silent]
    bounces: dict[str, int] = Field(description="What came back in 30 days, by kind.")
    sources: list[Source]
    requests: list[Host]
    model: Model | None
    sizes: Sizes


@router.get("/operator", dependencies=[BY_THE_OPERATOR])
def look(here: Here) -> Overview:
    """Subscribers, runs, mails, sources, sizes and what is wrong."""
    found: dict[str, Any] = overview(here)
    return told(Overview, found)
