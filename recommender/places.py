"""Where papers are in a model's space, also those that it was not trained on; what is nearest to
some words, and two rankings put together."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from recommender.matrices import Floats
from recommender.model import Model
from recommender.text import Paper

T = TypeVar("T", bound=Hashable)

# Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
# Learning Methods" (SIGIR 2009): flat around this value.
RANK_CONSTANT = 60


@dataclass(frozen=True)
class Places:
    """The trained papers of a model, and behind them others that are `folded` in (papers x
    factors) from their words."""

    model: Model
    others: tuple[str, ...] = ()
    folded: tuple[Floats, ...] = field(default=())

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Of all papers, in the order of their places."""
        return self.model.paper_ids + self.others

    def with_more(self, papers: Sequence[Paper]) -> "Places":
        """These and more papers, which the model was not trained on."""
        ids = tuple(paper.id for paper in papers)
        factors = self.model.batch(papers).factors
        return replace(self, others=self.others + ids, folded=(*self.folded, factors))

    def keeping(self, others: Sequence[int]) -> "Places":
        """These with only some of the others, by their order among them."""
        ids = tuple(self.others[place] for place in others)
        folded = (np.concatenate(self.folded)[list(others)],) if ids else ()
        return replace(self, others=ids, folded=folded)

    def meaning(self, words: str) -> Floats | None:
        """Where a text would be, as a paper; None if the model knows none of its words."""
        seed = self.model.seeds([words])
        return seed.factors[0] if seed.tfidf.data.size else None

    def nearest(
        self,
        factors: Floats,
        limit: int,
        among: npt.NDArray[np.bool_] | None = None,
    ) -> list[tuple[int, float]]:
        """The places of the `limit` papers with the greatest cosine to a row of factors, and it,
        greatest first; `among` tells for each place whether it counts."""
        cosines = self._cosines(factors)
        if among is not None:
            cosines[~among] = -np.inf
        limit = min(limit, len(cosines))
        if not limit:
            return []
        best = np.argpartition(-cosines, limit - 1)[:limit]
        ordered = best[np.argsort(-cosines[best], kind="stable")]
        return [(int(p), float(cosines[p])) for p in ordered if cosines[p] > -np.inf]

    def _cosines(self, factors: Floats) -> Floats:
        parts = (self.model.space.paper_factors, *self.folded)
        return np.concatenate([part @ factors for part in parts])


def fused(rankings: Sequence[tuple[float, Sequence[T]]]) -> list[T]:
    """One ranking of what stands in several, by the sum of reciprocal ranks (RANK_CONSTANT), each
    times its ranking's weight."""
    scores: dict[T, float] = {}
    for weight, ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (RANK_CONSTANT + rank)
    return sorted(scores, key=lambda item: -scores[item])
