"""`bench train`: how training grows with papers and with subscribers, beside implicit's fit alone.

Every size is trained in a process of its own, so that its peak of memory is its own.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from rich.table import Table

from paperpost.bench.invented import SEED, Corpus, Language, cast_votes
from paperpost.bench.peers import factorise
from paperpost.bench.processes import in_own_process, peak_mebibytes
from paperpost.bench.report import Comparison, number
from recommender.factors import Space
from recommender.matrices import Integers, SparseRows, stacked, transposed, with_data
from recommender.model import Model
from recommender.sample import fit_part, papers_to_fit, readers_to_fit
from recommender.text import MAX_TERMS
from recommender.threads import single_threaded_blas


@dataclass(frozen=True, slots=True)
class TrainSizes:
    """Papers for the fewest subscribers, and subscribers for the fewest papers."""

    papers: Sequence[int] = (5_000, 20_000, 75_000)
    subscribers: Sequence[int] = (1_000, 10_000, 100_000)
    terms: int = MAX_TERMS


@dataclass(frozen=True, slots=True)
class Trained:
    """One training: its size, our seconds and implicit's, the peak of our memory in MiB.

    `votes` and `words` are those that were factorised, of as many papers and readers as that is
    done with.
    """

    papers: int
    subscribers: int
    votes: int
    words: int
    ours: float
    peer: float
    peak_mebibytes: float

    @property
    def ratio(self) -> float:
        return self.ours / self.peer


@dataclass(frozen=True, slots=True)
class Growth:
    """Trainings that differ in the number of their papers or of their subscribers alone."""

    by: Literal["papers", "subscribers"]
    points: Sequence[Trained]

    @property
    def exponent(self) -> float | None:
        return exponent(self._sizes, [point.ours for point in self.points])

    @property
    def document(self) -> dict[str, Any]:
        """The growth as JSON holds it."""
        points = [
            asdict(point) | {"ratio": point.ratio, "microseconds_each": each}
            for point, each in zip(self.points, self._microseconds, strict=True)
        ]
        return {"exponent": self.exponent, "points": points}

    @property
    def table(self) -> Table:
        slope = "unknown" if self.exponent is None else f"{self.exponent:.2f}"
        title = f"growth with {self.by}: exponent {slope} (1 is linear)"
        table = Table(title=title, title_justify="left")
        names = ("papers", "subscribers", "votes", "words", "seconds", "implicit", "ratio", "MiB")
        for name in (*names, f"µs for each of the {self.by}"):
            table.add_column(name, justify="right")
        for point, each in zip(self.points, self._microseconds, strict=True):
            sizes = (point.papers, point.subscribers, point.votes, point.words)
            costs = (point.ours, point.peer, point.ratio, point.peak_mebibytes, each)
            table.add_row(*map(number, sizes + costs))
        return table

    @property
    def _sizes(self) -> list[int]:
        return [getattr(point, self.by) for point in self.points]

    @property
    def _microseconds(self) -> list[float]:
        sizes = zip(self.points, self._sizes, strict=True)
        return [point.ours / size * 1e6 for point, size in sizes]


def bench_train(sizes: TrainSizes, say: Callable[[str], None]) -> Comparison:
    """Train on each size; `ours` and `peer` are those of the most papers."""
    fewest = min(sizes.papers), min(sizes.subscribers)
    wanted = [(papers, fewest[1]) for papers in sizes.papers]
    wanted += [(fewest[0], subscribers) for subscribers in sizes.subscribers]
    measured: dict[tuple[int, int], Trained] = {}
    for size in sorted(set(wanted)):
        say(f"training on {size[0]:,} papers and {size[1]:,} subscribers")
        measured[size] = in_own_process(train_once, *size, sizes.terms)
    by_papers = [measured[papers, fewest[1]] for papers in sorted(set(sizes.papers))]
    by_subscribers = [measured[fewest[0], people] for people in sorted(set(sizes.subscribers))]
    return _compared([Growth("papers", by_papers), Growth("subscribers", by_subscribers)])


def train_once(papers: int, subscribers: int, terms: int) -> Trained:
    """Train on made-up counts and votes in this process, then let implicit fit the same matrix."""
    rng = np.random.default_rng(SEED)
    language = Language.invent(terms, rng)
    corpus = Corpus.invent(language, papers, "paper", rng)
    votes = cast_votes(corpus, subscribers, rng)
    rows, places = _drawn(votes)
    started = time.perf_counter()
    model = fit_part(corpus.counts, corpus.papers, language.names, votes, rows=rows, places=places)
    ours, peak = time.perf_counter() - started, peak_mebibytes()
    counts, votes = corpus.counts[places], votes[rows][:, places]
    peer = sum(_peer_seconds(model, space, counts, votes) for space in model.space.spaces)
    words = counts.data.size
    return Trained(papers, subscribers, votes.data.size, words, ours, peer, peak)


def _drawn(votes: SparseRows) -> tuple[Integers, Integers]:
    """The rows of readers and the places of papers that `paperpost train` would factorise."""
    on_papers = np.bincount(votes.indices, minlength=votes.shape[1]).astype(np.int32)
    by_readers = np.diff(votes.indptr)
    readers = np.arange(len(by_readers), dtype=np.int32)
    return readers_to_fit(readers, by_readers), papers_to_fit(on_papers)


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float | None:
    """How a cost grows with a size: the slope of the least squares line through both logarithms.

    1 is linear growth; below 1 there is a fixed part. None for fewer than two sizes.
    """
    if len(sizes) < 2:
        return None
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def _peer_seconds(model: Model, space: Space, counts: SparseRows, votes: SparseRows) -> float:
    """For one of the model's spaces: confidences of votes above weights of terms."""
    settings = space.settings
    confidences = np.where(votes.data > 0, settings.like_confidence, settings.dislike_confidence)
    words = transposed(model.vocabulary.weigh(counts)) * settings.text_confidence
    matrix = stacked(with_data(votes, confidences * votes.data), words)
    with single_threaded_blas():
        started = time.perf_counter()
        factorise(matrix, settings, space.factors)
        return time.perf_counter() - started


def _compared(growths: Sequence[Growth]) -> Comparison:
    largest = growths[0].points[-1]
    return Comparison(
        f"training on {largest.papers:,} papers and {largest.subscribers:,} subscribers",
        largest.ours,
        largest.peer,
        "seconds",
        "implicit's fit of the same matrix alone",
        {"growth": {growth.by: growth.document for growth in growths}},
        [growth.table for growth in growths],
    )
