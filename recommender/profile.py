"""What interests and votes say about readers, computed from scratch whenever it is needed.

A vote up adds a paper to the profile, votes down take theirs away (Rocchio, "Relevance feedback in
information retrieval", 1971); a keyword enters as a paper made of that keyword alone.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from recommender.batch import Batch
from recommender.errors import SpaceError
from recommender.forgetting import Forgotten
from recommender.matrices import (
    Floats,
    Integers,
    SparseRows,
    from_entries,
    from_parts,
    stacked,
    unit_rows,
    unit_sparse_rows,
)
from recommender.modes import MOST_LIKES, find_modes
from recommender.spaces import JointSpace

# All dislikes together take away at most this share of what likes and keywords add: most readers
# vote down far more than up, and a plain sum turns their profiles round (precision@10 on the arXiv
# stream falls from .412 to .353).
DISLIKE_WEIGHT = 0.3
# A keyword counts as much as so many votes up: all there is on the first day, little after fifty.
# Of 1, 2 and 4 the best on the arXiv stream.
KEYWORD_WEIGHT = 4.0


@dataclass(frozen=True, slots=True)
class Interests:
    """What a reader typed: seed keywords, followed authors and categories, muted terms, and words
    that their votes are not to count for (forgetting.py)."""

    keywords: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    muted: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()


class _Vote(NamedTuple):
    paper_id: str
    value: int


# A tuple, as millions are made a day, and a frozen dataclass takes three times as long.
class Vote(_Vote):
    """A thumbs-up (1) or thumbs-down (-1) on a paper."""

    __slots__ = ()

    def __new__(cls, paper_id: str, value: int) -> "Vote":
        if value not in (1, -1):
            raise ValueError(f"a vote is 1 or -1, not {value!r}")
        return super().__new__(cls, paper_id, value)


@dataclass(frozen=True, slots=True)
class Reader:
    """One subscriber, told apart by `key`; of two votes on a paper the later one counts."""

    key: Hashable
    interests: Interests = Interests()
    votes: tuple[Vote, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The papers that were voted on, then the keywords as pseudo-papers."""

    library: Batch
    keywords: tuple[str, ...]
    tfidf: SparseRows
    factors: Floats

    def keyword(self, item: int) -> str | None:
        """The keyword that this item was made of; None for a paper."""
        return None if item < len(self.library) else self.keywords[item - len(self.library)]

    def of(
        self, items: Integers | list[int], forgotten: Forgotten | None
    ) -> tuple[SparseRows, Floats]:
        """TF-IDF and factors of some items, in ascending order, without what was `forgotten` of
        papers."""
        if forgotten is None:
            return self.tfidf[items], self.factors[items]
        papers = int(np.searchsorted(items, len(self.library)))
        voted, keywords = items[:papers], items[papers:]
        return (
            stacked(forgotten.words_of(self.tfidf[voted]), self.tfidf[keywords]),
            np.vstack([forgotten.factors_of(self.factors[voted]), self.factors[keywords]]),
        )


@dataclass(frozen=True, slots=True)
class Vectors:
    """Profiles as what papers are compared with, a row each; rows are of unit length or zero."""

    weights: SparseRows  # profiles x evidence: what each item adds to the profile
    tfidf: SparseRows  # profiles x terms
    centroids: Floats  # profiles x factors: the sum of the evidence
    folded: Floats  # profiles x factors: the reader as the factorisation sees them
    likes: Floats  # votes up and keywords in each, by which the blend is weighted

    def __len__(self) -> int:
        return len(self.likes)

    def __getitem__(self, rows: slice) -> "Vectors":
        return Vectors(
            self.weights[rows],
            self.tfidf[rows],
            self.centroids[rows],
            self.folded[rows],
            self.likes[rows],
        )


@dataclass(frozen=True)
class Profiles:
    """Readers in the space of one model: all they like, and each of their interests (modes.py).

    `vectors` has a row for each reader, then one for each interest of those with several: for
    reader r, `mode_ends[r]` to `mode_ends[r + 1]` rows after the readers'.
    """

    readers: tuple[Reader, ...]
    evidence: Evidence
    vectors: Vectors
    mode_ends: Integers
    trained: int  # papers that the model was trained on
    space: str
    forgotten: Mapping[int, Forgotten] = field(default_factory=dict)  # by reader, of those who did

    def __len__(self) -> int:
        return len(self.readers)

    @property
    def whole(self) -> Vectors:
        """A row for each reader."""
        return self.vectors[: len(self.readers)]

    def modes_of(self, rows: slice) -> slice:
        """Where in `vectors` the interests of some readers are."""
        first, last = self.mode_ends[rows.start], self.mode_ends[rows.stop]
        return slice(len(self.readers) + int(first), len(self.readers) + int(last))

    @cached_property
    def liked(self) -> SparseRows:
        """Readers x trained papers: a 1 for each vote up on one of them."""
        library, weights = self.evidence.library, self.whole.weights
        is_liked = (weights.data > 0) & (weights.indices < len(library))
        places = np.full(len(weights.data), -1, dtype=np.int32)
        places[is_liked] = library.trained[weights.indices[is_liked]]
        ends = np.concatenate([[0], np.cumsum(places >= 0)])[weights.indptr].astype(np.int32)
        places = places[places >= 0]
        return from_parts(np.ones(len(places), dtype=np.float32), places, ends, self.trained)


