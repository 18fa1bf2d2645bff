"""What came out of a stream: a document, a table, and the curve as a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from paperpost.evaluation.comparison import BASELINE, OURS, EvaluationError
from paperpost.evaluation.curve import DAYS_AVERAGED, Line, draw
from paperpost.evaluation.exploration import Explored, exploration_table
from paperpost.evaluation.ratings import Rated, ratings_table
from paperpost.evaluation.recalibration import CROSS_FITTED, calibration_of, cross_fitted
from paperpost.evaluation.reliability import Reliability, reliability_of, reliability_table
from paperpost.evaluation.replayed import METRIC, Replayed, by_reader
from paperpost.evaluation.report import rendered, with_margin
from recommender.calibration import Calibration
from recommender.metrics import Interval, bootstrap_interval, mean

TOP = "top 10"
# Not drawn: its line is hardly told from the one of the same ranker without exploration.
EXPLORING = "Our ranker, exploring"


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What came of each ranker, by name; `papers` says how many each day had.

    `exploration` is what the exploring one adds to ours, by what readers start from, and `ratings`
    what ten ratings add to it, by that and by how the ten papers are chosen.
    """

    seed: int
    dates: Sequence[date]
    papers: Sequence[int]
    readers: Sequence[str]
    replayed: Mapping[str, Replayed]
    seconds: float
    exploration: Mapping[str, Explored] = field(default_factory=dict)
    ratings: Mapping[str, Mapping[str, Rated]] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """The report as JSON holds it; intervals are over readers."""
        return {
            "protocol": "stream",
            "seed": self.seed,
            "readers": len(self.readers),
            "categories": list(self.readers),
            "papers": sum(self.papers),
            "seconds": self.seconds,
            "models": {
                name: {metric: asdict(value) for metric, value in self._intervals(one).items()}
                for name, one in self.replayed.items()
            },
            "ratios": self._ratios(),
            "reliability": {
                name: {top: asdict(one) for top, one in kept.items()}
                for name, kept in self._reliability().items()
            },
            "calibration": {} if (curve := self._calibration()) is None else asdict(curve),
            "exploration": {name: asdict(one) for name, one in self.exploration.items()},
            "ratings": {
                name: {chosen: asdict(one) for chosen, one in by_choice.items()}
                for name, by_choice in self.ratings.items()
            },
            "days": [self._day(number) for number in range(len(self.dates))],
        }

    @property
    def text(self) -> str:
        """The report as tables."""
        days = f"{len(self.dates)} days, {len(self.readers)} readers, {sum(self.papers):,} papers"
        table = Table("model", title=f"stream: {days}", title_justify="left")
        for metric in self._intervals(next(iter(self.replayed.values()))):
            table.add_column(metric, justify="right")
        for name, one in self.replayed.items():
            table.add_row(name, *map(with_margin, self._intervals(one).values()))
        ratios = [f"{metric} {ratio:.3f}" for metric, ratio in self._ratios().items()]
        remarks = [f"{OURS} to {BASELINE}: {', '.join(ratios)}"] if ratios else []
        if (curve := self._calibration()) is not None:
            numbers = f"intercept {curve.intercept:.3f}, slope {curve.slope:.4f}"
            remarks.append(f"the curve fitted to {OURS}'s votes: {numbers}")
        remarks.append(f"{self.seconds:.0f} s; ± is a 95 % bootstrap interval over readers")
        kept = [
            reliability_table(f"reliability of probabilities, {top}: {name}", one)
            for name, by_curve in self._reliability().items()
            if OURS in name
            for top, one in by_curve.items()
        ]
        if self.ratings:
            kept.insert(0, ratings_table(self.ratings))
        if self.exploration:
            kept.insert(0, exploration_table(self.exploration))
        return "\n".join([rendered([table]), *remarks, *([rendered(kept)] if kept else [])])

    @property
    def picture(self) -> str:
        """The curve as SVG: each day as a dot, the mean of the days around it as a line."""
        lines = [
            Line(name, [mean(one.precisions[:, day]) for day in range(len(self.dates))])
            for name, one in self.replayed.items()
            if name != EXPLORING
        ]
        readers = f"mean of {len(self.readers)} readers"
        title = f"{METRIC}, {readers}; dots are days, lines the mean of {DAYS_AVERAGED} days"
        return draw(title, self.dates, lines)

    def write_picture(self, path: Path) -> None:
        """Write the curve. Raises EvaluationError."""
        try:
            path.write_text(self.picture, encoding="utf-8")
        except OSError as error:
            raise EvaluationError(f"{path} cannot be written: {error.strerror}") from error

    def _told(self) -> dict[str, Replayed]:
        """The rankers that tell probabilities."""
        return {name: one for name, one in self.replayed.items() if one.predictions.are_told}

    def _calibration(self) -> Calibration | None:
        """What these votes make of the curve that ours tells by, which it ships with."""
        ours = (one.predictions for name, one in self._told().items() if OURS in name)
        return next(map(calibration_of, ours), None)

    def _reliability(self) -> dict[str, dict[str, Reliability]]:
        """As told, and as curves tell that were fitted to other readers."""
        return {
            name: {
                TOP: reliability_of(one.predictions),
                f"{TOP}, {CROSS_FITTED}": reliability_of(
                    cross_fitted(one.predictions, len(self.readers))
                ),
            }
            for name, one in self._told().items()
        }

    def _intervals(self, replayed: Replayed) -> dict[str, Interval]:
        """Means over each reader's days, then over readers."""
        values, half = replayed.precisions, len(self.dates) // 2
        parts = {
            METRIC: values,
            f"{METRIC} first day": values[:, :1],
            f"{METRIC} first half": values[:, :half],
            f"{METRIC} second half": values[:, half:],
        }
        return {
            name: bootstrap_interval(by_reader(part), np.random.default_rng(self.seed))
            for name, part in parts.items()
            if not np.isnan(part).all()
        }

    def _ratios(self) -> dict[str, float]:
        names = {part: name for part in (OURS, BASELINE) for name in self.replayed if part in name}
        if len(names) < 2:
            return {}
        ours, baseline = (self._intervals(self.replayed[names[part]]) for part in (OURS, BASELINE))
        return {
            metric: ours[metric].mean / baseline[metric].mean
            for metric in ours
            if baseline[metric].mean > 0
        }

    def _day(self, number: int) -> dict[str, Any]:
        means = {name: mean(one.precisions[:, number]) for name, one in self.replayed.items()}
        return {
            "date": self.dates[number].isoformat(),
            "papers": self.papers[number],
            METRIC: {name: None if np.isnan(value) else value for name, value in means.items()},
        }
