"""What a subscriber would get, what they got, and how well that did."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import Field

from paperpost.service import past_digests, record
from paperpost.service.explain import explain_at_hand
from paperpost.service.frozen_digest import frozen_digest
from paperpost.service.record import Record
from paperpost.store.tables import DeliveryState
from paperpost.web.api.bearer import Asks, Here
from paperpost.web.api.document import refusals
from paperpost.web.api.limits import Day, PageNumber, Told, told

router = APIRouter(prefix="/me", tags=["digests"])

MOST_RANKED = 200


class RankedPaper(Told):
    """A paper that would be mailed, and why."""

    paper: str
    title: str
    score: float
    probability: float = Field(description="Of a vote up, from 0 to 1.")
    reasons: list[str]
    explored: bool = Field(description="It is from outside the usual.")
    revised: bool = Field(description="Not the paper is new, but its version.")
    also: list[str] = Field(description="The same work under other ids.")
    interest: str | None = Field(description="The named interest that it is there for.")


class DigestEntry(Told):
    """A digest in the list of all."""

    date: date
    subject: str
    papers: int = Field(description="How many it has.")
    state: DeliveryState
    because: str = Field(description="Why there was no mail, or none that arrived.")
    at: datetime = Field(description="When it was sent, or else was due.")


class DigestPage(Told):
    """A page of digests, the newest first."""

    total: int
    page: int
    pages: int
    digests: list[DigestEntry]


class FrozenPaper(Told):
    """A paper as it was mailed."""

    paper: str = Field(description="Its id now; empty if it is no longer stored.")
    title: str
    score: float
    probability: float | None = Field(description="Of a vote up, from 0 to 1, as foretold then.")
    reasons: list[str]
    trending: bool
    explored: bool


class FrozenDigest(Told):
    """A digest as it was frozen when it was composed."""

    date: date
    state: DeliveryState
    considered: int = Field(description="How many papers were candidates.")
    silence: str = Field(description="Why there are no papers.")
    missing: str = Field(description="Whose papers should have been there, too.")
    papers: list[FrozenPaper]


class Tally(Told):
    """Papers that were mailed, and what their reader says of them now."""

    mailed: int
    liked: int
    disliked: int
    expected: float = Field(description="How many were expected to be liked, of those foretold.")
    foretold: int = Field(description="Those that were mailed with a probability.")
    share_of_mailed: float | None = Field(description="Liked among mailed; null for a few.")


class Week(Tally):
    """An ISO week."""

    week: str = Field(examples=["2026-W15"])


class WholeRecord(Told):
    """How well it did, week by week, the oldest first."""

    weeks: list[Week]
    total: Tally
    explored: Tally = Field(description="Of these the papers from outside the usual.")


@router.get("/ranking", responses=refusals(409, 503))
def ranking(
    here: Here,
    asks: Asks,
    on: Annotated[Day | None, Query(description="The digest's date [today].")] = None,
    top: Annotated[
        int | None,
        Query(ge=1, le=MOST_RANKED, description="So many, whatever size and threshold."),
    ] = None,
) -> list[RankedPaper]:
    """What the digest of a date would have, as if it had not been composed, the best first."""
    found = explain_at_hand(here, asks.person.email, on, top)
    if found is None:
        raise HTTPException(409, "No model is trained yet.")
    return [told(RankedPaper, one) for one in found]


@router.get("/digests", responses=refusals(404))
def list_digests(here: Here, asks: Asks, page: PageNumber = 1) -> DigestPage:
    """Past digests, thirty to a page."""
    found = past_digests.show(here, asks.number, page)
    if page > found.pages:
        raise HTTPException(404, "There are not so many pages.")
    entries = [
        DigestEntry(
            date=one.local_date,
            subject=one.subject,
            papers=one.papers,
            state=DeliveryState(one.state),
            because=one.because,
            at=one.at,
        )
        for one in found.digests
    ]
    return DigestPage(total=found.total, page=found.page, pages=found.pages, digests=entries)


@router.get("/digests/{day}", responses=refusals(404))
def one_digest(
    here: Here, asks: Asks, day: Annotated[Day, Path(description="Its local date.")]
) -> FrozenDigest:
    """A digest as it was frozen: its papers, and why each was there."""
    found = frozen_digest(here, asks.number, day)
    if found is None:
        raise HTTPException(404, f"There is no digest of {day}.")
    return told(FrozenDigest, found)


@router.get("/record")
def own_record(here: Here, asks: Asks) -> WholeRecord:
    """How well it did: what was mailed in the last half year, and what was liked of it."""
    found: Record = record.record(here, asks.number)
    weeks: list[Any] = [Week(week=one.name, **_tally(one.tally)) for one in found.weeks]
    return WholeRecord(
        weeks=weeks, total=told(Tally, found.total), explored=told(Tally, found.explored)
    )


def _tally(found: record.Tally) -> dict[str, Any]:
    return told(Tally, found).model_dump()
