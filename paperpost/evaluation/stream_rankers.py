"""Rankers for a stream of days: readers come with keywords and the votes they have cast so far."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from paperpost.evaluation.baselines import tfidf_of
from paperpost.evaluation.comparison import EvaluationError
from paperpost.evaluation.peers import doubles, svm_scores
from recommender.batch import Batch
from recommender.calibration import Calibration
from recommender.matrices import (
    Floats,
    SparseRows,
    dense_product,
    from_entries,
    sparse_rows,
    stacked,
    transposed,
)
from recommender.model import Model
from recommender.profile import Reader, Vote, keywords_of, votes_on
from recommender.rank import DECIMALS, best, best_first
from recommender.text import Paper

# Rocchio's weights as Manning, Raghavan and Schütze give them ("Introduction to Information
# Retrieval", 2008, section 9.1.1), for what was asked, the mean of the likes and of the dislikes.
_ASKED, _LIKED, _DISLIKED = 1.0, 0.75, -0.15


@dataclass(frozen=True)
class Stream:
    """What all rankers share: a model of the past, and the coming papers' words in its terms.

    `past` and `coming` are counts (papers x terms), `papers` are those to come and `days` the
    places of each day's among them. The first ones, before any day's, are those of the past that
    readers may be `asked` about.
    """

    model: Model
    past: SparseRows
    papers: tuple[Paper, ...]
    coming: SparseRows
    days: tuple[slice, ...]

    @cached_property
    def library(self) -> Batch:
        """All papers that may be voted on, as the model sees them."""
        return self.model.batch_counts(self.coming, self.papers)

    @cached_property
    def asked(self) -> Batch:
        """The papers that readers may be asked about."""
        return self._batch(slice(0, self.days[0].start))

    @cached_property
    def batches(self) -> tuple[Batch, ...]:
        """Each day's papers."""
        return tuple(self._batch(day) for day in self.days)

    def _batch(self, here: slice) -> Batch:
        return self.model.batch_counts(self.coming[here], self.papers[here])


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper by its `place` among the day's; the `probability` of a vote up, NaN if not told."""

    place: int
    probability: float = math.nan


# From a day's number and the readers: the day's best papers, for each reader.
DayRanker = Callable[[int, Sequence[Reader]], list[list[Shown]]]


def stream_of(
    past: Sequence[Paper], days: Sequence[Sequence[Paper]], asked: Sequence[Paper] = ()
) -> Stream:
    """Learn from the past, which nobody voted on, and count the words of what comes and of the
    papers of the past that readers are `asked` about."""
    model = Model.fit(past, [])
    if not model.vocabulary.terms:
        raise EvaluationError("the papers of the past have no words to learn from")
    papers = (*asked, *(paper for day in days for paper in day))
    ends = np.cumsum([len(asked), *(len(day) for day in days)]).tolist()
    return Stream(
        model,
        model.vocabulary.count([paper.text for paper in past]),
        papers,
        model.vocabulary.count([paper.text for paper in papers]),
        tuple(slice(start, end) for start, end in pairwise(ends)),
    )


def paperpost(stream: Stream, limit: int) -> DayRanker:
    """Paperpost's ranker, as it ships, for readers who want nothing explored."""
    return _paperpost(stream, limit, 0)


def exploring(stream: Stream, limit: int) -> DayRanker:
    """The same for readers who want the last of their papers explored."""
    return _paperpost(stream, limit, limit)


def _paperpost(stream: Stream, limit: int, length: int) -> DayRanker:
    curve = Calibration()

    def ranker(day: int, readers: Sequence[Reader]) -> list[list[Shown]]:
        profiles = stream.model.profiles(readers, stream.library)
        lengths = np.full(len(readers), length, dtype=np.int32)
        found = best(profiles, stream.batches[day], limit=limit, explore=lengths)
        chances = curve.probabilities(np.round(found.scores, DECIMALS)).tolist()
        return [
            [Shown(*told) for told in zip(found.of(row), chances[row], strict=False)]
            for row in range(len(readers))
        ]

    return ranker


