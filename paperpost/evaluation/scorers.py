"""What every ranker in a comparison is: fitted on a training, then asked for ranked candidates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from paperpost.evaluation.splits import Papers, Training
from recommender.matrices import Booleans, Floats, SparseRows
from recommender.metrics import Positions
from recommender.rank import best_first

# From histories (readers x training papers), what is allowed (readers x candidates; None: all)
# and a limit: positions of candidates, readers x limit, best first, -1 past a list's end.
Ranker = Callable[[SparseRows, Booleans | None, int], Positions]
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

        def ranker(histories: SparseRows, allowed: Booleans | None, limit: int) -> Positions:
            scores = score(histories).astype(np.float64)
            if allowed is not None:
                scores[~allowed] = -np.inf
            return padded([best_first(row, limit) for row in scores], limit)

        return ranker

    return fit_ranker


def padded(ranked: list[list[int]], limit: int) -> Positions:
    """Lists of positions as readers x limit, -1 past a list's end."""
    rows = np.full((len(ranked), limit), -1, dtype=np.int32)
    for row, positions in zip(rows, ranked, strict=True):
        row[: len(positions)] = positions
    return rows
