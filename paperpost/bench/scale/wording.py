"""Papers made up of words that nobody knows, on topics, with phrases that recur within a topic."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from paperpost.bench.invented import CATEGORIES, SEED, TOPICS, Language
from recommender.matrices import Integers

DAY = timedelta(days=1)
_WORDS = 25_000
_PHRASES_OF_A_TOPIC = 60
# Both words of a phrase are among so many of the topic's most frequent ones.
_FREQUENT = 300
_WORDS_OF_A_TITLE = 8
_PHRASES_OF_A_PAPER = 3
_AUTHORS = 4
_NAMES = 3_000
_SYLLABLES = [first + second for first in "bdfgklmnprtvz" for second in ("a", "e", "i", "o", "un")]
# What stands between two words, as often as in an abstract: words between which nothing stands make
# a term of two, so it matters.
_BETWEEN = (" ", " of the ", " and ", " in a ", " we ", ". We ", ", ")
_SHARES_BETWEEN = (0.52, 0.13, 0.09, 0.08, 0.05, 0.08, 0.05)
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Wording:
    """A language with words to read: the same one every time."""

    language: Language
    phrases: tuple[tuple[str, ...], ...]

    @classmethod
    def invent(cls) -> "Wording":
        """Made once for a run, in half a second."""
        rng = np.random.default_rng(SEED)
        language = Language.invent(_WORDS, rng)
        phrases = []
        for words in language.topics[:, :_FREQUENT]:
            pairs = rng.choice(words, (_PHRASES_OF_A_TOPIC, 2))
            phrases.append(tuple(f"{_word(one)} {_word(other)}" for one, other in pairs.tolist()))
        return cls(language, tuple(phrases))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All words, by rank."""
        return tuple(_word(rank) for rank in range(self.language.terms))

    def keywords(self, topic: int, number: int, rng: np.random.Generator) -> set[str]:
        """What somebody with this topic may ask for: most of it phrases, the rest single words."""
        phrases, words = self.phrases[topic], self.language.topics[topic]
        chosen = rng.random((number, 2)).tolist()
        return {
            phrases[int(place * len(phrases))]
            if kind < 0.7
            else self.words[words[int(place * _FREQUENT)]]
            for kind, place in chosen
        }


def topics_of(papers: int) -> Integers:
    """The topic of each paper, by its place."""
    return np.random.default_rng(SEED).integers(TOPICS, size=papers, dtype=np.int32)


def made_up_papers(
    wording: Wording, topics: Integers, first: int, last_day: date, each_day: int
) -> Iterator[dict[str, Any]]:
    """The papers on these topics, in the form of an import, in order of their days: those of
    `last_day` come last. `first` is the place of the first one among all papers ever made up."""
    rng = np.random.default_rng((SEED, first))
    for start in range(0, len(topics), _AT_ONCE):
        some = topics[start : start + _AT_ONCE]
        for place, (text, topic) in enumerate(zip(_texts(wording, some, rng), some, strict=True)):
            left = len(topics) - 1 - start - place
            day = last_day - left // each_day * DAY
            yield _paper(wording, text, int(topic), f"{day:%y%m}", first + start + place, day, rng)


def _texts(wording: Wording, topics: Integers, rng: np.random.Generator) -> Iterator[list[str]]:
    """The words of each paper."""
    owners, ranks = wording.language.draw(topics, rng)
    words, ends = wording.words, np.flatnonzero(np.diff(owners)) + 1
    for own in np.split(ranks, ends):
        yield [words[rank] for rank in own.tolist()]


def _paper(
    wording: Wording,
    text: list[str],
    topic: int,
    month: str,
    place: int,
    day: date,
    rng: np.random.Generator,
) -> dict[str, Any]:
    phrases = wording.phrases[topic]
    chosen = [phrases[n] for n in rng.integers(len(phrases), size=_PHRASES_OF_A_PAPER).tolist()]
    title, abstract = text[:_WORDS_OF_A_TITLE], text[_WORDS_OF_A_TITLE:]
    between = rng.choice(_BETWEEN, len(abstract), p=_SHARES_BETWEEN).tolist()
    shares = 1 / np.arange(1, len(CATEGORIES) + 1)
    size = int(rng.integers(1, 4))
    return {
        # Five digits of a month hold a hundred thousand papers.
        "id": f"{month}.{place % 100_000:05}",
        "announced": day.isoformat(),
        "title": f"{chosen[0]} {' '.join(title)}".capitalize(),
        "abstract": f"We study {' and '.join(chosen[1:])}. "
        + "".join(chain.from_iterable(zip(abstract, between, strict=True))).strip(" ,")
        + ".",
        # Some write much: every second paper has one of the first three thousand among its authors.
        "authors": [author(int(chance**4 * _NAMES**2)) for chance in rng.random(_AUTHORS).tolist()],
        "categories": rng.choice(CATEGORIES, size, replace=False, p=shares / shares.sum()).tolist(),
        "comment": None,
    }


def author(number: int) -> str:
    """A name, one of nine million."""
    return f"{_word(number % _NAMES)} {_word(number // _NAMES + _NAMES)}".title()


def _word(rank: int) -> str:
    """Three syllables; another word for each rank."""
    first, rest = rank % len(_SYLLABLES), rank // len(_SYLLABLES)
    second, third = rest % len(_SYLLABLES), rest // len(_SYLLABLES)
    return _SYLLABLES[first] + _SYLLABLES[second] + _SYLLABLES[third]
