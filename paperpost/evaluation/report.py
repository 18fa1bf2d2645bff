"""What came out: as a document for machines, and as tables for people."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from paperpost.evaluation.comparison import BASELINE, OURS, Measured, named
from paperpost.evaluation.recalibration import CROSS_FITTED, cross_fitted
from paperpost.evaluation.reliability import (
    Predictions,
    Reliability,
    reliability_of,
    reliability_table,
)
from recommender.metrics import Interval, mean

_WIDTH = 140
# Of what is listed: what a digest holds, and what may come to stand in one.
_LENGTHS = (10, 100)
_WHAT_IS_TOLD = (
    "A probability is of a vote up on a mailed paper (`evaluate stream`). Here a paper counts as "
    "liked\nonly if its reader saved it: a curve fitted to that shows whether the shape is right."
)

# recall@50 and recall@300 by likes per reader in training: Ferrari Dacrema, Boglio, Cremonesi and
# Jannach, ACM TOIS 2021, additional material, tables 15 to 18.
PUBLISHED_ROWS: Mapping[str, Mapping[int, tuple[float, float]]] = {
    "most popular": {1: (0.0134, 0.0511), 10: (0.0578, 0.1568)},
    "iALS": {1: (0.0061, 0.0245), 10: (0.2338, 0.4374)},
    "text kNN, best": {1: (0.1136, 0.2490), 10: (0.1681, 0.3761)},
    "hybrid kNN, best": {1: (0.1133, 0.2463), 10: (0.2675, 0.4740)},
    "CDL": {1: (0.0351, 0.0989), 10: (0.2231, 0.4618)},
    "CVAE": {1: (0.0430, 0.1200), 10: (0.2387, 0.4854)},
}


@dataclass(slots=True)
class CiteULikeReport:
    """What one run found, filled as it goes on; `papers` were learnt from."""

    protocol: str
    seed: int
    readers: int
    papers: int
    candidates: int
    split_size: int | None = None
    seconds: float = 0.0
    measured: dict[str, Measured] = field(default_factory=dict)
    few_votes: dict[str, dict[int, Measured]] = field(default_factory=dict)
    two_interests: dict[str, dict[str, Measured]] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """The report as JSON holds it; each metric is a mean and its 95 % interval."""
        facts = ("protocol", "seed", "readers", "papers", "candidates", "seconds")
        document = {name: getattr(self, name) for name in facts}
        document["models"] = {
            name: _intervals(measured, self.seed) for name, measured in self.measured.items()
        }
        document["ratios"] = self._ratios(self.measured)
        document["details"] = {name: self._details(one) for name, one in self.measured.items()}
        if self.few_votes:
            document |= self._few_votes_document()
        if self.two_interests:
            document["two_interests"] = {
                case: self._case(measured) for case, measured in self.two_interests.items()
            }
        if reliability := self._reliability():
            document["reliability"] = {
                name: {top: asdict(one) for top, one in by_length.items()}
                for name, by_length in reliability.items()
            }
        if self.split_size is not None:
            document["published"] = {
                name: dict(zip(("recall@50", "recall@300"), rows[self.split_size], strict=True))
                for name, rows in PUBLISHED_ROWS.items()
            }
        return document

    @property
    def text(self) -> str:
        """The report as tables."""
        tables = [self._table()]
        if self.few_votes:
            tables.append(self._few_votes_table())
        tables += [self._case_table(*case) for case in self.two_interests.items()]
        for name, by_length in self._reliability().items():
            tables += [
                reliability_table(f"probabilities beside saves, {top}: {name}", one)
                for top, one in by_length.items()
            ]
        return "\n".join([rendered(tables), *self._remarks()])

    def _few_votes_document(self) -> dict[str, Any]:
        return {
            "few_votes": {
                name: {str(size): _intervals(one, self.seed) for size, one in measured.items()}
                for name, measured in self.few_votes.items()
            },
            "few_votes_ratios": self._ratios_by_size(),
        }

    def _case(self, measured: Mapping[str, Measured]) -> dict[str, Any]:
        return {
            "readers": _readers(measured),
            "models": {name: _intervals(one, self.seed) for name, one in measured.items()},
            "ratios": self._ratios(measured),
        }

    def _reliability(self) -> dict[str, dict[str, Reliability]]:
        """By the contenders that tell probabilities, and by how much of their lists is taken."""
        return {
            name: {top: reliability_of(part) for top, part in _parts_of(one).items()}
            for name, one in self._told().items()
        }

    def _told(self) -> dict[str, Predictions]:
        return {
            name: one.predictions
            for name, one in self.measured.items()
            if one.predictions is not None and one.predictions.are_told
        }

    def _ratios_by_size(self) -> dict[str, dict[str, float]]:
        return {
            str(size): self._ratios(
                {name: measured[size] for name, measured in self.few_votes.items()}
            )
            for size in next(iter(self.few_votes.values()))
        }

    def _ratios(self, measured: Mapping[str, Measured]) -> dict[str, float]:
        """Our means to those of the baseline; empty unless both were asked."""
        ours, baseline = named(measured, OURS), named(measured, BASELINE)
        if ours is None or baseline is None:
            return {}
        return {
            metric: ours.ratio(baseline, metric)
            for metric, values in baseline.values.items()
            if mean(values) > 0
        }

    def _details(self, measured: Measured) -> dict[str, Any]:
        details: dict[str, Any] = {"readers": len(measured.rows), "seconds": measured.seconds}
        baseline = named(self.measured, BASELINE)
        if baseline is not None and baseline is not measured:
            metric = next(iter(measured.values))
            details["lead_over_tfidf"] = {
                metric: asdict(measured.lead(baseline, metric, self.seed))
            }
        return details

    def _table(self) -> Table:
        metrics = list(next(iter(self.measured.values())).values)
        first = metrics[0]
        title = f"{self.protocol}: {self.readers:,} readers, {self.candidates:,} candidates"
        table = _table(title, [*metrics, f"lead in {first}", "readers", "seconds"])
        for name, rows in PUBLISHED_ROWS.items() if self.split_size is not None else ():
            table.add_row(f"{name} (published)", *map(number, rows[self.split_size or 0]))
        for name, measured in self.measured.items():
            shown = [with_margin(one) for one in measured.intervals(self.seed).values()]
            details = self._details(measured)
            lead = details.get("lead_over_tfidf", {}).get(first)
            shown.append(with_margin(Interval(**lead)) if lead else "")
            table.add_row(name, *shown, f"{details['readers']:,}", f"{measured.seconds:.1f}")
        return table

    def _few_votes_table(self) -> Table:
        sizes = [str(size) for size in next(iter(self.few_votes.values()))]
        table = _table("few votes: ndcg@10 by number of likes", sizes)
        for name, measured in self.few_votes.items():
            intervals = [one.intervals(self.seed)["ndcg@10"] for one in measured.values()]
            table.add_row(name, *map(with_margin, intervals))
        ratios = [ratios.get("ndcg@10") for ratios in self._ratios_by_size().values()]
        if any(ratios):
            shown = ("" if ratio is None else f"{ratio:.3f}" for ratio in ratios)
            table.add_row(f"{OURS} to {BASELINE}", *shown)
        return table

    def _case_table(self, case: str, measured: Mapping[str, Measured]) -> Table:
        metrics = list(next(iter(measured.values())).values)
        table = _table(f"two interests, {case}: {_readers(measured):,} merged readers", metrics)
        for name, one in measured.items():
            table.add_row(name, *map(with_margin, one.intervals(self.seed).values()))
        if ratios := self._ratios(measured):
            shown = (f"{ratios[metric]:.3f}" if metric in ratios else "" for metric in metrics)
            table.add_row(f"{OURS} to {BASELINE}", *shown)
        return table

    def _remarks(self) -> list[str]:
        ratios = [f"{metric} {ratio:.3f}" for metric, ratio in self._ratios(self.measured).items()]
        remarks = [f"{OURS} to {BASELINE}: {', '.join(ratios)}"] if ratios else []
        sampled = {len(one.rows) for one in self.measured.values()} - {self.readers}
        if sampled:
            remarks.append("A lead is over TF-IDF, for the same readers where they are a sample.")
        if self._told():
            remarks.append(_WHAT_IS_TOLD)
        return [*remarks, f"seed {self.seed}, {self.seconds:.0f} s; ± is a 95 % bootstrap interval"]


def rendered(tables: Sequence[Table]) -> str:
    """Tables as plain text."""
    console = Console(file=io.StringIO(), width=_WIDTH, color_system=None)
    with console.capture() as capture:
        for table in tables:
            console.print(table)
    return capture.get().rstrip()


def _parts_of(told: Predictions) -> dict[str, Predictions]:
    """The heads of the lists; the shorter one also with a curve for what is saved."""
    parts = {f"top {length}": told.top(length) for length in _LENGTHS}
    shortest = told.top(_LENGTHS[0])
    fitted = cross_fitted(shortest, len(shortest.liked))
    return parts | {f"top {_LENGTHS[0]}, {CROSS_FITTED}": fitted}


def _readers(measured: Mapping[str, Measured]) -> int:
    return len(next(iter(measured.values())).rows)


def _intervals(measured: Measured, seed: int) -> dict[str, dict[str, float]]:
    return {metric: asdict(one) for metric, one in measured.intervals(seed).items()}


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table("model", title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def number(value: float) -> str:
    """Four decimals, like `.2071`."""
    return f"{value:.4f}".replace("0.", ".", 1)


def with_margin(interval: Interval) -> str:
    """A mean and half the width of its interval, like `.2071 ±.0071`."""
    return f"{number(interval.mean)} ±{number((interval.high - interval.low) / 2)}"
