"""How close chosen papers are to what their readers liked and typed, and by which terms: for some
readers at once, as to begin with each of them alone would take longer than the work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recommender.batch import Batch
from recommender.forgetting import Forgotten
from recommender.matrices import (
    Booleans,
    Floats,
    Integers,
    SparseRows,
    from_parts,
)
from recommender.profile import Profiles

# So many readers are looked at at once that this many numbers are worked with: 16 MB.
_NUMBERS_AT_ONCE = 4_000_000
_MOST_AT_ONCE = 64
# What a paper has of distinct terms, roughly.
_TERMS_OF_A_PAPER = 120
# Of a longer list so many papers are laid out at once.
_WIDEST = 32
# What is said of a term in one number, to be sorted by: whether liked papers have it, what it adds
# to the match as the bits of a float, and its place among its paper's, from the end.
_LIKED, _STRENGTH = 48, 16
_LAST_PLACE = (1 << _STRENGTH) - 1
_NONE = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Compared:
    """One reader's papers beside the reader's evidence.

    `items` is the evidence that adds to the profile, `weights` says how much, and `cosines` (items
    x papers) are the means of those in words and in factors. `places` and `strengths` (papers x
    terms) are places among a paper's telling terms and what these add to the match: first `liked`
    (papers) terms of liked papers, the greatest first, then those of keywords alone, `shared` in
    all.
    """

    items: Integers
    weights: Floats
    cosines: Floats
    places: Integers
    strengths: Floats
    liked: Integers
    shared: Integers


def compared(
    profiles: Profiles, batch: Batch, lists: Sequence[Sequence[int]]
) -> Iterator[Compared]:
    """Each reader's papers, given as places in the batch, beside the reader's evidence."""
    width = max(map(len, lists), default=0)
    each = 1 + _TERMS_OF_A_PAPER * width * min(width, _WIDEST)
    at_once = min(max(1, _NUMBERS_AT_ONCE // each), _MOST_AT_ONCE)
    numbers = np.zeros(batch.tfidf.shape[1], dtype=np.int32)
    for start in range(0, len(lists), at_once):
        some = lists[start : start + at_once]
        readers = range(start, start + len(some))
        papers, evidence = _Papers.of(batch, some), _Evidence.of(profiles, readers)
        profile = _Rows(profiles.vectors.tfidf, np.array(readers, dtype=np.int32))
        _number(numbers, papers, evidence, profile)
        yield from _beside(batch, papers, evidence, profile)


class _Rows:
    """Rows of a sparse matrix one after another."""

    def __init__(self, matrix: SparseRows, rows: Integers) -> None:
        taken = matrix[rows]  # a copy, whose columns are numbered anew below
        self.ends, self.columns, self.data = taken.indptr, taken.indices, taken.data
        self.lengths = np.diff(self.ends)

    def parts(self, ends: list[int]) -> list[slice]:
        """Where the entries of the rows between each two of these ends are."""
        return _spans(self.ends[ends].tolist())


@dataclass(frozen=True, slots=True)
class _Papers:
    """The papers of some readers' lists, one list after another: places in the batch, their ranks,
    their rows, and where each list ends (with a leading 0)."""

    places: Integers
    ranks: Integers
    rows: _Rows
    ends: list[int]

    @classmethod
    def of(cls, batch: Batch, lists: Sequence[Sequence[int]]) -> "_Papers":
        sizes = np.array([len(own) for own in lists], dtype=np.int32)
        ends = np.concatenate([[0], np.cumsum(sizes)])
        places = np.array([place for own in lists for place in own], dtype=np.int32)
        ranks = (np.arange(len(places)) - np.repeat(ends[:-1], sizes)).astype(np.int32)
        return cls(places, ranks, _Rows(batch.tfidf, places), ends.tolist())


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The evidence that adds to some readers' profiles, one reader's after another, without what
    they have forgotten: its weights, rows and factors, which entries of the rows are of liked
    papers, and where each reader's ends (with a leading 0)."""

    items: Integers
    weights: Floats
    rows: _Rows
    is_liked: Booleans
    factors: Floats
    ends: list[int]

    @classmethod
    def of(cls, profiles: Profiles, readers: range) -> "_Evidence":
        matrix = profiles.vectors.weights
        ends = matrix.indptr[readers.start : readers.stop + 1]
        here = slice(ends[0], ends[-1])
        adds = matrix.data[here] > 0
        items, weights = matrix.indices[here][adds], matrix.data[here][adds]
        ends = np.concatenate([[0], np.cumsum(adds)])[ends - ends[0]]
        rows = _Rows(profiles.evidence.tfidf, items)
        is_liked = np.repeat(items < len(profiles.evidence.library), rows.lengths)
        factors = profiles.evidence.factors[items]
        found = cls(items, weights, rows, is_liked, factors, ends.tolist())
        for number, reader in enumerate(readers):
            if reader in profiles.forgotten:
                found._forget(number, profiles.forgotten[reader], len(profiles.evidence.library))
        return found

    def _forget(self, number: int, forgotten: Forgotten, papers: int) -> None:
        """Take out of one reader's liked papers, which come first, what that reader forgot."""
        first, last = self.ends[number], self.ends[number + 1]
        last = first + int(np.searchsorted(self.items[first:last], papers))
        self.factors[first:last] = forgotten.factors_of(self.factors[first:last])
        here = slice(self.rows.ends[first], self.rows.ends[last])
        is_forgotten = forgotten.columns[self.rows.columns[here]]
        self.rows.data[here][is_forgotten] = 0
        self.is_liked[here] &= ~is_forgotten


