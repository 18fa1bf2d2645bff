"""Which papers are one work told twice: a preprint and its journal version, a paper posted again.

Two papers are one work if nothing tells them apart (another number in the title, other authors)
and their titles are the same or their abstracts share many of their word pairs (resemblance:
Broder, "On the resemblance and containment of documents", 1997). No model is needed.

On 45 days of arXiv (13,800 papers) this finds two pairs: one abstract under two titles each, with
resemblances of 1.00 and .97. Of all other pairs with a TF-IDF cosine above .35 the most alike
have .28 (two reports on challenges of a workshop), then .25 and .24. No two papers had the same
title; the most alike titles of two works share .83 of their words (technical reports on
"Qwen-Image-2.0" and "Qwen-Image-VAE-2.0"), with a resemblance of .02, then .82, with .16.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recommender.headings import NOBODY, Headings
from recommender.matrices import (
    Floats,
    Integers,
    SparseRows,
    entries,
    from_parts,
    transposed,
)
from recommender.phrases import normal_name, normal_phrase
from recommender.text import Paper

# Resemblances from which two abstracts are of one work: under any titles, and under similar ones.
SAME_TEXT = 0.4
SIMILAR_TEXT = 0.3
# The share of common words from which titles are similar.
SIMILAR_TITLES = 0.8
# Shorter titles ("Editorial") and abstracts ("This paper has been withdrawn") tell nothing.
_LEAST_TITLE_WORDS = 4
_LEAST_WORD_PAIRS = 20
# Papers are compared if they share two authors or title words that few papers have, or a title.
_LEAST_SHARED = 2.0
_MOST_SHARERS = 20
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+")
_NUMBER_WORDS = frozenset(
    {"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
    | {"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"}
)

# Positions of papers, in ascending order.
Group = tuple[int, ...]


def groups(papers: Sequence[Paper]) -> tuple[Group, ...]:
    """The works that stand more than once among `papers`, each as the positions of its copies."""
    first = list(range(len(papers)))  # the first copy of each paper's work
    for one, other in _pairs(papers, papers):
        joined, gone = sorted((first[one], first[other]))
        first = [joined if leader == gone else leader for leader in first]
    members: dict[int, list[int]] = {}
    for position, leader in enumerate(first):
        members.setdefault(leader, []).append(position)
    return tuple(tuple(group) for group in members.values() if len(group) > 1)


def copies(papers: Sequence[Paper], known: Sequence[Paper]) -> dict[int, list[int]]:
    """For each of `papers` that has copies among `known`, their positions; none of itself."""
    found: dict[int, list[int]] = {}
    for one, other in _pairs(papers, known):
        found.setdefault(one, []).append(other)
    return found


class Comparison:
    """Papers with which others are compared, some at a time. Whichever come together, what is found
    of each is the same: which names and words are common is told by these papers alone."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._rows = [_Telling(paper) for paper in papers]
        sharers = Counter(key for telling in self._rows for key in telling.keys)
        rare = (key for key, count in sharers.items() if key and count <= _MOST_SHARERS)
        self._places = {key: place for place, key in enumerate(rare)}
        self._left = _key_rows(self._rows, self._places)

    def suspects(self, headings: Headings) -> Integers:
        """The places of papers that may be copies by their `headings`, in order: they share enough,
        and an author if both name any. The others are no copies."""
        enough = _enough(self._left @ headings.holders_of(list(self._places)))
        rows, places = np.divmod(enough, max(headings.papers, 1))
        ends = np.searchsorted(rows, np.arange(len(self._rows) + 1)).tolist()
        people = list(frozenset[str]().union(*(one.authors for one in self._rows)))
        held = headings.holders_of(people)
        papers_of = {name: entries(held, place)[0] for place, name in enumerate(people)}
        is_nameless = headings.is_held(NOBODY)
        may_be = is_nameless.copy()
        found = [np.zeros(0, dtype=np.int64)]
        # One by one: a candidate may have thousands of authors, and meet thousands of papers.
        for telling, (start, end) in zip(self._rows, pairwise(ends), strict=True):
            own = places[start:end]
            if telling.authors and len(own):
                theirs = np.concatenate([papers_of[name] for name in telling.authors])
                may_be[theirs] = True
                own = own[may_be[own]]
                may_be[theirs] = is_nameless[theirs]
            found.append(own)
        return np.unique(np.concatenate(found)).astype(np.int32)

    def copies(
        self,
        known: Sequence[Paper],
        abstracts_of: Callable[[Sequence[int]], Iterable[str]],
    ) -> dict[int, list[int]]:
        """As `copies`, of these papers. The abstracts of the `known` ones are asked for, by their
        positions, where titles and authors do not tell: of most they need not be known."""
        columns = [_Telling(paper) for paper in known]
        alike = [
            (row, column)
            for row, column in _sharing(self._left, _key_rows(columns, self._places))
            if not _are_told_apart(self._rows[row], columns[column])
        ]
        asked = sorted({column for _, column in alike})
        for column, abstract in zip(asked, abstracts_of(asked), strict=True):
            columns[column].abstract = abstract
        found: dict[int, list[int]] = {}
        for row, column in alike:
            if _is_one_work(self._rows[row], columns[column]):
                found.setdefault(row, []).append(column)
        return found


def fold(totals: Floats, found: Collection[Group]) -> Floats:
    """Scores (readers x papers) with -inf for all copies of a work but the best of each reader.

    Of equal ones the first stays.
    """
    if not found:
        return totals
    folded = totals.copy()
    for group in found:
        copies_of_one = list(group)
        own = totals[:, copies_of_one]
        is_best = np.arange(len(group)) == own.argmax(axis=1)[:, None]
        folded[:, copies_of_one] = np.where(is_best, own, -np.inf)
    return folded


