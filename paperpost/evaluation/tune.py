"""The weights of the blend, tried on validation data.

They are chosen on other splits than those reported and on one half of the readers; the other half
shows whether the choice holds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

import numpy as np

from paperpost.evaluation.comparison import (
    NEW_PAPERS,
    PUBLISHED,
    EvaluationError,
    Metric,
    Progress,
)
from paperpost.evaluation.datasets import Library, read_library, read_published_split
from paperpost.evaluation.shipped import Shipped
from paperpost.evaluation.splits import (
    Numbers,
    Split,
    few_votes,
    hidden_likes,
    new_papers,
    without_their_likes,
)
from recommender.blend import SHIPPED, Weights
from recommender.matrices import Booleans
from recommender.metrics import (
    Interval,
    Values,
    bootstrap_interval,
    hits_of,
    mean,
    relevant_counts,
)
from recommender.profile import Profiles

REPORTED_SEEDS = (0, 1, 2)
VALIDATION_SEEDS = (7, 8)
# What is tried of each weight, as shares of the best value so far.
FACTORS = (0.75, 1.33)
# A gain in what is tuned is too dear if another metric loses more than this share of itself.
TOLERANCE = 0.01
_FEW_VOTES = {1: "1 vote", 3: "3 votes", 10: "10 votes"}
# Of the published split with so many likes a reader, so many are hidden.
_SPLIT_SIZE, _HIDDEN = 10, 2
_READERS_SEED = 0

_METRICS: Mapping[str, Metric] = {**NEW_PAPERS, **PUBLISHED}

# By metric a value for each reader of the data, NaN for those not asked about; the first is tuned.
Outcome = Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class Task:
    """A question to the ranker under any weights; `metrics` by their names in an outcome."""

    shipped: Shipped
    split: Split
    metrics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A task for some of its readers, whose profiles are the same under all weights."""

    task: Task
    rows: Numbers
    profiles: Profiles

    @classmethod
    def about(cls, task: Task, readers: Booleans) -> "Asked":
        """Those of the data's `readers` whom the task is about. Raises EvaluationError for none."""
        rows = np.flatnonzero(readers[task.split.readers])
        if not rows.size:
            raise EvaluationError("the data has too few readers to choose weights on half of them")
        return cls(task, rows, task.shipped.profiles(task.split.histories[rows]))

    def values(self, weights: Weights) -> dict[str, Values]:
        """Each of the task's metrics, one value for each of `rows`."""
        split, metrics = self.task.split, self.task.metrics
        limit = max(int(metric.rpartition("@")[2]) for metric in metrics.values())
        allowed = split.allowed(self.rows)
        lists = self.task.shipped.lists(self.profiles, allowed, limit, weights)
        held_out = split.held_out[self.rows]
        hits, relevant = hits_of(lists.positions, held_out), relevant_counts(held_out)
        return {name: _METRICS[metric](hits, relevant) for name, metric in metrics.items()}


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of some weights; `changed` is the one by which they differ from the best then."""

    weights: Weights
    outcome: Outcome
    changed: str | None = None

    @property
    def value(self) -> float:
        """What the changed weight is."""
        return float(getattr(self.weights, self.changed or ""))

    @property
    def readers(self) -> int:
        """How many readers what is tuned is measured for."""
        return int(np.count_nonzero(~np.isnan(next(iter(self.outcome.values())))))

    @property
    def means(self) -> dict[str, float]:
        """Each metric's mean over readers."""
        return {name: mean(values) for name, values in self.outcome.items()}

    @property
    def gain(self) -> float:
        """The mean of what is tuned."""
        return mean(next(iter(self.outcome.values())))

    def costs(self, shipped: "Trial") -> list[str]:
        """The metrics that lose more than is tolerated."""
        least = {name: value * (1 - TOLERANCE) for name, value in shipped.means.items()}
        return [name for name, value in self.means.items() if not value >= least[name]]

    def lead(self, shipped: "Trial") -> Interval:
        """By how much what is tuned is better, with its paired 95 % interval over readers."""
        tuned = next(iter(self.outcome))
        differences = self.outcome[tuned] - shipped.outcome[tuned]
        return bootstrap_interval(differences, np.random.default_rng(_READERS_SEED))


@dataclass(frozen=True, slots=True)
class Tuned:
    """A walk from the shipped weights, and what its end is worth to the other half of readers."""

    protocol: str
    seeds: Sequence[int]
    shipped: Trial
    trials: Sequence[Trial]
    best: Trial
    shipped_to_others: Trial
    best_to_others: Trial

    @property
    def lead(self) -> Interval:
        """The best's over the shipped weights, among the readers it was chosen on."""
        return self.best.lead(self.shipped)

    @property
    def lead_among_others(self) -> Interval:
        """The same among those it was not chosen on."""
        return self.best_to_others.lead(self.shipped_to_others)

    @property
    def holds(self) -> bool:
        """Whether the lead is beyond noise in both halves, and costs the other one nothing."""
        costs = self.best_to_others.costs(self.shipped_to_others)
        return min(self.lead.low, self.lead_among_others.low) > 0 and not costs


