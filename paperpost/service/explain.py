"""What a subscriber would get, and why; nothing is changed."""

from datetime import date
from functools import partial
from typing import Any

from paperpost.service import calendar
from paperpost.service.account import named
from paperpost.service.choices import Ranking
from paperpost.service.installation import Installation
from paperpost.service.ranking import get_ready, rank_block
from paperpost.service.train import model_at_hand
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber


def explain(
    installation: Installation, email: str, on: date | None = None, top: int | None = None
) -> list[dict[str, Any]]:
    """The ranked candidates of the digest dated `on` (the subscriber's today if None), as if it
    had not been composed: paper, title, score, probability, reasons, whether it is outside
    their usual, whether only its version is new, and for which named interest it is, best first.
    `top` replaces their size and threshold."""
    person, day = _asked(installation, email, on)
    return _told(rank_block(installation, [person], day, limit=top)[id_of(person)])


def _asked(installation: Installation, email: str, on: date | None) -> tuple[Subscriber, date]:
    with installation.database.reading() as session:
        person = named(session, email)
    return person, on or calendar.local_date(person.timezone, installation.clock())


def _told(ranking: Ranking) -> list[dict[str, Any]]:
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
    """The same in a process that serves pages, of papers and others' votes as they were up to a
    minute ago; None as long as no model was trained. Raises TooBusy."""
    model = model_at_hand(installation)
    if model is None:
        return None
    person, day = _asked(installation, email, on)
    rank = partial(rank_block, installation, [person], day, limit=top, for_page=True)
    # One after the other: the first of a day works out what the others use.
    with installation.slot.one_previews:
        ranked = None if get_ready(installation, model, person, day) else rank()
    return _told((ranked or rank())[id_of(person)])
