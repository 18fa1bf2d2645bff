"""Which papers and readers a space is factorised from, where there are too many of them.

The others are not lost: papers are folded in from their words, every vote counts in what readers
of a paper like besides (neighbours.py), and who was not drawn is folded from their votes as anybody
is. docs/ranking.md says what it costs.
"""

from collections.abc import Sequence

import numpy as np

from recommender.matrices import Integers, SparseRows
from recommender.model import Model
from recommender.text import Paper

# A training takes time and memory as its papers, readers, terms and votes have rows and entries.
MOST_PAPERS = 200_000
MOST_READERS = 50_000
_NEWEST_SHARE = 0.5
# Others are folded in by so many at once.
PART = 2_000


def papers_to_fit(votes: Integers, most: int = MOST_PAPERS) -> Integers:
    """Places of at most so many papers, ascending: half of them the newest, and of the others those
    with the most votes, the newer first. `votes` has a number for each paper, the newest first."""
    if len(votes) <= most:
        return np.arange(len(votes), dtype=np.int32)
    newest = int(most * _NEWEST_SHARE)
    voted = np.argsort(-votes[newest:], kind="stable")[: most - newest] + newest
    return np.sort(np.concatenate([np.arange(newest), voted])).astype(np.int32)


def readers_to_fit(numbers: Integers, votes: Integers, most: int = MOST_READERS) -> Integers:
    """Places of at most so many readers, ascending: those with the most votes, and among equals
    some by lot, the same ones by the same `numbers` every time."""
    order = np.lexsort((_scattered(numbers), -votes))
    return np.sort(order[:most]).astype(np.int32)


def fit_part(
    counts: SparseRows,
    papers: Sequence[Paper],
    terms: Sequence[str],
    votes: SparseRows,
    *,
    rows: Integers,
    places: Integers,
) -> Model:
    """A model of term counts (papers x terms) and votes (readers x papers) that is factorised from
    some `rows` of readers and `places` of papers, and knows all the others."""
    chosen = [papers[place] for place in places.tolist()]
    drawn = votes[rows][:, places]
    model = Model.fit_counts(counts[places], chosen, terms, drawn, neighbours=False)
    others = np.setdiff1d(np.arange(len(papers), dtype=np.int32), places)
    parts = [others[start : start + PART] for start in range(0, len(others), PART)]
    known = model.knowing(
        model.batch_counts(counts[part], [papers[place] for place in part.tolist()])
        for part in parts
    )
    return known.with_votes(votes[:, np.concatenate([places, others])])


def _scattered(numbers: Integers) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Numbers as if by chance: the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast Splittable
    Pseudorandom Number Generators", OOPSLA 2014)."""
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    scattered: np.ndarray[tuple[int], np.dtype[np.uint64]] = mixed ^ (mixed >> np.uint64(31))
    return scattered
