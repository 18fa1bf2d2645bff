"""What a subscriber would get, and why; nothing is changed."""

from datetime import date
from typing import Any

from paperpost.service import calendar
from paperpost.service.account import named
from paperpost.service.installation import Installation
from paperpost.service.ranking import rank_block
from paperpost.store.subscribers import id_of


def explain(
    installation: Installation, email: str, on: date | None = None, top: int | None = None
) -> list[dict[str, Any]]:
    """The ranked candidates of the digest dated `on` (the subscriber's today if None), as if it
    had not been composed: paper, title, score, probability, reasons, whether it is outside
    their usual, and whether only its version is new, best first. `top` replaces their size and
    threshold."""
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
        }
        for choice in ranking.choices
    ]
