"""Papers and readers made up for timing: as sparse, as topical and as skewed as real ones.

Fitted by eye to 13,800 arXiv papers of spring 2026 and their 50,000 terms: there a paper has 113
distinct terms and shares 7.5 with a random other one; two papers on a topic have about 210.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recommender.matrices import Integers, SparseRows, sparse_rows, with_data
from recommender.model import Model, ModelSettings
from recommender.spaces import SPACES
from recommender.text import Paper

SEED = 20260401
CATEGORIES = (
    "cs.LG",
    "cs.CL",
    "cs.CV",
    "cs.AI",
    "stat.ML",
    "cs.RO",
    "cs.IR",
    "math.OC",
    "q-bio.BM",
)
TOPICS = 100
_WORDS_OF_A_TOPIC = 800
_SHARE_OF_COMMON_WORDS = 0.45
_MEAN_LENGTH = 124.0
_SPREAD_OF_LENGTHS = 27.0
_SHORTEST = 20
# So many papers are written at once: three numbers for each word of theirs are in memory.
_AT_ONCE = 5_000
# Votes of a reader: half have less than nine, one in a hundred more than a hundred.
_MEDIAN_VOTES = 9.0
_SPREAD_OF_VOTES = 1.1
_MOST_VOTES = 1_000
SHARE_OF_LIKES = 0.7
# Votes of a reader that are on their own topic.
LOYALTY = 0.5
# A space to rank in need not be good, only as large as a real one.
_QUICK_ITERATIONS = 2
_QUICK_READERS = 1_000

Shares = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Language:
    """Terms by rank, and for each topic the terms it prefers (topics x words, best first).

    Frequencies follow Zipf's law as Mandelbrot corrected it ("An informational theory of the
    statistical structure of language", 1953).
    """

    terms: int
    topics: Integers

    @classmethod
    def invent(cls, terms: int, rng: np.random.Generator) -> "Language":
        """A language of `terms` words, for TOPICS topics."""
        size = min(_WORDS_OF_A_TOPIC, terms)
        chances = 1 / (np.arange(terms) + 200)
        chosen = [
            rng.permutation(rng.choice(terms, size, replace=False, p=chances / chances.sum()))
            for _ in range(TOPICS)
        ]
        return cls(terms, np.array(chosen, dtype=np.int32))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"term{number}" for number in range(self.terms))

    def write(self, topics: Integers, rng: np.random.Generator) -> SparseRows:
        """Term counts (papers x terms) of a paper on each of these topics."""
        parts = [
            self._write(topics[start : start + _AT_ONCE], rng)
            for start in range(0, len(topics), _AT_ONCE)
        ]
        return sparse_rows(sparse.vstack(parts, format="csr"))

    def _write(self, topics: Integers, rng: np.random.Generator) -> SparseRows:
        owners, words = self.draw(topics, rng)
        ones = np.ones(len(owners), dtype=np.float32)
        return sparse_rows(sparse.coo_matrix((ones, (owners, words)), (len(topics), self.terms)))

    def draw(self, topics: Integers, rng: np.random.Generator) -> tuple[Integers, Integers]:
        """The words of a paper on each of these topics, by rank, and which paper each stands in:
        0 for the first, in ascending order."""
        lengths = rng.normal(_MEAN_LENGTH, _SPREAD_OF_LENGTHS, len(topics)).astype(np.int32)
        owners = np.repeat(np.arange(len(topics)), np.maximum(lengths, _SHORTEST))
        common = _drawn(self._common, len(owners), rng)
        topical = self.topics[topics[owners], _drawn(self._topical, len(owners), rng)]
        words = np.where(rng.random(len(owners)) < _SHARE_OF_COMMON_WORDS, common, topical)
        return owners.astype(np.int32), words.astype(np.int32)

    @cached_property
    def _common(self) -> Shares:
        return _cumulated(1 / (np.arange(self.terms) + 20.0) ** 1.2)

    @cached_property
    def _topical(self) -> Shares:
        return _cumulated(1 / (np.arange(self.topics.shape[1]) + 10.0) ** 0.8)


@dataclass(frozen=True)
class Corpus:
    """Papers with nothing but an id, their topics, and their term counts (papers x terms)."""

    language: Language
    papers: tuple[Paper, ...]
    topics: Integers
    counts: SparseRows

    @classmethod
    def invent(cls, language: Language, size: int, name: str, rng: np.random.Generator) -> "Corpus":
        """`size` papers on any topics; `name` begins their ids."""
        papers = tuple(Paper(f"{name}/{number}", title="") for number in range(size))
        topics = rng.integers(TOPICS, size=size, dtype=np.int32)
        return cls(language, papers, topics, language.write(topics, rng))

    @property
    def ids(self) -> list[str]:
        return [paper.id for paper in self.papers]

    def picked(self, topics: Integers, rng: np.random.Generator) -> Integers:
        """Positions of a random paper on each of these topics, or any where there is none."""
        order = np.argsort(self.topics, kind="stable")
        sizes = np.bincount(self.topics, minlength=TOPICS)
        starts = np.cumsum(sizes) - sizes
        chance = rng.random(len(topics))
        known = sizes[topics] > 0
        offsets = (chance * sizes[topics]).astype(np.int32)
        places = np.where(known, starts[topics] + offsets, chance * len(self.papers))
        return order[places.astype(np.int32)].astype(np.int32)


def tastes(readers: int, rng: np.random.Generator) -> Integers:
    """Each reader's topic; some topics have far more readers than others."""
    return _drawn(_cumulated(1 / (np.arange(TOPICS) + 5.0)), readers, rng)


def numbers_of_votes(readers: int, rng: np.random.Generator) -> Integers:
    """How many votes each of them has cast."""
    numbers = rng.lognormal(np.log(_MEDIAN_VOTES), _SPREAD_OF_VOTES, readers)
    return np.clip(numbers, 1, _MOST_VOTES).astype(np.int32)


def cast_votes(corpus: Corpus, readers: int, rng: np.random.Generator) -> SparseRows:
    """Votes (readers x papers, +1 and -1): few readers cast most, on few topics."""
    owners = np.repeat(np.arange(readers), numbers_of_votes(readers, rng))
    loyal = rng.random(len(owners)) < LOYALTY
    topics = np.where(loyal, tastes(readers, rng)[owners], tastes(len(owners), rng))
    papers = corpus.picked(topics, rng)
    shape = (readers, len(corpus.papers))
    voted = sparse_rows(sparse.coo_matrix((np.ones(len(owners)), (owners, papers)), shape))
    likes = rng.random(len(voted.data)) < SHARE_OF_LIKES
    return with_data(voted, np.where(likes, 1, -1))


def quick_model(corpus: Corpus, rng: np.random.Generator) -> Model:
    """A model of full size, fitted on these papers and some readers in very few iterations."""
    settings = ModelSettings(
        spaces=tuple(replace(space, iterations=_QUICK_ITERATIONS) for space in SPACES)
    )
    votes = cast_votes(corpus, _QUICK_READERS, rng)
    return Model.fit_counts(
        corpus.counts, corpus.papers, corpus.language.names, votes, settings=settings
    )


def _drawn(cumulated: Shares, number: int, rng: np.random.Generator) -> Integers:
    places = np.searchsorted(cumulated, rng.random(number), side="right")
    return np.minimum(places, len(cumulated) - 1).astype(np.int32)


def _cumulated(weights: Shares) -> Shares:
    shares: Shares = np.cumsum(weights / weights.sum())
    return shares
