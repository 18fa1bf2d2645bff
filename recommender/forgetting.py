"""Words that a reader had taken out of their profile, where votes had brought them in.

What a liked or disliked paper says by such a word counts for nothing: its column in the paper's
TF-IDF row is zero, and the word's direction is taken out of the paper's factors as far as the
paper points that way (orthogonal negation: Widdows, "Orthogonal negation in vector spaces for
modelling word-meanings and document retrieval", ACL 2003). Keywords are the reader's own words and
stay whole; papers with the word stay candidates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.matrices import Booleans, Floats, SparseRows, with_data
from recommender.phrases import normal_phrase


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The terms that one reader's forgotten words stand in (`columns`, a bool for each term), the
    directions of the words (words x factors, unit length or zero), and the words as phrases."""

    columns: Booleans
    directions: Floats
    phrases: tuple[str, ...]

    def words_of(self, tfidf: SparseRows) -> SparseRows:
        """TF-IDF rows without the forgotten terms; what is left keeps its weight."""
        return with_data(tfidf, np.where(self.columns[tfidf.indices], 0, tfidf.data))

    def factors_of(self, factors: Floats) -> Floats:
        """Factors without what of them points towards a forgotten word."""
        left = factors
        for direction in self.directions:
            left = left - np.maximum(left @ direction, 0)[:, None] * direction
        return np.asarray(left, dtype=np.float32)

    def is_in(self, text: str) -> bool:
        """Whether a text holds a forgotten word."""
        normal = normal_phrase(text)
        return any(phrase in normal for phrase in self.phrases)


class TermIndex:
    """The terms of a vocabulary by the words in them."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._phrases = [f" {term.replace('-', ' ')} " for term in terms]
        self._columns: dict[str, list[int]] = {}
        for column, phrase in enumerate(self._phrases):
            for word in dict.fromkeys(phrase.split()):
                self._columns.setdefault(word, []).append(column)

    def holding(self, text: str) -> list[int]:
        """The columns of the terms in which the text stands, word by word."""
        wanted = normal_phrase(text)
        if not wanted:
            return []
        rarest = min((self._columns.get(word, []) for word in wanted.split()), key=len)
        return [column for column in rarest if wanted in self._phrases[column]]


def forgotten(words: Sequence[str], index: TermIndex, terms: int, directions: Floats) -> Forgotten:
    """What a reader forgot, in a vocabulary of so many terms; `directions` has a row for each
    word."""
    columns = np.zeros(terms, dtype=np.bool_)
    for word in words:
        columns[index.holding(word)] = True
    phrases = tuple(filter(None, map(normal_phrase, words)))
    return Forgotten(columns, directions, phrases)
