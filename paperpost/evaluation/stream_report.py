"""What came out of a stream: a document, a table, and the curve as a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from paperpost.evaluation.comparison import BASELINE, OURS, EvaluationError
from paperpost.evaluation.curve import DAYS_AVERAGED, Line, draw
from paperpost.evaluation.report import rendered, with_margin
from recommender.metrics import Interval, Values, bootstrap_interval, mean

METRIC = "precision@10"


@dataclass(frozen=True, slots=True)
class StreamReport:
    """Values by ranker, each readers x days; `papers` says how many each day had."""

    seed: int
    dates: Sequence[date]
    papers: Sequence[int]
    readers: Sequence[str]
    values: Mapping[str, Values]
    seconds: float

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
                name: {metric: asdict(one) for metric, one in self._intervals(values).items()}
                for name, values in self.values.items()
            },
            "ratios": self._ratios(),
            "days": [self._day(number) for number in range(len(self.dates))],
        }

    @property
    def text(self) -> str:
        """The report as a table."""
        days = f"{len(self.dates)} days, {len(self.readers)} readers, {sum(self.papers):,} papers"
        table = Table("model", title=f"stream: {days}", title_justify="left")
        for metric in self._intervals(next(iter(self.values.values()))):
            table.add_column(metric, justify="right")
        for name, values in self.values.items():
            table.add_row(name, *map(with_margin, self._intervals(values).values()))
        ratios = [f"{metric} {ratio:.3f}" for metric, ratio in self._ratios().items()]
        remarks = [f"{OURS} to {BASELINE}: {', '.join(ratios)}"] if ratios else []
        remarks.append(f"{self.seconds:.0f} s; ± is a 95 % bootstrap interval over readers")
        return "\n".join([rendered([table]), *remarks])

    @property
    def picture(self) -> str:
        """The curve as SVG: each day as a dot, the mean of the days around it as a line."""
        lines = [
            Line(name, [mean(values[:, day]) for day in range(len(self.dates))])
            for name, values in self.values.items()
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

    def _intervals(self, values: Values) -> dict[str, Interval]:
        """Means over each reader's days, then over readers."""
        half = len(self.dates) // 2
        parts = {
            METRIC: values,
            f"{METRIC} first half": values[:, :half],
            f"{METRIC} second half": values[:, half:],
        }
        return {
            name: bootstrap_interval(by_reader(part), np.random.default_rng(self.seed))
            for name, part in parts.items()
            if not np.isnan(part).all()
        }

    def _ratios(self) -> dict[str, float]:
        names = {part: name for part in (OURS, BASELINE) for name in self.values if part in name}
        if len(names) < 2:
            return {}
        ours, baseline = (self._intervals(self.values[names[part]]) for part in (OURS, BASELINE))
        return {
            metric: ours[metric].mean / baseline[metric].mean
            for metric in ours
            if baseline[metric].mean > 0
        }

    def _day(self, number: int) -> dict[str, Any]:
        means = {name: mean(values[:, number]) for name, values in self.values.items()}
        return {
            "date": self.dates[number].isoformat(),
            "papers": self.papers[number],
            METRIC: {name: None if np.isnan(value) else value for name, value in means.items()},
        }


def by_reader(values: Values) -> Values:
    """Each reader's mean over the days that had something for them; NaN without such a day."""
    return np.array([mean(row) for row in values])