def tune(
    folder: Path, seeds: Sequence[int], say: Progress, shipped: Weights = SHIPPED
) -> list[Tuned]:
    """Weights tried on new papers and few votes, then the neighbours' on hidden training likes.

    Raises EvaluationError and DatasetError.
    """
    if set(seeds) & set(REPORTED_SEEDS):
        raise EvaluationError("seeds 0, 1 and 2 are reported: weights are not chosen on them")
    library = read_library(folder)
    likes, _ = read_published_split(folder, _SPLIT_SIZE, library.counts.shape[0])
    names = [field.name for field in fields(Weights) if field.name != "neighbours"]
    return [
        _tuned("new papers", _new_papers, library, names, seeds, say, shipped),
        _tuned(
            f"{_HIDDEN} of {_SPLIT_SIZE} training likes hidden",
            _hidden_likes,
            replace(library, likes=likes),
            ["neighbours"],
            seeds,
            say,
            shipped,
        ),
    ]


def walk(
    names: Sequence[str], shipped: Trial, attempt: Callable[[Weights], Outcome]
) -> Iterator[Trial]:
    """Trials around the best so far, one weight after the other."""
    best = shipped
    for name in names:
        values = [getattr(best.weights, name) * factor for factor in FACTORS]
        around = [replace(best.weights, **{name: value}) for value in values]
        trials = [Trial(weights, attempt(weights), name) for weights in around]
        yield from trials
        best = best_of(trials, shipped, best)


def best_of(trials: Iterable[Trial], shipped: Trial, otherwise: Trial) -> Trial:
    """The greatest gain at no cost; `otherwise` where none is greater than its."""
    affordable = [trial for trial in trials if not trial.costs(shipped)]
    return max([otherwise, *affordable], key=lambda trial: trial.gain)


def outcome_of(asked: Sequence[Asked], readers: int, weights: Weights) -> Outcome:
    """What each of the data's readers gets, as the mean over the tasks that ask about them."""
    found: dict[str, list[Values]] = {}
    for one in asked:
        for name, values in one.values(weights).items():
            placed = np.full(readers, np.nan)
            placed[one.task.split.readers[one.rows]] = values
            found.setdefault(name, []).append(placed)
    return {name: _mean_of(values) for name, values in found.items()}


def _tuned(
    protocol: str,
    tasks_of: Callable[[Library, int], list[Task]],
    library: Library,
    names: Sequence[str],
    seeds: Sequence[int],
    say: Progress,
    weights: Weights,
) -> Tuned:
    tasks = [task for seed in seeds for task in tasks_of(library, seed)]
    say(f"{protocol}: models are fitted")
    readers = library.likes.shape[0]
    chosen_on = np.random.default_rng(_READERS_SEED).random(readers) < 0.5
    attempt, attempt_others = (
        partial(outcome_of, [Asked.about(task, half) for task in tasks], readers)
        for half in (chosen_on, ~chosen_on)
    )
    shipped = Trial(weights, attempt(weights))
    trials = []
    for trial in walk(names, shipped, attempt):
        say(f"{protocol}: {trial.changed} {trial.value:.3g}: {trial.gain:.4f}")
        trials.append(trial)
    best = best_of(trials, shipped, shipped)
    others = [Trial(one.weights, attempt_others(one.weights)) for one in (shipped, best)]
    return Tuned(protocol, seeds, shipped, trials, best, *others)


def _new_papers(library: Library, seed: int) -> list[Task]:
    split = new_papers(library, seed)
    few = without_their_likes(split)
    of_few = Shipped.fitted(few.training, few.candidates)
    return [
        Task(
            Shipped.fitted(split.training, split.candidates),
            split,
            {metric: metric for metric in ("ndcg@10", "recall@100")},
        ),
        *(
            Task(of_few, one, {_FEW_VOTES[size]: "ndcg@10"})
            for size, one in few_votes(few)
            if size in _FEW_VOTES
        ),
    ]


def _hidden_likes(library: Library, seed: int) -> list[Task]:
    split = hidden_likes(library, _HIDDEN, seed)
    shipped = Shipped.fitted(split.training, split.candidates)
    return [Task(shipped, split, {metric: metric for metric in PUBLISHED})]


def _mean_of(values: Sequence[Values]) -> Values:
    """Each reader's mean over where there is a value; NaN where there is none."""
    each = np.stack(values)
    counts = (~np.isnan(each)).sum(axis=0)
    means = np.full(each.shape[1], np.nan)
    np.divide(np.nansum(each, axis=0), counts, out=means, where=counts > 0)
    return means
