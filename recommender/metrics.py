"""How good ranked lists are, one value per reader, and how sure one may be of the mean.

A list is given as its hits: readers x places, true where the paper at that place is relevant;
places after the end of a short list are false. A reader without a relevant paper has no value
(NaN) and does not count in a mean.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.matrices import Booleans, SparseRows, entries

Values = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int32]

_RESAMPLES_AT_ONCE = 100  # five megabytes for six thousand readers


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the interval it lies in with the confidence asked for."""

    mean: float
    low: float
    high: float


def hits_of(ranked: Positions, relevant: SparseRows) -> Booleans:
    """Hits of ranked positions (readers x places, -1 past a list's end).

    `relevant` (readers x papers) has an entry for every relevant paper.
    """
    hits = np.zeros(ranked.shape, dtype=np.bool_)
    is_relevant = np.zeros(relevant.shape[1] + 1, dtype=np.bool_)  # the last one stands for -1
    for row, positions in enumerate(ranked):
        columns, _ = entries(relevant, row)
        is_relevant[columns] = True
        hits[row] = is_relevant[positions]
        is_relevant[columns] = False
    return hits


def relevant_counts(relevant: SparseRows) -> Positions:
    """How many papers are relevant to each reader."""
    return np.diff(relevant.indptr).astype(np.int32)


def hit_at(k: int, hits: Booleans, relevant: Positions) -> Values:
    """1 where one of the first `k` papers is relevant, else 0."""
    return _shares(hits[:, :k].any(axis=1), np.minimum(relevant, 1))


def recall_at(k: int, hits: Booleans, relevant: Positions) -> Values:
    """The share of a reader's relevant papers that stand among the first `k`."""
    return _shares(hits[:, :k].sum(axis=1), relevant)


def precision_at(k: int, hits: Booleans, relevant: Positions) -> Values:
    """Relevant papers among the first `k`, as a share of the most that could stand there.

    The most is `min(k, relevant)`, so that a perfect list has 1 on a day with three such papers.
    """
    return _shares(hits[:, :k].sum(axis=1), np.minimum(relevant, k))


def ndcg_at(k: int, hits: Booleans, relevant: Positions) -> Values:
    """Normalised discounted cumulative gain with binary gains (Järvelin and Kekäläinen, 2002).

    The ideal list has `min(k, relevant)` hits at its head.
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideals = np.concatenate([[0.0], np.cumsum(discounts)])
    places = hits[:, :k]
    gains = places @ discounts[: places.shape[1]]
    return _shares(gains, ideals[np.minimum(relevant, k)])


def mean(values: Values) -> float:
    """The mean of the readers that have a value; NaN if none has."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def bootstrap_interval(
    values: Values, rng: np.random.Generator, *, level: float = 0.95, resamples: int = 1000
) -> Interval:
    """The mean with its percentile bootstrap interval over readers (Efron, 1979).

    Readers without a value are left out; with none left all three are NaN.
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return Interval(float("nan"), float("nan"), float("nan"))
    starts = range(0, resamples, _RESAMPLES_AT_ONCE)
    blocks = [min(_RESAMPLES_AT_ONCE, resamples - start) for start in starts]
    draws = (rng.integers(0, known.size, (block, known.size)) for block in blocks)
    means = np.concatenate([known[drawn].mean(axis=1) for drawn in draws])
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(known.mean()), float(low), float(high))


def _shares(gained: npt.ArrayLike, possible: npt.ArrayLike) -> Values:
    """`gained / possible`, NaN where nothing was possible."""
    most = np.asarray(possible, dtype=np.float64)
    shares = np.full(most.shape, np.nan)
    np.divide(np.asarray(gained, dtype=np.float64), most, out=shares, where=most > 0)
    return shares
