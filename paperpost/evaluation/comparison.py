"""Contenders asked the same question, their answers measured reader by reader."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

import numpy as np

from paperpost.errors import PaperpostError
from paperpost.evaluation.reliability import Predictions
from paperpost.evaluation.scorers import Contender, Lists, Ranker
from paperpost.evaluation.splits import Numbers, Split
from recommender.matrices import Booleans
from recommender.metrics import (
    Interval,
    Positions,
    Values,
    bootstrap_interval,
    hit_at,
    hits_of,
    mean,
    ndcg_at,
    recall_at,
    relevant_counts,
)

Progress = Callable[[str], None]
# From hits (readers x places) and the number of relevant papers of each reader.
Metric = Callable[[Booleans, Positions], Values]

NEW_PAPERS: Mapping[str, Metric] = {
    "ndcg@10": partial(ndcg_at, 10),
    "hit@10": partial(hit_at, 10),
    "recall@10": partial(recall_at, 10),
    "recall@50": partial(recall_at, 50),
    "recall@100": partial(recall_at, 100),
}
PUBLISHED: Mapping[str, Metric] = {
    "recall@50": partial(recall_at, 50),
    "recall@300": partial(recall_at, 300),
}
# Each stands in the name of exactly one contender.
OURS = "Paperpost"
BASELINE = "TF-IDF"

_READERS_AT_ONCE = 256
_SAMPLE_SEED = 0


class EvaluationError(PaperpostError):
    """A comparison that cannot be made."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One contender's values by metric, one for each of `rows`, which are a split's readers.

    `predictions` (readers x places) are what was told of the papers listed.
    """

    rows: Numbers
    values: Mapping[str, Values]
    seconds: float
    predictions: Predictions | None = None

    def intervals(self, seed: int) -> dict[str, Interval]:
        """Each metric's mean over readers with its 95 % bootstrap interval."""
        return {
            name: bootstrap_interval(values, np.random.default_rng(seed))
            for name, values in self.values.items()
        }

    def lead(self, other: "Measured", metric: str, seed: int) -> Interval:
        """By how much this one is better, over the readers that both were asked about."""
        _, mine, theirs = np.intersect1d(self.rows, other.rows, return_indices=True)
        differences = self.values[metric][mine] - other.values[metric][theirs]
        return bootstrap_interval(differences, np.random.default_rng(seed))

    def ratio(self, other: "Measured", metric: str) -> float:
        """The two means' ratio."""
        return mean(self.values[metric]) / mean(other.values[metric])


def chosen(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The names that hold one of the parts `wanted`, whatever the case; all for none wanted."""
    for part in wanted:
        if not any(part.casefold() in name.casefold() for name in names):
            raise EvaluationError(f"no model's name has {part!r} in it: {', '.join(names)}")
    parts = [part.casefold() for part in wanted] or [""]
    return [name for name in names if any(part in name.casefold() for part in parts)]


def named(by_name: Mapping[str, Measured], part: str) -> Measured | None:
    """What belongs to the one name that holds `part`."""
    return next((measured for name, measured in by_name.items() if part in name), None)


def asked_about(contender: Contender, split: Split) -> Numbers:
    """The readers it ranks for: all, or the same ones in every run, drawn by lot."""
    readers = len(split.readers)
    if contender.most_readers is None or readers <= contender.most_readers:
        return np.arange(readers)
    rng = np.random.default_rng(_SAMPLE_SEED)
    return np.sort(rng.choice(readers, contender.most_readers, replace=False))


def measure(contender: Contender, split: Split, metrics: Mapping[str, Metric]) -> Measured:
    """Fit a contender and rank for its readers."""
    start = monotonic()
    ranker = contender.fit(split.training, split.candidates)
    rows = asked_about(contender, split)
    values, predictions = _values_and_predictions(ranker, split, rows, metrics)
    return Measured(rows, values, monotonic() - start, predictions)


def values_of(
    ranker: Ranker, split: Split, rows: Numbers, metrics: Mapping[str, Metric]
) -> dict[str, Values]:
    """Each metric for each of `rows`, from lists as long as the longest metric needs."""
    return _values_and_predictions(ranker, split, rows, metrics)[0]


def ranked_for(ranker: Ranker, split: Split, rows: Numbers, limit: int) -> Lists:
    """The lists of some of a split's readers, ranked block by block."""
    blocks = [
        rows[start : start + _READERS_AT_ONCE] for start in range(0, len(rows), _READERS_AT_ONCE)
    ]
    parts = [ranker(split.histories[block], split.allowed(block), limit) for block in blocks]
    return Lists(
        np.vstack([part.positions for part in parts]),
        np.vstack([part.probabilities for part in parts]),
    )


def _values_and_predictions(
    ranker: Ranker, split: Split, rows: Numbers, metrics: Mapping[str, Metric]
) -> tuple[dict[str, Values], Predictions]:
    longest = max(int(name.rpartition("@")[2]) for name in metrics)
    lists = ranked_for(ranker, split, rows, longest)
    held_out = split.held_out[rows]
    hits, relevant = hits_of(lists.positions, held_out), relevant_counts(held_out)
    values = {name: metric(hits, relevant) for name, metric in metrics.items()}
    return values, Predictions(lists.probabilities, hits)
