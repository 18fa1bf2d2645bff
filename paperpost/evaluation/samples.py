"""What it costs to learn from a part of the readers or of the papers: the protocol for new papers,
with the others folded in, as at a training of very many (recommender/sample.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from rich.table import Table

from paperpost.evaluation.comparison import (
    NEW_PAPERS,
    EvaluationError,
    Measured,
    Progress,
    measure,
)
from paperpost.evaluation.datasets import read_library
from paperpost.evaluation.report import rendered
from paperpost.evaluation.scorers import Contender, Fit, Ranker
from paperpost.evaluation.shipped import Shipped, nameless, told_apart
from paperpost.evaluation.splits import Papers, Training, new_papers
from recommender.matrices import Integers
from recommender.metrics import Interval, mean
from recommender.sample import fit_part, papers_to_fit, readers_to_fit

SHARES = (0.5, 0.25, 0.1)
_METRICS = ("ndcg@10", "recall@100")


@dataclass(frozen=True, slots=True)
class Sampled:
    """What was fitted on a part, and what came of it; `lead` is over what was fitted on all."""

    name: str
    measured: Measured
    lead: Mapping[str, Interval]

    @property
    def document(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            name: {"mean": mean(self.measured.values[name]), "lead": asdict(self.lead[name])}
            for name in _METRICS
        }


@dataclass(slots=True)
class SamplesReport:
    """One run: the first of `found` was fitted on everything."""

    seed: int
    readers: int
    papers: int
    found: list[Sampled] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def document(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        facts = {name: getattr(self, name) for name in ("seed", "readers", "papers", "seconds")}
        return facts | {"models": {one.name: one.document for one in self.found}}

    @property
    def text(self) -> str:
        """The report as a table."""
        title = f"seed {self.seed}: {self.readers:,} readers, {self.papers:,} papers to learn from"
        table = Table(title=title, title_justify="left")
        for column in ("learnt from", *_METRICS, *(f"{name}: change" for name in _METRICS)):
            table.add_column(column, justify="left" if column == "learnt from" else "right")
        for one in self.found:
            means = [f"{mean(one.measured.values[name]):.4f}" for name in _METRICS]
            table.add_row(one.name, *means, *(_change(one.lead[name]) for name in _METRICS))
        return rendered([table])


def evaluate_samples(folder: Path, seed: int, say: Progress) -> SamplesReport:
    """Fit on everything and on parts, and rank for the same readers."""
    start = monotonic()
    split = new_papers(read_library(folder), seed)
    if not len(split.readers):
        raise EvaluationError("no reader of this data has both likes to learn from and to find")
    report = SamplesReport(seed, len(split.readers), len(split.training.papers))
    for name, fit in _contenders():
        measured = measure(Contender(name, fit), split, NEW_PAPERS)
        first = report.found[0].measured if report.found else measured
        leads = {metric: measured.lead(first, metric, seed) for metric in _METRICS}
        report.found.append(Sampled(name, measured, leads))
        say(f"{name}: {measured.seconds:.1f} s")
    report.seconds = monotonic() - start
    return report


def _contenders() -> list[tuple[str, Fit]]:
    readers = [(f"{share:.0%} of the readers, by lot", _by_lot(share), _all) for share in SHARES]
    busiest = [(f"{share:.0%} of the readers", _busiest(share), _all) for share in SHARES]
    papers = [(f"{share:.0%} of the papers", _busiest(1), _voted(share)) for share in SHARES]
    drawn = [("everything", _busiest(1), _all), *busiest, *readers, *papers]
    return [(name, _fitted(*draws)) for name, *draws in drawn]


# From a training: the rows of readers, or the places of papers, that a space is factorised from.
_Draw = Callable[[Training], Integers]


def _by_lot(share: float) -> _Draw:
    def draw(training: Training) -> Integers:
        readers = training.likes.shape[0]
        equal = np.ones(readers, dtype=np.int32)
        return readers_to_fit(np.arange(readers, dtype=np.int32), equal, round(share * readers))

    return draw


def _busiest(share: float) -> _Draw:
    def draw(training: Training) -> Integers:
        likes = np.diff(training.likes.indptr)
        numbers = np.arange(len(likes), dtype=np.int32)
        return readers_to_fit(numbers, likes, round(share * len(likes)))

    return draw


def _voted(share: float) -> _Draw:
    def draw(training: Training) -> Integers:
        votes = np.bincount(training.likes.indices, minlength=len(training.papers))
        return papers_to_fit(votes.astype(np.int32), round(share * len(votes)))

    return draw


def _all(training: Training) -> Integers:
    return np.arange(len(training.papers), dtype=np.int32)


def _fitted(readers: _Draw, papers: _Draw) -> Fit:
    def fit(training: Training, candidates: Papers) -> Ranker:
        old, counts = nameless(training.papers), training.papers.counts
        model = fit_part(
            counts,
            old,
            told_apart(training.terms),
            training.likes,
            rows=readers(training),
            places=papers(training),
        )
        library = model.seen(model.places([paper.id for paper in old]))
        return Shipped(
            model, library, model.batch_counts(candidates.counts, nameless(candidates))
        ).ranked

    return fit


def _change(lead: Interval) -> str:
    return f"{lead.mean:+.4f} [{lead.low:+.4f}, {lead.high:+.4f}]"
