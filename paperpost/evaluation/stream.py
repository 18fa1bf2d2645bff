"""A stream of days replayed: readers who start from keywords, see ten papers a day and vote.

A reader is made of a fact that the rankers do not see, a secondary category: papers that have it
are voted up, the others down. The last month of the data is the stream, what lies before it the
past. Every ranker has readers of its own, who vote on what it showed them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import numpy as np

from paperpost.evaluation import stream_rankers as rankers
from paperpost.evaluation.comparison import EvaluationError, Progress, chosen
from paperpost.evaluation.datasets import Announced, read_announced
from paperpost.evaluation.exploration import Explored, explored
from paperpost.evaluation.ratings import CHOOSERS, DAYS_ASKED, Rated, rated
from paperpost.evaluation.reliability import Predictions, all_of
from paperpost.evaluation.replayed import Replayed
from paperpost.evaluation.stream_readers import SEEDS, VAGUE
from paperpost.evaluation.stream_report import EXPLORING, StreamReport
from recommender.matrices import Booleans
from recommender.metrics import Values, precision_at
from recommender.profile import Interests, Reader, Vote

SHOWN = 10
_PLAIN = "Paperpost"

RANKERS: Mapping[str, Callable[[rankers.Stream], rankers.DayRanker]] = {
    "Random": lambda stream: rankers.random_order(stream, SHOWN),
    "Words, keywords alone": lambda stream: rankers.without_votes(rankers.tfidf(stream, SHOWN)),
    "TF-IDF with votes (Rocchio)": lambda stream: rankers.tfidf(stream, SHOWN),
    "Linear SVM (arxiv-sanity)": lambda stream: rankers.linear_svm(stream, SHOWN),
    "Our ranker, keywords alone": lambda stream: rankers.without_votes(
        rankers.paperpost(stream, SHOWN)
    ),
    "Our ranker, votes up alone": lambda stream: rankers.without_dislikes(
        rankers.paperpost(stream, SHOWN)
    ),
    EXPLORING: lambda stream: rankers.exploring(stream, SHOWN),
    _PLAIN: lambda stream: rankers.paperpost(stream, SHOWN),
}


@dataclass(frozen=True, slots=True)
class Audience:
    """Readers by the category that each of them likes, and what they like (per paper id)."""

    readers: tuple[Reader, ...]
    likes: Mapping[str, frozenset[str]]

    def vote(self, readers: Sequence[Reader], shown: Sequence[Sequence[str]]) -> list[Reader]:
        """The readers after a day on which these papers were shown to them."""
        return [
            replace(reader, votes=reader.votes + self._votes(reader, ids))
            for reader, ids in zip(readers, shown, strict=True)
        ]

    def starting_from(self, keywords: Mapping[str, Sequence[str]]) -> "Audience":
        """Readers of the same likes who start from one keyword each of those for their category."""
        readers = tuple(
            replace(reader, interests=Interests(keywords=(keyword,)))
            for reader in self.readers
            for keyword in keywords[str(reader.key)]
        )
        return replace(self, readers=readers)

    @property
    def by_beginning(self) -> "dict[str, Audience]":
        """Those readers, and the same with a poorer start."""
        vague = {category: (word,) for category, word in VAGUE.items()}
        return {
            "their phrases": self,
            "one of them": self.starting_from(SEEDS),
            "one vague word": self.starting_from(vague),
        }

    def likes_of(self, reader: Reader, ids: Sequence[str]) -> list[bool]:
        """Which of the papers the reader likes."""
        return [str(reader.key) in self.likes[paper_id] for paper_id in ids]

    def _votes(self, reader: Reader, ids: Sequence[str]) -> tuple[Vote, ...]:
        liked = self.likes_of(reader, ids)
        return tuple(Vote(one, 1 if like else -1) for one, like in zip(ids, liked, strict=True))


def evaluate_stream(
    folder: Path, seed: int, models: Sequence[str], say: Progress, *, validation: bool = False
) -> StreamReport:
    """Precision at ten, day by day. `seed` is for the intervals; nothing else is left to chance.

    With `validation` the month that is reported does not exist: the stream is the second half of
    the days before it. Weights are chosen there.
    """
    start = monotonic()
    names = chosen(list(RANKERS), models)
    past, days = _parted(read_announced(folder))
    if validation:
        past, days = past[: len(past) // 2], past[len(past) // 2 :]
        if not past:
            raise EvaluationError("too few days before the last month to choose weights on")
    say(f"{sum(len(day.papers) for day in past):,} papers as the past, {len(days)} days to come")
    asked = past[-DAYS_ASKED:]
    stream = rankers.stream_of(
        [paper for day in past for paper in day.papers],
        [day.papers for day in days],
        [paper for day in asked for paper in day.papers],
    )
    audience = audience_of(days, asked)
    replayed: dict[str, Replayed] = {}
    for name in names:
        replayed[name] = replay(RANKERS[name](stream), days, audience)
        say(f"{name}: precision@{SHOWN} {np.nanmean(replayed[name].precisions):.3f}")
    exploration: dict[str, Explored] = {}
    ratings: dict[str, dict[str, Rated]] = {}
    if {_PLAIN, EXPLORING} <= replayed.keys():
        for beginning, some in audience.by_beginning.items():
            say(f"exploration and ratings, for readers who start from {beginning}")
            plain, exploring = (
                replayed[name] if some is audience else replay(RANKERS[name](stream), days, some)
                for name in (_PLAIN, EXPLORING)
            )
            exploration[beginning] = explored(exploring, plain, seed)
            ratings[beginning] = _ratings(stream, days, some, plain, seed)
    dates = [day.day for day in days]
    sizes = [len(day.papers) for day in days]
    categories = [str(reader.key) for reader in audience.readers]
    seconds = monotonic() - start
    return StreamReport(seed, dates, sizes, categories, replayed, seconds, exploration, ratings)


def _ratings(
    stream: rankers.Stream,
    days: Sequence[Announced],
    audience: Audience,
    plain: Replayed,
    seed: int,
) -> dict[str, Rated]:
    """What ten ratings before the first day add for these readers, by how the ten are chosen."""
    found = {}
    for name, choose in CHOOSERS.items():
        chosen = choose(stream.model.profiles(audience.readers, stream.library), stream.asked)
        shown = [[stream.asked.papers[place].id for place in row] for row in chosen]
        experienced = replace(audience, readers=tuple(audience.vote(audience.readers, shown)))
        liked = sum(vote.value > 0 for reader in experienced.readers for vote in reader.votes)
        after = replay(RANKERS[_PLAIN](stream), days, experienced)
        found[name] = rated(after, plain, liked, seed)
    return found


def audience_of(days: Sequence[Announced], asked: Sequence[Announced] = ()) -> Audience:
    """A reader for each category that any of the days' papers has; they may also be `asked` about
    the papers of earlier days."""
    likes = {
        paper.id: categories
        for day in (*asked, *days)
        for paper, categories in zip(day.papers, day.categories, strict=True)
    }
    there = frozenset().union(*(names for day in days for names in day.categories))
    readers = tuple(
        Reader(category, Interests(keywords=seeds))
        for category, seeds in SEEDS.items()
        if category in there
    )
    if not readers:
        raise EvaluationError("no paper of the stream has a category that a reader is made of")
    return Audience(readers, likes)


def replay(ranker: rankers.DayRanker, days: Sequence[Announced], audience: Audience) -> Replayed:
    """Show each day's ten papers to readers who vote on them before the next day."""
    readers = list(audience.readers)
    precisions, predictions = [], []
    for number, day in enumerate(days):
        lists = ranker(number, readers)
        ids = [paper.id for paper in day.papers]
        shown = [[ids[one.place] for one in best] for best in lists]
        likes = [audience.likes_of(*row) for row in zip(readers, shown, strict=True)]
        liked = _padded(likes, 0).astype(np.bool_)
        told = _padded([[one.probability for one in best] for best in lists], np.nan)
        precisions.append(_precisions(audience, ids, liked))
        predictions.append(Predictions(told, liked))
        readers = audience.vote(readers, shown)
    return Replayed(np.stack(precisions, axis=1), all_of(predictions))


def _padded(rows: Sequence[Sequence[float]], filler: float) -> Values:
    """Readers x places."""
    padded = np.full((len(rows), SHOWN), filler)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded


def _precisions(audience: Audience, ids: Sequence[str], liked: Booleans) -> Values:
    readers = audience.readers
    relevant = np.array([sum(audience.likes_of(reader, ids)) for reader in readers], dtype=np.int32)
    if len(ids) <= SHOWN:  # everything is shown: nothing to be right or wrong about
        return np.full(len(readers), np.nan)
    return precision_at(SHOWN, liked, relevant)


def _parted(days: Sequence[Announced]) -> tuple[list[Announced], list[Announced]]:
    first = days[-1].day.replace(day=1)
    past = [day for day in days if day.day < first]
    if not past:
        raise EvaluationError(f"no papers before {first}: the stream needs a past to learn from")
    return past, [day for day in days if day.day >= first]