def _number(numbers: Integers, papers: _Papers, evidence: _Evidence, profile: _Rows) -> None:
    """Give the terms of listed papers other columns, from 1 on, and all that stands in none of the
    reader's papers column 0, so that many readers' are told apart in little memory. `numbers`
    (terms) is zero between its uses."""
    for listed, own, all_own in zip(
        papers.rows.parts(papers.ends),
        evidence.rows.parts(evidence.ends),
        _spans(profile.ends.tolist()),
        strict=True,
    ):
        columns = papers.rows.columns[listed].copy()
        numbers[columns] = np.arange(listed.start + 1, listed.stop + 1)
        evidence.rows.columns[own] = numbers[evidence.rows.columns[own]]
        profile.columns[all_own] = numbers[profile.columns[all_own]]
        papers.rows.columns[listed] = numbers[columns]
        numbers[columns] = 0


def _beside(
    batch: Batch, papers: _Papers, evidence: _Evidence, profile: _Rows
) -> Iterator[Compared]:
    """Each reader's papers beside their evidence and their profile, all rows numbered alike."""
    words = _word_cosines(papers, evidence)
    places, strengths, liked, shared = _shared_terms(batch, papers, evidence, profile)
    factors = batch.factors[papers.places]
    for own, listed in zip(_spans(evidence.ends), _spans(papers.ends), strict=True):
        in_factors = evidence.factors[own] @ factors[listed].T
        yield Compared(
            evidence.items[own],
            evidence.weights[own],
            (words[own, : in_factors.shape[1]] + in_factors) * np.float32(0.5),
            places[listed],
            strengths[listed],
            liked[listed],
            shared[listed],
        )


def _spans(ends: list[int]) -> list[slice]:
    return [slice(start, end) for start, end in pairwise(ends)]


def _word_cosines(papers: _Papers, evidence: _Evidence) -> Floats:
    """Items of evidence x ranks: the product of each item's words with those of the paper at each
    rank of its reader's list."""
    rows, numbers = evidence.rows, len(papers.rows.data) + 1
    own = from_parts(rows.data, rows.columns, rows.ends, numbers)
    ranks = np.repeat(papers.ranks, papers.rows.lengths)
    width = int(papers.ranks.max(initial=-1)) + 1
    products = [np.zeros((len(evidence.items), 0), dtype=np.float32)]
    for start in range(0, width, _WIDEST):
        here = (ranks >= start) & (ranks < start + _WIDEST)
        laid_out = np.zeros((numbers, min(_WIDEST, width - start)), dtype=np.float32)
        laid_out[papers.rows.columns[here], ranks[here] - start] = papers.rows.data[here]
        products.append(own @ laid_out)
    return np.hstack(products)


def _shared_terms(
    batch: Batch, papers: _Papers, evidence: _Evidence, profile: _Rows
) -> tuple[Integers, Floats, Integers, Integers]:
    """As in `Compared`, for each paper of each list."""
    weights = np.zeros(len(papers.rows.data) + 1, dtype=np.float32)
    weights[profile.columns] = profile.data
    is_liked = np.zeros(len(weights), dtype=np.bool_)
    is_liked[evidence.rows.columns[evidence.is_liked]] = True
    telling = [batch.telling_terms(place).places for place in papers.places.tolist()]
    lengths = np.array([len(places) for places in telling], dtype=np.int32)
    places = np.concatenate([_NONE, *telling]) + np.repeat(papers.rows.ends[:-1], lengths)
    columns = papers.rows.columns[places]
    products = weights[columns] * papers.rows.data[places]
    return _unpacked(_keys(products, is_liked[columns], lengths))


def _unpacked(keys: npt.NDArray[np.int64]) -> tuple[Integers, Floats, Integers, Integers]:
    """Places, strengths, and how many terms are of liked papers, and how many shared at all."""
    places = (_LAST_PLACE - (keys & _LAST_PLACE)).astype(np.int32)
    strengths = (keys >> _STRENGTH & 0x7FFFFFFF).astype(np.int32).view(np.float32)
    liked, shared = (keys >> _LIKED).sum(axis=1), (keys > 0).sum(axis=1)
    return places, strengths, liked.astype(np.int32), shared.astype(np.int32)


def _keys(products: Floats, is_liked: Booleans, lengths: Integers) -> npt.NDArray[np.int64]:
    """What is said of the terms of each paper (papers x terms), the greatest first; 0 of terms
    that add nothing."""
    starts = np.cumsum(lengths) - lengths
    places = np.arange(len(products)) - np.repeat(starts, lengths)
    keys = products.view(np.int32).astype(np.int64) << _STRENGTH
    keys |= (_LAST_PLACE - places) | is_liked.astype(np.int64) << _LIKED
    padded = np.zeros((len(lengths), int(lengths.max(initial=0))), dtype=np.int64)
    padded[np.repeat(np.arange(len(lengths)), lengths), places] = np.where(products > 0, keys, 0)
    padded.sort(axis=1)
    return padded[:, ::-1]
