"""What a subscriber asked for: general terms, named interests with their shares, muted and
forgotten words."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from pydantic import Field

from paperpost.service import account, interests, likes, wishes
from paperpost.service.interests import LONGEST_NAME, MOST_SHARE, Change
from paperpost.store.tables import InterestKind
from paperpost.web.api.bearer import Asks, Here
from paperpost.web.api.document import refusals
from paperpost.web.api.limits import IN_FIGURES, NOT_BLANK, Said, Terms, Told
from paperpost.web.api.problems import conflicts

router = APIRouter(prefix="/me/interests", tags=["interests"])

KINDS = {
    "keywords": InterestKind.KEYWORD,
    "authors": InterestKind.AUTHOR,
    "categories": InterestKind.CATEGORY,
}
Name = Annotated[str, Field(max_length=LONGEST_NAME, pattern=NOT_BLANK)]
Share = Annotated[int, Field(ge=1, le=MOST_SHARE), IN_FIGURES]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="A named interest's number.")]


class OwnTerms(Told):
    """Terms by kind."""

    keywords: list[str]
    authors: list[str]
    categories: list[str]


class Named(OwnTerms):
    """An interest kept apart."""

    number: int
    name: str
    share: int = Field(description="In relation to the shares of the others.")
    percent: int = Field(description="What it has of a digest.")


class Interests(Told):
    """Everything that was asked for."""

    general: OwnTerms = Field(description="What belongs to no named interest.")
    general_percent: int = Field(description="What that has of a digest.")
    named: list[Named]
    muted: list[str] = Field(description="Papers with these words stay out.")
    forgotten: list[str] = Field(description="Words that count for nothing in the profile.")


class Lists(Said):
    """Terms by kind; a kind that is missing or null stays as it is."""

    keywords: Terms | None = None
    authors: Terms | None = None
    categories: Terms | None = None


class GeneralLists(Lists):
    """What belongs to no named interest, and what is muted or forgotten."""

    muted: Terms | None = None
    forgotten: Terms | None = None


class NewNamed(Lists):
    """An interest to be kept apart. Its terms leave any other they belong to."""

    name: Name = Field(examples=["proteins"])
    share: Share = Field(examples=[30])


class ChangedNamed(Lists):
    """What is to become of a named interest; what is missing or null stays as it is."""

    name: Name | None = None
    share: Share | None = None


@router.get("")
def list_interests(here: Here, asks: Asks) -> Interests:
    """Everything that was asked for."""
    return _told(interests.interests(here, asks.number))


@router.patch("", responses=refusals(409))
def change_interests(here: Here, asks: Asks, said: GeneralLists) -> Interests:
    """Make these lists exactly so: general terms, what is muted, and what is forgotten."""
    if said.muted is not None:
        account.change(here, asks.number, wishes.checked({"muted": said.muted}))
    if said.forgotten is not None:
        had = interests.interests(here, asks.number).forgotten
        gone = set(had) - set(said.forgotten)
        likes.drop(here, asks.number, InterestKind.FORGOTTEN, gone)
        likes.forget(here, asks.number, said.forgotten)
    with conflicts():
        return _told(interests.change(here, asks.number, {None: Change(terms=_terms(said))}))


@router.post("/named", status_code=201, responses=refusals(409))
def add_interest(here: Here, asks: Asks, said: NewNamed) -> Interests:
    """Keep an interest apart; the newest stands last."""
    with conflicts():
        interests.add(here, asks.number, said.name, said.share, _terms(said))
    return _told(interests.interests(here, asks.number))


@router.patch("/named/{number}", responses=refusals(404, 409))
def change_interest(here: Here, asks: Asks, number: Number, said: ChangedNamed) -> Interests:
    """Change a named interest: its name, its share, or its lists."""
    _require(here, asks, number)
    changed = Change(name=said.name, share=said.share, terms=_terms(said))
    with conflicts():
        return _told(interests.change(here, asks.number, {number: changed}))


@router.delete("/named/{number}", responses=refusals(404))
def remove_interest(here: Here, asks: Asks, number: Number) -> Interests:
    """Remove a named interest; its terms stay, as general ones."""
    _require(here, asks, number)
    interests.remove(here, asks.number, number)
    return _told(interests.interests(here, asks.number))


def _require(here: Here, asks: Asks, number: int) -> None:
    own = interests.interests(here, asks.number).named
    if all(one.number != number for one in own):
        raise HTTPException(404, "There is no such interest.")


def _terms(said: Lists) -> dict[InterestKind, Sequence[str]]:
    lists = {kind: getattr(said, name) for name, kind in KINDS.items()}
    return {kind: values for kind, values in lists.items() if values is not None}


def _told(found: interests.Interests) -> Interests:
    *percents, general_percent = found.percents
    return Interests(
        general=OwnTerms(**_by_name(found.general)),
        general_percent=general_percent,
        named=[
            Named(
                number=one.number,
                name=one.name,
                share=one.share,
                percent=percent,
                **_by_name(one.terms),
            )
            for one, percent in zip(found.named, percents, strict=True)
        ],
        muted=list(found.muted),
        forgotten=list(found.forgotten),
    )


def _by_name(terms: Mapping[InterestKind, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(terms.get(kind, ())) for name, kind in KINDS.items()}
