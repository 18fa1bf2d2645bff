"""Item neighbours: which papers are liked by the readers of a paper.

A step goes from a paper to one of those who liked it, and on to one of the papers they liked (the
random walk P3 of Cooper et al., "Random Walks in Recommender Systems", WWW 2014). A candidate that
nobody has voted on has neither votes nor steps: its score is what it was.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from recommender.matrices import (
    Floats,
    Integers,
    SparseRows,
    dense_product,
    entries,
    from_parts,
    sparse_rows,
    transposed,
    with_data,
)

# Neighbours kept of each paper; 20 and 50 find the same on held-out likes.
NEAREST = 50
# What is sure from one common reader counts half as much as it seems, from nine nine tenths.
_DOUBT = 1.0
# A certain step weighs as much as so many votes of other readers. On held-out likes of the
# published split 1,000, with three times the weight in the blend, finds a tenth more; but then one
# reader in common with a stranger would fill the digests of a small group.
STEP_VOTES = 100.0
FEWEST_VOTES = 3
# Of somebody who liked thousands of papers, the steps between so many.
_MOST_LIKES = 200
# Papers are taken together as long as they have so many steps, 30 bytes each: some have a hundred
# thousand, most a handful.
_STEPS_AT_ONCE = 5_000_000


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Steps between known papers (papers x papers) and the number of votes up (papers)."""

    steps: SparseRows
    votes: Floats

    def towards(self, papers: Integers) -> "Support":
        """What the votes say of some papers: places among the trained ones, -1 for none of them."""
        known = np.flatnonzero(papers >= 0)
        votes = np.zeros(len(papers), dtype=np.float32)
        votes[known] = self.votes[papers[known]]
        steps = cast(SparseRows, cast(Any, self.steps)[:, papers[known]])
        return Support(votes, steps, known)

    def with_more(self, papers: int) -> "Neighbours":
        """The same with so many more papers, that nobody voted on."""
        steps, known = self.steps, len(self.votes) + papers
        ends = np.pad(steps.indptr, (0, papers), mode="edge")
        votes = np.pad(self.votes, (0, papers))
        return Neighbours(from_parts(steps.data, steps.indices, ends, known), votes)

    def between(self, paper: int, others: Integers) -> Floats:
        """Steps from one trained paper to others and back, each way counted by half (others).

        0 for papers, -1 included, of fewer than FEWEST_VOTES: a page that everybody sees must not
        tell what a single reader likes.
        """
        steps = np.zeros(len(others), dtype=np.float32)
        is_told = (others >= 0) & (self.votes[others] >= FEWEST_VOTES)
        if paper >= 0 and self.votes[paper] >= FEWEST_VOTES and is_told.any():
            there = others[is_told]
            on = cast(Any, self.steps)[[paper]][:, there].toarray()[0]
            back = cast(Any, self.steps)[there][:, [paper]].toarray()[:, 0]
            steps[is_told] = (on + back) / 2
        return steps

    def around(self, paper: int) -> list[int]:
        """Trained papers that a step from this one leads to, likeliest first."""
        columns, steps = entries(self.steps, paper)
        order = np.argsort(-steps, kind="stable")
        return [int(place) for place in columns[order]]


@dataclass(frozen=True, slots=True)
class Support:
    """Votes up of some papers, and the steps (trained papers x `known`) to those with a place."""

    votes: Floats
    steps: SparseRows
    known: npt.NDArray[np.intp]

    def of(self, likes: SparseRows) -> Floats:
        """How other readers' votes speak for each paper: readers x papers, 0 without any votes.

        `likes` (readers x trained papers) has a 1 for each vote up. It is the logarithm of votes
        and steps, those counted as votes.
        """
        counted = np.tile(self.votes, (likes.shape[0], 1))
        counted[:, self.known] += STEP_VOTES * dense_product(likes, self.steps)
        return np.asarray(np.log1p(counted))

    def __bool__(self) -> bool:
        return bool(self.votes.any() or self.steps.data.size)


def no_neighbours(papers: int) -> Neighbours:
    """Papers that nobody voted on."""
    nothing = np.zeros(0, dtype=np.float32)
    none = from_parts(nothing, nothing.astype(np.int32), np.zeros(1, dtype=np.int32), 0)
    return Neighbours(none, nothing).with_more(papers)


def neighbours_of(votes: SparseRows) -> Neighbours:
    """The neighbours in `votes` (readers x papers, entries +1 and -1); dislikes are left out."""
    likes = _capped(sparse_rows(with_data(votes, np.maximum(votes.data, 0))))
    by_paper = transposed(likes)
    numbers = np.diff(by_paper.indptr).astype(np.float32)
    from_papers = _rows_divided(by_paper)
    to_papers = _rows_divided(likes)
    rows: list[tuple[Integers, Floats]] = []
    for start, end in _blocks(by_paper, likes):
        here = slice(start, end)
        steps, common = from_papers[here] @ to_papers, by_paper[here] @ likes
        rows += [_nearest(steps, common, row, start + row) for row in range(steps.shape[0])]
    indptr = np.cumsum([0, *(len(columns) for columns, _ in rows)], dtype=np.int32)
    columns = np.concatenate([np.zeros(0, dtype=np.int32), *(columns for columns, _ in rows)])
    data = np.concatenate([np.zeros(0, dtype=np.float32), *(steps for _, steps in rows)])
    return Neighbours(from_parts(data, columns, indptr, likes.shape[1]), numbers)


def _blocks(by_paper: SparseRows, likes: SparseRows) -> list[tuple[int, int]]:
    """Ranges of papers with so many steps together, those that lead to the same paper counted each;
    a single paper may have more."""
    each = by_paper @ np.diff(likes.indptr).astype(np.float64)
    number = (np.cumsum(each) // _STEPS_AT_ONCE).astype(np.int64)
    starts = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
    return list(pairwise([*starts, likes.shape[1]]))


def _nearest(steps: Any, common: Any, row: int, paper: int) -> tuple[Integers, Floats]:
    """Columns and steps of the NEAREST to one paper, the paper itself left out."""
    columns, shares = entries(steps, row)
    own, readers = entries(common, row)
    order, own_order = np.argsort(columns), np.argsort(own)
    columns, shares, readers = columns[order], shares[order], readers[own_order]
    sure = np.where(columns == paper, 0, shares * readers / (readers + _DOUBT))
    best = np.sort(np.argsort(-sure, kind="stable")[:NEAREST])
    best = best[sure[best] > 0]
    return columns[best].astype(np.int32), sure[best].astype(np.float32)


def _capped(likes: SparseRows) -> SparseRows:
    """The newest `_MOST_LIKES` papers of each reader."""
    ends = np.repeat(likes.indptr[1:], np.diff(likes.indptr))
    is_kept = ends - np.arange(len(likes.data)) <= _MOST_LIKES
    return sparse_rows(with_data(likes, np.where(is_kept, likes.data, 0)))


def _rows_divided(rows: SparseRows) -> SparseRows:
    """Each row divided by its number of entries."""
    numbers = np.diff(rows.indptr)
    return with_data(rows, rows.data / np.repeat(numbers, numbers))
