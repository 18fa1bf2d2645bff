"""What it is worth to rate ten papers before the first day of a stream, and how to choose the ten.

The papers are of the past's last days; readers vote on them as they do on what they are mailed.
The same readers then see the same days as without ratings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from paperpost.evaluation.replayed import METRIC, Replayed, by_reader
from paperpost.evaluation.report import with_margin
from recommender.batch import Batch
from recommender.elicitation import POOL, questions
from recommender.explore import uncertainty
from recommender.matrices import entries
from recommender.metrics import Interval, Values, bootstrap_interval
from recommender.profile import Profiles
from recommender.rank import best

ASKED = 10
# About as many papers as the service asks about.
DAYS_ASKED = 5
# The days on which ratings count most: later on there are fifty votes beside them.
FIRST_DAYS = 5
_PARTS = {f"{METRIC}, first {FIRST_DAYS} days": slice(0, FIRST_DAYS), METRIC: slice(None)}

# From readers and the papers that they may be asked about: the places of those to ask about.
Chooser = Callable[[Profiles, Batch], list[list[int]]]


@dataclass(frozen=True, slots=True)
class Rated:
    """The days of some readers after ten ratings: `liked` is the mean number of papers that they
    liked among the ten; `values` and `leads`, by metric, what came after it, and how much of that
    is more than without ratings."""

    readers: int
    liked: float
    values: Mapping[str, Interval]
    leads: Mapping[str, Interval]


def _at_random(profiles: Profiles, batch: Batch) -> list[list[int]]:
    rng = np.random.default_rng(0)
    return [rng.permutation(len(batch))[:ASKED].tolist() for _ in profiles.readers]


def _best_ranked(profiles: Profiles, batch: Batch) -> list[list[int]]:
    found = best(profiles, batch, limit=ASKED)
    return [found.of(row) for row in range(len(profiles))]


def _least_certain(profiles: Profiles, batch: Batch) -> list[list[int]]:
    """Those among the same best papers of which the least is known, whatever they share."""
    found = best(profiles, batch, limit=POOL)
    chosen = []
    for row in range(len(profiles)):
        pool = np.array(found.of(row))
        seen, _ = entries(profiles.vectors.weights, row)
        doubt = uncertainty(batch.factors[pool], profiles.evidence.factors[seen])
        chosen.append(pool[np.argsort(-doubt, kind="stable")[:ASKED]].tolist())
    return chosen


def _well_chosen(profiles: Profiles, batch: Batch) -> list[list[int]]:
    return questions(profiles, batch, count=ASKED)


CHOOSERS: Mapping[str, Chooser] = {
    "ten at random": _at_random,
    "the ten best": _best_ranked,
    "the ten least certain": _least_certain,
    "ten as we choose them": _well_chosen,
}


def rated(after: Replayed, plain: Replayed, liked: int, seed: int) -> Rated:
    """Compare two replays of the same days to the same readers, of whose ratings `liked` were
    votes up."""
    values, without = after.precisions, plain.precisions
    return Rated(
        len(values),
        liked / len(values),
        {name: _interval(values[:, part], seed) for name, part in _PARTS.items()},
        {name: _interval((values - without)[:, part], seed) for name, part in _PARTS.items()},
    )


def _interval(values: Values, seed: int) -> Interval:
    return bootstrap_interval(by_reader(values), np.random.default_rng(seed))


def ratings_table(found: Mapping[str, Mapping[str, Rated]]) -> Table:
    """For people: a line for each start of readers and each way to choose the papers."""
    table = Table(
        "readers start from", "they rate", title="what ten ratings add", title_justify="left"
    )
    for column in (
        "liked of ten",
        *(f"{one}{name}" for name in _PARTS for one in ("", "lead in ")),
    ):
        table.add_column(column, justify="right")
    for start, by_choice in found.items():
        for name, one in by_choice.items():
            pairs = [cell for part in _PARTS for cell in (one.values[part], one.leads[part])]
            table.add_row(start, name, f"{one.liked:.1f}", *map(with_margin, pairs))
    return table
