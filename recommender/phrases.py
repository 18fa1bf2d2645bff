"""Exact matches: a phrase in a text, a person's name, a category; what readers follow and mute."""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from recommender.matrices import Integers
from recommender.text import Paper, folded, words_as_written

# Phrases whose papers are kept: all of a day's readers have fewer.
_MOST_KEPT = 50_000
_ASCII_MARKS = {code: " " for code in range(128) if not chr(code).isalnum()}


def normal_phrase(text: str) -> str:
    """Words in singular and lower case with single spaces around; hyphens count as spaces.

    A text without a word gives "", which stands in no text.
    """
    parts = [part for written in words_as_written(text) for part in _parts(written)]
    return f" {' '.join(parts)} " if parts else ""


@lru_cache(maxsize=2**16)
def _parts(written: str) -> tuple[str, ...]:
    return tuple(part for part in folded(written).split("-") if part)


@lru_cache(maxsize=2**14)
def normal_name(name: str) -> str:
    """A person's name without accents, capitals and marks; "Lovelace, Ada" turned round."""
    family, comma, given = name.partition(",")
    ordered = f"{given} {family}" if comma and "," not in given else name
    if ordered.isascii():  # most are, and the loop below is slow
        return " ".join(ordered.casefold().translate(_ASCII_MARKS).split())
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", ordered).casefold())
    kept = (c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def normal_category(category: str) -> str:
    """A category's name in lower case."""
    return category.strip().casefold()


class PhraseIndex:
    """Which of some papers hold a phrase, by which author, in which category.

    Positions are those of the papers given. Phrases are matched word by word: "rat" is not in
    "migration", and a phrase never runs over a title's end.
    """

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._texts = [
            (normal_phrase(paper.title), normal_phrase(paper.abstract)) for paper in papers
        ]
        self._words = _positions(f"{title}{abstract}".split() for title, abstract in self._texts)
        self._authors = _positions(map(normal_name, paper.authors) for paper in papers)
        self._categories = _positions(map(normal_category, paper.categories) for paper in papers)
        self._forget()

    def _forget(self) -> None:
        self._found: dict[str, Integers] = {}  # many readers share a keyword
        self._sets: dict[str, frozenset[int]] = {}

    def part(self, columns: npt.NDArray[np.intp]) -> "PhraseIndex":
        """The index of the papers at these places, ascending, which asks this one."""
        return _PartIndex(self, columns)

    def with_phrase(self, phrase: str) -> list[int]:
        """Papers with this phrase in title or abstract, in order."""
        return list(map(int, self.where(phrase)))

    def where(self, phrase: str) -> Integers:
        """As `with_phrase`, as an array that is shared by all who ask."""
        found = self._found.get(phrase)
        if found is None:
            found = self._looked_up(phrase)
            if len(self._found) >= _MOST_KEPT:  # anybody may ask for anything
                self._forget()
            self._found[phrase] = found
        return found

    def holders(self, phrase: str) -> frozenset[int]:
        """As `where`, to ask whether a paper is among them."""
        found = self.where(phrase)
        kept = self._sets.get(phrase)
        if kept is None:
            kept = self._sets[phrase] = frozenset(found.tolist())
        return kept

    def _looked_up(self, phrase: str) -> Integers:
        wanted = normal_phrase(phrase)
        rarest = min((self._words.get(word, []) for word in wanted.split()), key=len, default=[])
        holding = [paper for paper in rarest if any(wanted in text for text in self._texts[paper])]
        return np.array(holding, dtype=np.int32)

    def by_author(self, name: str) -> list[int]:
        """Papers with an author of exactly this name, in order."""
        return self._authors.get(normal_name(name), [])

    def in_category(self, category: str) -> list[int]:
        """Papers with this category, first or later, in order."""
        return self._categories.get(normal_category(category), [])

    def muted_by(self, term: str) -> list[int]:
        """Papers that a muted phrase, author or category excludes; may name a paper twice."""
        return [*self.with_phrase(term), *self.by_author(term), *self.in_category(term)]


class _PartIndex(PhraseIndex):
    """Of some papers of another index, whose texts are not read again."""

    def __init__(self, whole: PhraseIndex, columns: npt.NDArray[np.intp]) -> None:
        self._whole = whole
        self._places = {column: place for place, column in enumerate(columns.tolist())}
        self._authors = {name: self._here(own) for name, own in whole._authors.items()}
        self._categories = {name: self._here(own) for name, own in whole._categories.items()}
        self._forget()

    def _looked_up(self, phrase: str) -> Integers:
        return np.array(self._here(self._whole.where(phrase).tolist()), dtype=np.int32)

    def _here(self, columns: Iterable[int]) -> list[int]:
        return [self._places[column] for column in columns if column in self._places]


def _positions(names: Iterable[Iterable[str]]) -> dict[str, list[int]]:
    positions: dict[str, list[int]] = {}
    for position, here in enumerate(names):
        for name in dict.fromkeys(here):
            if name:
                positions.setdefault(name, []).append(position)
    return positions
