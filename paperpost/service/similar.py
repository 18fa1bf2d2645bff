"""Papers like a paper, and the same work under other ids, for its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from mailer.plain import readable
from paperpost.service.installation import Installation
from paperpost.service.space import space_at_hand
from paperpost.service.train import text_of
from paperpost.store import papers

if TYPE_CHECKING:
    from paperpost.store.tables import Paper
    from recommender.places import Places

MOST = 8
MOST_AUTHORS = 3


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A paper as another one's page names it; `authors` are the first of `author_count`."""

    id: str
    title: str
    authors: tuple[str, ...]
    author_count: int
    announced: date


@dataclass(frozen=True, slots=True)
class SimilarView:
    """The papers most like one, best first, and its other versions; either may be empty."""

    papers: tuple[Neighbour, ...] = ()
    versions: tuple[Neighbour, ...] = ()


def similar(installation: Installation, name: str) -> SimilarView:
    """What is like the paper of that name; nothing where there is no such paper or no model."""
    with installation.database.reading() as session:
        paper = papers.find(session, name)
    space = space_at_hand(installation) if paper is not None else None
    if paper is None or space is None:
        return SimilarView()
    return _similar(installation, space.places, paper)


def _similar(installation: Installation, places: Places, paper: Paper) -> SimilarView:
    from recommender.similar import nearby, neighbours

    model = places.model
    here = model.batch([text_of(paper)])
    with installation.database.reading() as session:
        found = papers.named(session, nearby(places, here))
    others = [other for other in found if other.number != paper.number]
    around = neighbours(here, model.batch([text_of(other) for other in others]), MOST)
    return SimilarView(
        tuple(_neighbour(others[position]) for position in around.similar),
        tuple(_neighbour(others[position]) for position in around.copies),
    )


def _neighbour(paper: Paper) -> Neighbour:
    return Neighbour(
        paper.id,
        readable(paper.title),
        tuple(readable(name) for name in paper.authors[:MOST_AUTHORS]),
        len(paper.authors),
        paper.announced,
    )