def build_profiles(
    readers: Sequence[Reader],
    library: Batch,
    keywords: Batch,
    space: JointSpace,
    forgotten: Mapping[int, Forgotten],
) -> Profiles:
    """Profiles from votes on papers of `library` and from `keywords`, a pseudo-paper for each,
    without what some of the readers have `forgotten`.

    Votes on papers that the library lacks are left out.
    """
    if library.space != keywords.space:
        raise SpaceError("library and keywords are of two models")
    evidence = Evidence(
        library,
        tuple(paper.title for paper in keywords.papers),
        stacked(library.tfidf, keywords.tfidf),
        np.vstack([library.factors, keywords.factors]),
    )
    entries = [_entries_of(reader, library, keywords) for reader in readers]
    modes = [_modes_of(row, library) for row in entries]
    ends = np.cumsum([0, *map(len, modes)], dtype=np.int32)
    rows = [*entries, *(mode for own in modes for mode in own)]
    vectors = _vectors(rows, len(library), evidence.tfidf, evidence.factors, space)
    for reader, own in forgotten.items():
        places = [reader, *range(len(readers) + ends[reader], len(readers) + ends[reader + 1])]
        without = _vectors_without(own, [rows[place] for place in places], evidence, space)
        vectors = _replaced(vectors, places, without)
    return Profiles(
        readers=tuple(readers),
        evidence=evidence,
        vectors=vectors,
        mode_ends=ends,
        trained=space.papers,
        space=library.space,
        forgotten=forgotten,
    )


def _vectors(
    entries: Sequence[dict[int, float]],
    papers: int,
    tfidf: SparseRows,
    factors: Floats,
    space: JointSpace,
) -> Vectors:
    """From votes by place in the evidence, likes perhaps in part; the first `papers` items of it
    are papers."""
    weights = from_entries([_weights_of(row, papers) for row in entries], len(factors))
    return Vectors(
        weights=weights,
        tfidf=unit_sparse_rows(weights @ tfidf),
        centroids=unit_rows(weights @ factors),
        folded=space.fold_readers(from_entries(entries, len(factors)), factors),
        likes=np.array([sum(max(v, 0) for v in row.values()) for row in entries], np.float32),
    )


def _vectors_without(
    forgotten: Forgotten, entries: list[dict[int, float]], evidence: Evidence, space: JointSpace
) -> Vectors:
    """As `_vectors`, of one reader who has forgotten something: from their own items alone, so
    that the other readers' need no copy."""
    items = sorted({item for row in entries for item in row})
    places = {item: place for place, item in enumerate(items)}
    papers = sum(item < len(evidence.library) for item in items)
    own = [{places[item]: value for item, value in row.items()} for row in entries]
    return _vectors(own, papers, *evidence.of(items, forgotten), space)


def _replaced(vectors: Vectors, places: list[int], by: Vectors) -> Vectors:
    """The vectors with those in some places given by others; what each item weighs stays."""
    order = np.arange(len(vectors))
    order[places] = len(vectors) + np.arange(len(places))
    return replace(
        vectors,
        tfidf=stacked(vectors.tfidf, by.tfidf)[order],
        centroids=np.vstack([vectors.centroids, by.centroids])[order],
        folded=np.vstack([vectors.folded, by.folded])[order],
    )


def keywords_of(readers: Sequence[Reader]) -> tuple[str, ...]:
    """Every keyword once, in the order of first use."""
    return tuple(dict.fromkeys(word for reader in readers for word in reader.interests.keywords))


def votes_on(votes: Sequence[Vote], positions: dict[str, int]) -> dict[int, float]:
    """Votes by position of the paper; those on papers without one are left out."""
    return {
        positions[vote.paper_id]: float(vote.value) for vote in votes if vote.paper_id in positions
    }


def _entries_of(reader: Reader, library: Batch, keywords: Batch) -> dict[int, float]:
    entries = votes_on(reader.votes, library.positions)
    for keyword in reader.interests.keywords:
        entries[len(library) + keywords.positions[keyword]] = 1.0
    return entries


def _modes_of(entries: dict[int, float], library: Batch) -> list[dict[int, float]]:
    """Votes for each interest of a reader: likes in part, dislikes as they are, no keywords, which
    are for the whole."""
    likes = [item for item, value in entries.items() if value > 0 and item < len(library)]
    likes = likes[-MOST_LIKES:]
    dislikes = {item: value for item, value in entries.items() if value < 0}
    return [
        {item: share for item, share in zip(likes, shares, strict=True) if share > 0} | dislikes
        for shares in find_modes(library.factors[likes]).tolist()
    ]


def _weights_of(entries: dict[int, float], papers: int) -> dict[int, float]:
    likes = {
        item: value * (1.0 if item < papers else KEYWORD_WEIGHT)
        for item, value in entries.items()
        if value > 0
    }
    dislikes = [item for item in entries if item not in likes]
    share = min(1.0, sum(likes.values()) / len(dislikes)) if likes and dislikes else 1.0
    return likes | dict.fromkeys(dislikes, -DISLIKE_WEIGHT * share)
