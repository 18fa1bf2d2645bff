"""What every ranker in a comparison is: fitted on a training, then asked for ranked candidates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from paperpost.evaluation.splits import Papers, Training
from recommender.matrices import Booleans, Floats, SparseRows
from recommender.metrics import Positions, Values
from recommender.rank import best_first


@dataclass(frozen=True, slots=True)
class Lists:
    """Ranked candidates, readers x limit, best first.

    `positions` are -1 past a list's end; `probabilities` of a like are NaN where none is told.
    """

    positions: Positions
    probabilities: Values


# From histories (readers x training papers), what is allowed (readers x candidates; None: all)
# and a limit.
Ranker = Callable[[SparseRows, Booleans | None, int], Lists]
# From the training and the candidates.
Fit = Callable[[Training, Papers], Ranker]
# From histories: scores, readers x candidates.
Scorer = Callable[[SparseRows], Floats]


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to rank, by name; a slow one is asked about no more than `most_readers`."""

    name: str
    fit: Fit
    most_readers: int | None = None


def by_score(fit: Callable[[Training, Papers], Scorer]) -> Fit:
    """Rank by descending score, equal scores in the order of the candidates."""

    def fit_ranker(training: Training, candidates: Papers) -> Ranker:
        score = fit(training, candidates)

        def ranker(histories: SparseRows, allowed: Booleans | None, limit: int) -> Lists:
            scores = score(histories).astype(np.float64)
            if allowed is not None:
                scores[~allowed] = -np.inf
            return lists_of(list(best_first(scores, limit)), limit)

        return ranker

    return fit_ranker


def lists_of(
    ranked: Sequence[Sequence[int]],
    limit: int,
    probabilities: Sequence[Sequence[float]] | None = None,
) -> Lists:
    """From positions and, where there are any, their probabilities, of any length up to `limit`."""
    lists = Lists(
        np.full((len(ranked), limit), -1, dtype=np.int32), np.full((len(ranked), limit), np.nan)
    )
    for row, positions in enumerate(ranked):
        lists.positions[row, : len(positions)] = positions
    for row, own in enumerate(probabilities or ()):
        lists.probabilities[row, : len(own)] = own
    return lists
