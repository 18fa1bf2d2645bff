"""A subscriber's own library as a start: what they collected before becomes votes."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import Field

from paperpost.service import library
from paperpost.web.api.bearer import Asks, Here
from paperpost.web.api.document import refusals
from paperpost.web.api.limits import Told

router = APIRouter(prefix="/me/library", tags=["library"])

POSTED = "what you sent"
MOST_LISTED = 500


class Unrecognised(Told):
    """What of a library is no vote."""

    place: str = Field(description="Where it stands there.")
    entry: str = Field(description="What it is called there.")
    reason: str


class Suggested(Told):
    """Interests that a library suggests; nobody follows them until they are put."""

    keywords: list[str]
    authors: list[str]


class Taken(Told):
    """What became of a library."""

    recognised: int
    stored: int = Field(description="Of these those that a source has told of.")
    added_votes: int
    already: int = Field(description="Those on which a vote stood, or that came twice.")
    unrecognised: list[Unrecognised] = Field(description=f"The first {MOST_LISTED}.")
    suggested: Suggested


class TakenBack(Told):
    """What was undone."""

    votes: int


@router.post("", responses=refusals(409))
def bring_library(
    here: Here,
    asks: Asks,
    works: Annotated[
        bytes,
        Body(
            media_type="text/plain",
            min_length=1,
            description="BibTeX, RIS, or ids one on each line; 5 MB at most.",
            examples=["2604.00001\n2604.00002\n"],
        ),
    ],
) -> Taken:
    """Vote for everything in a library."""
    found = library.take_in(here, asks.number, library.read(works, POSTED))
    unrecognised = [
        Unrecognised(place=one.place, entry=one.entry, reason=one.reason)
        for one in found.unrecognised[:MOST_LISTED]
    ]
    return Taken(
        recognised=found.recognised,
        stored=found.stored,
        added_votes=found.added_votes,
        already=found.already,
        unrecognised=unrecognised,
        suggested=Suggested(
            keywords=list(found.suggested.keywords), authors=list(found.suggested.authors)
        ),
    )


@router.delete("")
def take_library_back(here: Here, asks: Asks) -> TakenBack:
    """Undo everything that libraries became, but for interests."""
    return TakenBack(votes=library.take_back(here, asks.number))
