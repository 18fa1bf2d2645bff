"""Is a probability kept? What was told of the papers shown, beside what readers then liked."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from rich.table import Table

from recommender.matrices import Booleans
from recommender.metrics import Values

# Narrow where most papers of a day lie: a reader likes few of a thousand.
_EDGES = (0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
_LEAST_WIDTH = 12  # of a column, or title and caption are broken


@dataclass(frozen=True, slots=True)
class Predictions:
    """The probabilities told of papers shown, and whether each was liked, in one shape.

    A probability is NaN where nothing was shown or none was told.
    """

    probabilities: Values
    liked: Booleans

    @property
    def are_told(self) -> bool:
        """Whether there is any probability at all."""
        return not bool(np.isnan(self.probabilities).all())

    def top(self, length: int) -> "Predictions":
        """Those of the head of each list; the places are the last axis."""
        return Predictions(self.probabilities[..., :length], self.liked[..., :length])


@dataclass(frozen=True, slots=True)
class Bin:
    """The papers whose probability was in [low, high), the last bin's in [low, high].

    `predicted` is the mean of their probabilities, `observed` the share that was liked.
    """

    low: float
    high: float
    predicted: float
    observed: float
    count: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well told probabilities are kept; bins without a paper are left out.

    `calibration_error` is the mean distance of predicted and observed over the papers of all bins
    (expected calibration error; Naeini, Cooper and Hauskrecht, AAAI 2015). `brier` is the mean
    squared distance to what came (Brier, 1950), `constant_brier` that of telling `base_rate`, the
    share of all that was liked, of every paper. `predicted` is the mean of all probabilities.
    """

    bins: Sequence[Bin]
    count: int
    predicted: float
    base_rate: float
    calibration_error: float
    brier: float
    constant_brier: float


def all_of(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of several days or blocks of readers, one after the other."""
    return Predictions(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.liked for part in parts]),
    )


def reliability_of(predictions: Predictions) -> Reliability:
    """The table over all papers of which a probability was told.

    Raises ValueError where none was, or where one is no probability.
    """
    told = ~np.isnan(predictions.probabilities)
    probabilities, liked = predictions.probabilities[told], predictions.liked[told]
    if not probabilities.size:
        raise ValueError("no probability was told")
    if probabilities.min() < 0 or probabilities.max() > 1:
        raise ValueError("a probability lies between 0 and 1")
    bins = _bins(probabilities, liked)
    base_rate = float(liked.mean())
    off = sum(one.count * abs(one.predicted - one.observed) for one in bins)
    return Reliability(
        bins,
        count=liked.size,
        predicted=float(probabilities.mean()),
        base_rate=base_rate,
        calibration_error=off / liked.size,
        brier=float(np.mean((probabilities - liked) ** 2)),
        constant_brier=base_rate * (1 - base_rate),
    )


def _bins(probabilities: Values, liked: Booleans) -> list[Bin]:
    places = np.clip(np.searchsorted(_EDGES, probabilities, side="right") - 1, 0, len(_EDGES) - 2)
    bins = []
    for place, (low, high) in enumerate(pairwise(_EDGES)):
        here = places == place
        if here.any():
            predicted, observed = float(probabilities[here].mean()), float(liked[here].mean())
            bins.append(Bin(low, high, predicted, observed, int(here.sum())))
    return bins


def reliability_table(title: str, reliability: Reliability) -> Table:
    """For people: a line for each bin and one for all, the errors below."""
    one = reliability
    errors = (
        f"expected calibration error {one.calibration_error:.4f}\n"
        f"Brier score {one.brier:.4f}, of the constant share {one.constant_brier:.4f}"
    )
    table = Table("told", title=title, caption=errors, title_justify="left", caption_justify="left")
    for column in ("mean told", "liked", "papers"):
        table.add_column(column, justify="right", min_width=_LEAST_WIDTH)
    for row in one.bins:
        shares = (f"{row.predicted:.2%}", f"{row.observed:.2%}", f"{row.count:,}")
        table.add_row(f"{row.low:.1%} to {row.high:.1%}", *shares)
    table.add_row("all", f"{one.predicted:.2%}", f"{one.base_rate:.2%}", f"{one.count:,}")
    return table
