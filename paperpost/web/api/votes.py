"""A subscriber's own votes, and those that did not count."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import Field

from paperpost.service import own_votes, vote
from paperpost.service.own_votes import OwnVotes
from paperpost.service.uncounted import Uncounted
from paperpost.service.vote import VALUES, WORDS
from paperpost.web.api.bearer import Asks, Here
from paperpost.web.api.document import refusals
from paperpost.web.api.limits import IN_FIGURES, PageNumber, PaperId, Said, Told

router = APIRouter(prefix="/me", tags=["votes"])

ORIGIN = "api"
MOST_RESTORED = 500


class Value(StrEnum):
    """What is said of a paper."""

    UP = "up"
    DOWN = "down"
    NONE = "none"


class OwnVote(Told):
    """A vote that holds."""

    paper: str | None = Field(description="Null for a work that only one's own library tells of.")
    title: str
    value: Value
    origin: str = Field(description="Where it was cast.", examples=["link", "api"])
    cast_at: datetime


class UncountedVote(Told):
    """A vote that does not count, or not yet."""

    number: int = Field(description="Its name for `POST /me/ignored-votes`.")
    paper: str
    title: str
    value: Value
    counts_at: datetime


class IgnoredVotes(Told):
    """Votes that were taken for a program's, together."""

    reason: str
    cast_at: datetime
    votes: list[UncountedVote]


class VotePage(Told):
    """A page of votes, the newest first."""

    ups: int = Field(description="Of all that hold.")
    downs: int = Field(description="Of all that hold.")
    page: int
    pages: int
    votes: list[OwnVote]
    held: list[UncountedVote] = Field(description="Votes by link that wait to count.")
    ignored: list[IgnoredVotes]


class Ballot(Said):
    """What is said of a paper."""

    value: Value = Field(description="`none` takes back what was said.")


class Cast(Told):
    """How a vote stands."""

    paper: str
    value: Value


class Restored(Said):
    """Ignored votes that were one's own."""

    votes: list[Annotated[int, Field(ge=1, le=2**53), IN_FIGURES]] = Field(
        min_length=1, max_length=MOST_RESTORED, description="Their numbers."
    )


@router.get("/votes", responses=refusals(404))
def list_votes(
    here: Here,
    asks: Asks,
    page: PageNumber = 1,
    value: Annotated[Literal["up", "down"] | None, Query(description="Those alone.")] = None,
) -> VotePage:
    """The votes that hold, fifty to a page, and those that do not count."""
    found = own_votes.show(here, asks.number, VALUES[value] if value else None, page)
    if page > found.pages:
        raise HTTPException(404, "There are not so many pages.")
    return _page(found)


def _page(found: OwnVotes) -> VotePage:
    return VotePage(
        ups=found.ups,
        downs=found.downs,
        page=found.page,
        pages=found.pages,
        votes=[
            OwnVote(
                paper=one.paper_id,
                title=one.title,
                value=Value(WORDS[one.value]),
                origin=one.origin,
                cast_at=one.cast_at,
            )
            for one in found.votes
        ],
        held=[_uncounted(one) for one in found.held],
        ignored=[
            IgnoredVotes(
                reason=burst.reason,
                cast_at=burst.cast_at,
                votes=[_uncounted(one) for one in burst.votes],
            )
            for burst in found.ignored
        ],
    )


def _uncounted(one: Uncounted) -> UncountedVote:
    return UncountedVote(
        number=one.number,
        paper=one.paper_id,
        title=one.title,
        value=Value(WORDS[one.value]),
        counts_at=one.counts_at,
    )


@router.put("/votes/{paper_id:path}", responses=refusals(404))
def put_vote(here: Here, asks: Asks, paper_id: PaperId, said: Ballot) -> Cast:
    """Vote on a paper; it counts at once."""
    standing = vote.cast_at_once(here, asks.number, paper_id, said.value, origin=ORIGIN)
    return Cast(paper=paper_id, value=Value(WORDS[standing.value]))


@router.post("/ignored-votes", responses=refusals(409))
def restore_votes(here: Here, asks: Asks, said: Restored) -> VotePage:
    """Have ignored votes count after all; the first page of all votes then."""
    own_votes.restore(here, asks.number, [str(number) for number in said.votes])
    return _page(own_votes.show(here, asks.number))