def tfidf(stream: Stream, limit: int) -> DayRanker:
    """The cosine to keywords and votes, by the terms of the model and Rocchio's formula."""
    words = _Words(stream)

    def ranker(day: int, readers: Sequence[Reader]) -> list[list[Shown]]:
        profiles = sparse_rows(words.weights_of(readers) @ words.evidence(readers))
        scores = dense_product(profiles, transposed(words.coming[stream.days[day]]))
        return _best_of(scores, limit)

    return ranker


def linear_svm(stream: Stream, limit: int) -> DayRanker:
    """arxiv-sanity's SVM: keywords and likes against dislikes and everything in the past."""
    words = _Words(stream)

    def ranker(day: int, readers: Sequence[Reader]) -> list[list[Shown]]:
        candidates = doubles(words.coming[stream.days[day]])
        with threadpool_limits(1):
            scores = np.vstack([_svm_scores(words, reader, candidates) for reader in readers])
        return _best_of(scores, limit)

    return ranker


def random_order(stream: Stream, limit: int) -> DayRanker:
    """By lot, the same in every run."""
    rng = np.random.default_rng(0)

    def ranker(day: int, readers: Sequence[Reader]) -> list[list[Shown]]:
        here = stream.days[day]
        size = here.stop - here.start
        return [[Shown(int(place)) for place in rng.permutation(size)[:limit]] for _ in readers]

    return ranker


def without_votes(ranker: DayRanker) -> DayRanker:
    """The same ranker, told the readers' keywords alone."""
    return lambda day, readers: ranker(day, [replace(reader, votes=()) for reader in readers])


def without_dislikes(ranker: DayRanker) -> DayRanker:
    """The same ranker, not told of votes down."""

    def ranked(day: int, readers: Sequence[Reader]) -> list[list[Shown]]:
        return ranker(day, [replace(reader, votes=_up(reader.votes)) for reader in readers])

    return ranked


def _up(votes: Sequence[Vote]) -> tuple[Vote, ...]:
    return tuple(vote for vote in votes if vote.value > 0)


def _best_of(scores: Floats, limit: int) -> list[list[Shown]]:
    best = best_first(scores, limit).tolist()
    return [[Shown(place) for place in places if place >= 0] for places in best]


class _Words:
    """TF-IDF rows of past and coming papers and of keywords, by scikit-learn."""

    def __init__(self, stream: Stream) -> None:
        vocabulary = stream.model.vocabulary
        self._weigh = tfidf_of(stream.past)
        self._vocabulary = vocabulary
        self._positions = {paper.id: place for place, paper in enumerate(stream.papers)}
        self.past = self._weigh(stream.past)
        self.coming = self._weigh(stream.coming)

    def evidence(self, readers: Sequence[Reader]) -> SparseRows:
        """The coming papers, then each keyword that one of the readers has."""
        return stacked(self.coming, self.keywords(keywords_of(readers)))

    def keywords(self, keywords: Sequence[str]) -> SparseRows:
        return self._weigh(self._vocabulary.count(keywords))

    def weights_of(self, readers: Sequence[Reader]) -> SparseRows:
        """Readers x evidence, as Rocchio weighs it."""
        places = {
            word: place for place, word in enumerate(keywords_of(readers), len(self._positions))
        }
        return from_entries(
            [self._weights(reader, places) for reader in readers],
            len(self._positions) + len(places),
        )

    def votes(self, reader: Reader, value: int) -> list[int]:
        """The places of the papers that the reader voted up (1) or down (-1)."""
        votes = votes_on(reader.votes, self._positions)
        return [place for place, vote in votes.items() if vote == value]

    def _weights(self, reader: Reader, places: Mapping[str, int]) -> dict[int, float]:
        asked = [places[word] for word in reader.interests.keywords]
        likes, dislikes = self.votes(reader, 1), self.votes(reader, -1)
        weights = dict.fromkeys(asked, _ASKED / max(len(asked), 1))
        weights |= dict.fromkeys(likes, _LIKED / max(len(likes), 1))
        return weights | dict.fromkeys(dislikes, _DISLIKED / max(len(dislikes), 1))


def _svm_scores(words: _Words, reader: Reader, candidates: Any) -> Floats:
    likes, dislikes = words.votes(reader, 1), words.votes(reader, -1)
    liked = stacked(words.keywords(reader.interests.keywords), words.coming[likes])
    papers = stacked(liked, stacked(words.coming[dislikes], words.past))
    return svm_scores(doubles(papers), range(liked.shape[0]), candidates)
