"""What a subscriber would get, and why; nothing is changed."""

from datetime import date
from typing import Any

from paperpost.service import calendar
from paperpost.service.account import named
from paperpost.service.installation import Installation
from paperpost.service.ranking import rank_block
from paperpost.service.train import model_at_hand
from paperpost.store.subscribers import id_of


def explain(
    installation: Installation, email: str, on: date | None = None, top: int | None = None
) -> list[dict[str, Any]]:
    """The ranked candidates of the digest dated `on` (the subscriber's today if None), as if it
    had not been composed: paper, title, score, probability, reasons, whether it is outside
    their usual, whether only its version is new, and for which named interest it is, best first.
    `top` replaces their size and threshold."""
    with installation.database.reading() as session:
        person = named(session, email)
    day = on or calendar.local_date(person.timezone, installation.clock())
    ranking = rank_block(installation, [person], day, limit=top)[id_of(person)]
    return [
        {
            "paper": choice.paper.id,
            "title": choice.paper.title,
            "score": round(float(choice.score), 4),
            "probability": choice.probability,
            "reasons": list(choice.reasons),
            "explored": choice.explored,
            "revised": choice.revised,
            "also": [paper.id for paper in choice.also],
            "interest": choice.interest,
        }
        for choice in ranking.choices
    ]


def explain_at_hand(
    installation: Installation, email: str, on: date | None = None, top: int | None = None
) -> list[dict[str, Any]] | None:
    """The same in a process that serves pages; None as long as no model was trained."""
    if model_at_hand(installation) is None:
        return None
    # One after the other: the first of a day works out what the others use.
    with installation.slot.one_previews:
        return explain(installation, email, on, top)
