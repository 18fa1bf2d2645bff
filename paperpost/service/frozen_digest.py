"""What a past digest was made of, as it was frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from mailer.plain import readable
from paperpost.service.installation import Installation
from paperpost.store import digests, papers
from paperpost.store.tables import Delivery, Paper


@dataclass(frozen=True, slots=True)
class FrozenPaper:
    """A paper as it was chosen: `paper` is its id and `title` its title now, both empty if it is no
    longer stored; `probability` (0 to 1) is None where that was not known."""

    paper: str
    title: str
    score: float
    probability: float | None
    reasons: tuple[str, ...]
    trending: bool
    explored: bool


@dataclass(frozen=True, slots=True)
class FrozenDigest:
    """A digest of one local date. `state` is its mail's; `silence` says why it has no papers,
    `missing` whose papers should have been there; `considered` is how many were candidates."""

    date: date
    state: str
    considered: int
    silence: str
    missing: str
    papers: tuple[FrozenPaper, ...]


def frozen_digest(installation: Installation, number: int, day: date) -> FrozenDigest | None:
    """A subscriber's digest of a local date; None if there is none. Changes nothing."""
    with installation.database.reading() as session:
        digest = digests.of_date(session, number, day)
        delivery = None if digest is None else session.get(Delivery, digest.delivery_id)
        if digest is None or delivery is None:
            return None
        stored = papers.by_number(session, {item["paper"] for item in digest.items})
    return FrozenDigest(
        date=digest.local_date,
        state=delivery.state,
        considered=digest.considered,
        silence=digest.silence,
        missing=digest.missing,
        papers=tuple(_told(item, stored.get(item["paper"])) for item in digest.items),
    )


def _told(item: Mapping[str, Any], paper: Paper | None) -> FrozenPaper:
    return FrozenPaper(
        paper="" if paper is None else paper.id,
        title="" if paper is None else readable(paper.title),
        score=item["score"],
        probability=item.get("probability"),
        reasons=tuple(item["reasons"]),
        trending=item.get("trending", False),
        explored=item.get("explored", False),
    )
