"""Papers to be asked about, and what was answered."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from paperpost.service import rate
from paperpost.service.rate import ASKED
from paperpost.web.api.bearer import Asks, Here
from paperpost.web.api.document import refusals
from paperpost.web.api.limits import LONGEST_NAME, Said, Told, told
from paperpost.web.api.papers import Paper

router = APIRouter(prefix="/me/questions", tags=["rating"])

Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]


class Answers(Said):
    """What is said of some papers."""

    answers: dict[Name, Literal["up", "down"]] = Field(
        min_length=1, max_length=ASKED, examples=[{"2604.00001": "up"}]
    )


class Rated(Told):
    """How many papers now have a vote by that."""

    rated: int


@router.get("", responses=refusals(503))
def questions(here: Here, asks: Asks) -> list[Paper]:
    """Up to ten papers on which a vote would teach the most; none before a model is trained."""
    return [told(Paper, one) for one in rate.questions_for(here, asks.person)]


@router.post("")
def answer_questions(here: Here, asks: Asks, said: Answers) -> Rated:
    """Answer: each is a vote that counts at once. What is no paper here is passed over."""
    return Rated(rated=rate.answer(here, asks.number, said.answers))
