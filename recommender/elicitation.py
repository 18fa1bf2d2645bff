"""Which papers to ask a reader about, before much is known of them: preference elicitation.

A set of papers is chosen for what votes on all of them would teach about the papers that this
reader may like. What is not known of papers is the posterior covariance of a ridge regression on
the reader's keywords and votes (as in explore.py); each step takes the paper whose vote leaves
least of it, in the papers weighted by the probability of a vote up. That is the V-optimality of
transductive experimental design (Yu, Bi and Tresp, "Active learning via transductive experimental
design", ICML 2006): it asks where the ranker is unsure, about many papers at once, and never
twice about the same, for a chosen paper takes the doubt away from those like it. As votes down
are common and teach little, what a paper's vote would teach counts as much as it is probably up.
"""

import numpy as np
import numpy.typing as npt

from recommender.batch import Batch
from recommender.best import Best
from recommender.calibration import Calibration
from recommender.explore import RIDGE, condensed
from recommender.matrices import Booleans, Floats, entries
from recommender.profile import Profiles, votes_on
from recommender.rank import best
from recommender.threads import single_threaded_blas

# The papers asked about are among so many of the best: further down nearly all votes are down.
POOL = 100

_Doubles = npt.NDArray[np.float64]


def questions(
    profiles: Profiles,
    batch: Batch,
    *,
    count: int,
    allowed: Booleans | None = None,
    calibration: Calibration | None = None,
) -> list[list[int]]:
    """For each reader the places in the batch of up to `count` papers to ask about, the one whose
    vote teaches most first.

    `allowed` (readers x papers) leaves papers out for some readers. Nothing is asked that is muted
    or was voted on before, nor a copy of that or of another question. Where no words are known of
    a reader the pool is spread over all papers.
    """
    unvoted = _unvoted(profiles, batch, allowed)
    found = best(profiles, batch, limit=len(batch), allowed=unvoted)
    calibration = calibration or Calibration()
    with single_threaded_blas():
        return [
            _questions(profiles, batch, found, row, count, calibration)
            for row in range(len(found.positions))
        ]


def _questions(
    profiles: Profiles, batch: Batch, found: Best, row: int, count: int, calibration: Calibration
) -> list[int]:
    ranking = found.of(row)
    is_known = profiles.vectors.centroids[row].any()
    step = 1 if is_known else max(-(-len(ranking) // POOL), 1)
    pool = ranking[::step][:POOL]
    chances = calibration.probabilities(found.scores[row, : len(ranking) : step][:POOL])
    seen, _ = entries(profiles.vectors.weights, row)
    doubt = _covariance(batch.factors[pool], profiles.evidence.factors[seen])
    return [pool[place] for place in _most_telling(doubt, chances, count)]


def _unvoted(profiles: Profiles, batch: Batch, allowed: Booleans | None) -> Booleans:
    """Readers x papers: what is allowed, and no copy of what the reader voted on."""
    shape = (len(profiles), len(batch))
    unvoted = np.ones(shape, dtype=np.bool_) if allowed is None else allowed.copy()
    for row, reader in enumerate(profiles.readers):
        for place in votes_on(reader.votes, batch.positions):
            unvoted[row, list(batch.copies.get(place, (place,)))] = False
    return unvoted


def _covariance(papers: Floats, seen: Floats) -> _Doubles:
    """What is not known of papers, from their factors and those of what was seen: the posterior
    covariance of a ridge regression (papers x papers)."""
    rows, known = papers.astype(np.float64), condensed(seen).astype(np.float64)
    shared = rows @ known.T
    kernel = known @ known.T + RIDGE * np.eye(len(known))
    return rows @ rows.T - shared @ np.linalg.solve(kernel, shared.T)


def _most_telling(doubt: _Doubles, chances: npt.ArrayLike, count: int) -> list[int]:
    """Up to `count` places, chosen one after the other; `doubt` is a covariance, `chances` are
    probabilities of a vote up. Equal ones in order."""
    doubt, likely = doubt.copy(), np.asarray(chances, dtype=np.float64)
    left = np.ones(len(likely), dtype=np.bool_)
    chosen: list[int] = []
    for _ in range(min(count, len(likely))):
        variances = np.diag(doubt) + RIDGE
        gains = likely * (likely @ doubt**2) / variances
        place = int(np.argmax(np.where(left, gains, -1)))
        doubt -= np.outer(doubt[place], doubt[place]) / variances[place]
        left[place] = False
        chosen.append(place)
    return chosen