def headings_of(papers: Iterable[Paper]) -> Headings:
    """What is to be known of papers that others are compared with."""
    tellings = map(_Telling, papers)
    return Headings.of([one.keys if one.authors else one.keys | {NOBODY} for one in tellings])


class _Telling:
    """One paper as it is compared."""

    def __init__(self, paper: Paper) -> None:
        self.id = paper.id
        self.title = normal_phrase(paper.title)
        self.authors = frozenset(filter(None, map(_name_key, paper.authors)))
        # What papers that are one work have in common: words ("fold"), names ("a lovelace"), and
        # the title (" fold it "), told apart by their spaces.
        self.keys = frozenset((*self.title.split(), *self.authors, self.title))
        self.abstract = paper.abstract

    @cached_property
    def title_words(self) -> frozenset[str]:
        return frozenset(self.title.split())

    @cached_property
    def numbers(self) -> list[str]:
        """What tells parts, versions and yearly reports apart."""
        words = [word for word in self.title.split() if word in _NUMBER_WORDS]
        return sorted(_NUMBER.findall(self.title) + words)

    @cached_property
    def word_pairs(self) -> frozenset[tuple[str, str]]:
        """Neighbouring words of the abstract; none if it is too short to tell anything."""
        words = _WORD.findall(self.abstract.casefold())
        found = frozenset(pairwise(words))
        return found if len(found) >= _LEAST_WORD_PAIRS else frozenset()


# The papers of a day are compared with each reader's own.
@lru_cache(maxsize=4096)
def _telling(paper: Paper) -> _Telling:
    return _Telling(paper)


@lru_cache(maxsize=2**16)
def _name_key(name: str) -> str:
    """First initial and last name: journals shorten what preprints spell out."""
    parts = normal_name(name).split()
    return f"{parts[0][0]} {parts[-1]}" if parts else ""


def _pairs(papers: Sequence[Paper], known: Sequence[Paper]) -> list[tuple[int, int]]:
    """Positions in `papers` and in `known` of two papers that are one work."""
    rows = [_telling(paper) for paper in papers]
    columns = rows if papers is known else [_telling(paper) for paper in known]
    return [
        (row, column)
        for row, column in _worth_comparing(rows, columns)
        if not _are_told_apart(rows[row], columns[column])
        and _is_one_work(rows[row], columns[column])
    ]


def _worth_comparing(rows: list[_Telling], columns: list[_Telling]) -> list[tuple[int, int]]:
    """Places in `rows` and in `columns` of those that share enough; a paper does with itself."""
    everyone = rows if rows is columns else rows + columns
    common = frozenset().union(*(telling.keys for telling in columns))
    sharers = Counter(key for telling in everyone for key in telling.keys & common)
    rare = [key for key, count in sharers.items() if key and 1 < count <= _MOST_SHARERS]
    places = {key: place for place, key in enumerate(rare)}
    return _sharing(_key_rows(rows, places), _key_rows(columns, places))


def _sharing(left: SparseRows, right: SparseRows) -> list[tuple[int, int]]:
    """Rows of one and of the other that have enough in common, in order."""
    rows, columns = np.divmod(_enough(left @ transposed(right)), max(right.shape[0], 1))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _enough(shared: SparseRows) -> npt.NDArray[np.int64]:
    """The cells of a matrix that have enough, each as a number, in order."""
    rows = np.repeat(np.arange(shared.shape[0], dtype=np.int64), np.diff(shared.indptr))
    is_enough = shared.data >= _LEAST_SHARED
    return np.sort(rows[is_enough] * shared.shape[1] + shared.indices[is_enough])


def _key_rows(tellings: list[_Telling], places: dict[str, int]) -> SparseRows:
    found: list[int] = []
    worths: list[float] = []
    ends = [0]
    for telling in tellings:
        for key in telling.keys:
            place = places.get(key)
            if place is not None:
                found.append(place)
                worths.append(_LEAST_SHARED if key == telling.title else 1.0)
        ends.append(len(found))
    return from_parts(
        np.array(worths, dtype=np.float32),
        np.array(found, dtype=np.int32),
        np.array(ends, dtype=np.int32),
        len(places),
    )


def _are_told_apart(one: _Telling, other: _Telling) -> bool:
    """Whether they are no copies, whatever their abstracts say."""
    if one.id == other.id:
        return True
    if one.authors and other.authors and one.authors.isdisjoint(other.authors):
        return True
    return one.numbers != other.numbers


def _is_one_work(one: _Telling, other: _Telling) -> bool:
    """Whether two that are not told apart are one work."""
    by_known = bool(one.authors and other.authors)
    has_texts = bool(one.word_pairs and other.word_pairs)
    if _have_one_title(one, other) and (by_known or not has_texts):
        return True
    alike = _overlap(one.word_pairs, other.word_pairs)
    titles_alike = _overlap(one.title_words, other.title_words) >= SIMILAR_TITLES
    return alike >= (SIMILAR_TEXT if titles_alike else SAME_TEXT)


def _have_one_title(one: _Telling, other: _Telling) -> bool:
    return one.title == other.title and len(one.title_words) >= _LEAST_TITLE_WORDS


def _overlap(one: frozenset[Hashable], other: frozenset[Hashable]) -> float:
    """Jaccard's index: what both have of what either has."""
    both = len(one & other)
    return both / max(1, len(one) + len(other) - both)
