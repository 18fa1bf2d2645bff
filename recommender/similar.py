"""Papers like a paper: its nearest in a model's space."""

from dataclasses import dataclass

import numpy as np

from recommender.batch import Batch
from recommender.duplicates import copies
from recommender.matrices import Floats, dense_product, transposed
from recommender.neighbours import STEP_VOTES
from recommender.places import Places

# By factors alone the nearest 50 hold 99 % of the eight that are closest by words and factors
# together (150 papers among 13,800 of arXiv); reading more texts would cost a page its speed.
LOOKED_AT = 50
# Below this mean of the two cosines papers seldom share a subject, judged by eye on arXiv.
LEAST_CLOSE = 0.2
# A step of one in ten, logarithm of eleven, is worth a tenth of a cosine: it moves a paper past
# others of its subject, and brings in a strange one only where most readers agree.
STEPS_WEIGHT = 0.05


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Positions in the papers that were looked at, best first; none stands in both."""

    similar: list[int]
    copies: list[int]


def nearby(places: Places, paper: Batch) -> list[str]:
    """The ids of papers whose texts are worth looking at, without the paper's own.

    `paper` is a batch of one.
    """
    found = [places.ids[place] for place, _ in places.nearest(paper.factors[0], LOOKED_AT + 1)]
    place = int(paper.trained[0])
    if place >= 0:
        model = places.model
        found += [model.paper_ids[other] for other in model.neighbours.around(place)]
    return [paper_id for paper_id in dict.fromkeys(found) if paper_id not in paper.positions]


def neighbours(paper: Batch, others: Batch, limit: int) -> Neighbours:
    """The `limit` closest of `others`, a work told twice once; and the paper's own copies."""
    close = _closeness(paper, others)
    order = [int(p) for p in np.argsort(-close, kind="stable") if close[p] >= LEAST_CLOSE]
    own = copies(paper.papers, others.papers).get(0, [])
    seen = set(own)
    similar: list[int] = []
    for position in order:
        if position not in seen:
            similar.append(position)
            seen.update(others.copies.get(position, ()))
    return Neighbours(similar[:limit], own)


def _closeness(paper: Batch, others: Batch) -> Floats:
    """The mean of the cosines in words and in factors with each of the others, and what readers
    of the one and of the other have in common."""
    words = dense_product(others.tfidf, transposed(paper.tfidf))[:, 0]
    factors: Floats = others.factors @ paper.factors[0]
    steps = paper.neighbours.between(int(paper.trained[0]), others.trained)
    return np.asarray((words + factors) / 2 + STEPS_WEIGHT * np.log1p(STEP_VOTES * steps))
