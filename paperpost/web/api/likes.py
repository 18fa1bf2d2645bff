"""What Paperpost thinks that a subscriber likes."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from paperpost.service import likes
from paperpost.web.api.bearer import Asks, Here
from paperpost.web.api.limits import Told, told

router = APIRouter(prefix="/me", tags=["interests"])


class LikedWord(Told):
    """A word of the profile."""

    name: str
    is_keyword: bool = Field(description="It was asked for, rather than brought in by votes.")
    percent: int = Field(description="Its weight beside the strongest one's.")
    liked: int = Field(description="In how many liked papers it stands.")


class LikedPaper(Told):
    """A liked paper that carries the profile."""

    id: str | None = Field(description="Null for a work that only one's own library tells of.")
    title: str
    x: float = Field(description="Its place on the map, from the left, 0 to 1.")
    y: float = Field(description="From the top, 0 to 1.")
    group: int = Field(description="The place of its group among `groups`.")
    cast_at: datetime


class Likes(Told):
    """What the profile says, the strongest first; nothing before a model is trained."""

    words: list[LikedWord]
    papers: list[LikedPaper]
    groups: list[str]
    votes_up: int
    authors: list[str]
    categories: list[str]
    muted: list[str]
    forgotten: list[str]


@router.get("/likes")
def own_likes(here: Here, asks: Asks) -> Likes:
    """What the profile says. A word is forgotten by `PATCH /me/interests`, a paper by a vote."""
    return told(Likes, likes.likes(here, asks.person))
