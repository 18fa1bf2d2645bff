"""What the last place of a list costs and teaches when it is given away to explore.

The same readers see the same days twice, with and without exploration, and vote on what they were
shown: the last place alone tells what is lost at once, the places before it what the votes on
explored papers have taught, once there are some.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from paperpost.evaluation.replayed import METRIC, Replayed, by_reader
from paperpost.evaluation.report import with_margin
from recommender.metrics import Interval, Values, bootstrap_interval


@dataclass(frozen=True, slots=True)
class Explored:
    """The days of some readers with exploration, beside the same without it.

    `leads` are the means over readers of what exploration adds, by metric: `precision@10` as
    everywhere, `places before` the papers liked a day in all places but the last, `last place`
    those in the last one. `found` and `found_without` count all papers that were liked.
    """

    readers: int
    leads: Mapping[str, Interval]
    found: int
    found_without: int


def explored(exploring: Replayed, plain: Replayed, seed: int) -> Explored:
    """Compare two replays of the same days to the same readers."""
    mine, theirs = _by_metric(exploring), _by_metric(plain)
    leads = {name: mine[name] - theirs[name] for name in mine}
    return Explored(
        len(plain.precisions),
        {
            name: bootstrap_interval(by_reader(lead), np.random.default_rng(seed))
            for name, lead in leads.items()
            if not np.isnan(lead).all()
        },
        found=int(exploring.predictions.liked.sum()),
        found_without=int(plain.predictions.liked.sum()),
    )


def _by_metric(replayed: Replayed) -> dict[str, Values]:
    """Each metric, readers x days, over all days and over the later ones."""
    precisions, liked = replayed.precisions, replayed.liked
    is_value = ~np.isnan(precisions)
    values = {
        METRIC: precisions,
        "places before": np.where(is_value, liked[..., :-1].sum(axis=2), np.nan),
        "last place": np.where(is_value, liked[..., -1], np.nan),
    }
    half = precisions.shape[1] // 2
    return values | {f"{name} second half": every[:, half:] for name, every in values.items()}


def exploration_table(by_condition: Mapping[str, Explored]) -> Table:
    """For people: a line for each condition that readers start from."""
    table = Table("readers start from", title="what exploration adds", title_justify="left")
    metrics: Sequence[str] = list(next(iter(by_condition.values())).leads)
    for column in (*metrics, "found", "without"):
        table.add_column(column, justify="right")
    for condition, one in by_condition.items():
        leads = [with_margin(one.leads[metric]) for metric in metrics]
        table.add_row(condition, *leads, str(one.found), str(one.found_without))
    return table
