"""What interests would bring, for somebody who is no subscriber yet."""

from datetime import date

from fastapi import APIRouter
from pydantic import Field

from paperpost.service import wishes
from paperpost.service.live_preview import preview
from paperpost.store.tables import InterestKind
from paperpost.web.api.bearer import Here
from paperpost.web.api.document import refusals
from paperpost.web.api.limits import Told, told
from paperpost.web.api.subscribing import Interests

router = APIRouter(tags=["subscribing"])


class Handle(Told):
    """Something that a paper could be asked for or muted by."""

    kind: InterestKind
    value: str


class PreviewedPaper(Told):
    """A paper that interests bring, and why."""

    id: str
    title: str
    authors: list[str]
    probability: float = Field(description="Of a vote up, from 0 to 1.")
    reasons: list[str]
    handles: list[Handle] = Field(description="Its strongest words, first authors and category.")


class Occurrence(Told):
    """In how many of the day's papers an interest stands; a muted one leaves those out."""

    kind: InterestKind
    value: str
    papers: int


class Preview(Told):
    """What interests bring of the newest day, the best first."""

    day: date | None = Field(description="Null where there are no papers.")
    ready: bool = Field(description="False as long as no model was trained: no papers then.")
    total: int = Field(description="The papers of the day.")
    considered: int = Field(description="Those that are not muted.")
    papers: list[PreviewedPaper]
    occurrences: list[Occurrence]


@router.post("/preview", responses=refusals(503))
def preview_interests(here: Here, said: Interests) -> Preview:
    """What interests would bring of the newest day's papers. Nothing is stored."""
    return told(Preview, preview(here, wishes.checked(said.model_dump())))
