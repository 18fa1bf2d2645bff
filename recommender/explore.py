"""A paper outside a reader's list that their vote would teach most about.

Of the papers after the list the one with the greatest upper confidence bound: how well it fits,
and how little the votes so far say of papers like it. That is the rule of LinUCB (Li et al., "A
contextual-bandit approach to personalized news article recommendation", WWW 2010), with the fit as
the centroid has it.

Measured by `evaluate stream`: readers who start from two or three phrases lose .006 of .420
precision@10, all of it in the last place. Those who start from one phrase find 1,031 papers in
place of 1,014, from one vague word 336 in place of 309; all intervals hold 0. Drawing lots costs
more, and taking the most uncertain paper, whatever its fit, more still.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np

from recommender.batch import Batch
from recommender.matrices import Booleans, Floats, Integers, entries
from recommender.profile import Profiles

# In a shorter list one paper is too much to give away.
SHORTEST_LIST = 5
# A list that holds more of the day is outside the usual by itself.
_LEAST_PAPERS_PER_PLACE = 3
# The pool ends at this multiple of the list's length: papers further down are liked too seldom.
_POOL_END = 5
# LinUCB's alpha; of .1, .3 and 1 the best on the second half of the arXiv stream's past.
# It matters little: without it the three kinds of readers do as well, within noise.
UNCERTAINTY_WEIGHT = 0.3
# So many are worked out together.
_READERS_AT_ONCE = 16
# Of readers looked at together the one with most evidence has at most so many times as much.
_MOST_FILLED = 1.2
# So many papers that fit best are looked at before all.
_LIKELY = 8
# The variance of votes on one and the same paper, of unit length.
RIDGE = 1.0


def pool_end(lengths: Integers) -> int:
    """How many papers of a ranking are looked at for lists of these lengths."""
    return _POOL_END * int(lengths.max(initial=0))


def with_explored(
    profiles: Profiles,
    batch: Batch,
    rows: slice,
    candidates: Integers,
    lengths: Integers,
    ranking: Integers,
    places: int,
    fits: Floats,
) -> tuple[Integers, Integers]:
    """The lists of the readers in `rows`, ended by such a paper where that is possible, and which
    place (readers; from 1) that paper has in the reader's whole ranking: 0 where there is none.

    `ranking` (readers x papers) holds the best papers of each reader, -1 past its end: the first
    `places` are the list, and no fewer than `pool_end` of the lengths are there. `candidates`
    (readers) says out of how many. `lengths` (readers) says how long the list is that ends with
    the paper, 0 for none; it has no places after it. `fits` (readers x papers) are the cosines of
    readers' centroids and papers. Nothing changes for readers without a vote or a keyword, for
    short lists, and on days of few papers.
    """
    positions = ranking[:, :places].copy()
    lengths = np.minimum(lengths, places)
    ranks = np.zeros(len(positions), dtype=np.int32)
    known = profiles.vectors.centroids[rows].any(axis=1)
    wanted = known & (lengths >= SHORTEST_LIST) & (candidates >= _LEAST_PAPERS_PER_PLACE * lengths)
    pools = {
        row: _pool(profiles, batch, rows.start + row, ranking[row], int(lengths[row]))
        for row in np.flatnonzero(wanted).tolist()
    }
    asked = [row for row, pool in pools.items() if pool]
    seen = [entries(profiles.vectors.weights, rows.start + row)[0] for row in asked]
    found = _most_telling(profiles, batch, seen, [pools[row] for row in asked], fits[asked])
    for row, paper in zip(asked, found, strict=True):
        length = int(lengths[row])
        positions[row, length - 1 :] = [paper] + [-1] * (places - length)
        ranks[row] = np.flatnonzero(ranking[row] == paper)[0] + 1
    return positions, ranks


def _pool(
    profiles: Profiles, batch: Batch, reader: int, ranking: Integers, length: int
) -> list[int]:
    """The papers that come into question after a list of `length`: none voted on."""
    after = ranking[length : _POOL_END * length].tolist()
    voted = {batch.positions.get(vote.paper_id) for vote in profiles.readers[reader].votes}
    return [place for place in after if place >= 0 and place not in voted]


def _most_telling(
    profiles: Profiles,
    batch: Batch,
    seen: Sequence[Integers],
    pools: Sequence[Sequence[int]],
    fits: Floats,
) -> list[int]:
    """The paper of each reader's pool with the greatest bound, from the evidence that was `seen` of
    each and the `fits` (readers x papers). Readers with about as much evidence are looked at
    together."""
    chosen = [0] * len(pools)
    order = sorted(range(len(pools)), key=lambda one: len(seen[one]))
    for some in _of_about_one_size(order, [len(seen[one]) for one in order]):
        papers, is_paper = _padded([pools[one] for one in some])
        items, is_item = _padded([seen[one] for one in some])
        evidence = profiles.evidence.factors[items]
        evidence[~is_item] = 0
        own = np.where(is_paper, np.take_along_axis(fits[some], papers, axis=1), -np.inf)
        found = greatest_bounds(own, papers, batch.factors, evidence)
        for one, place in zip(some, found, strict=True):
            chosen[one] = pools[one][place]
    return chosen


def greatest_bounds(fits: Floats, papers: Integers, factors: Floats, seen: Floats) -> list[int]:
    """For each reader the place with the greatest bound, from fits (readers x papers), which papers
    they are (readers x papers), the factors of all (papers x factors), and those of what was seen
    (readers x items x factors).

    An uncertainty is at most 1, so a paper that fits much worse than another cannot have it:
    seldom more than eight of forty are worth the work.
    """
    order = np.argsort(-fits, axis=1, kind="stable")
    likely, next_one = order[:, :_LIKELY], order[:, _LIKELY : _LIKELY + 1]
    near = factors[np.take_along_axis(papers, likely, axis=1)]
    bounds = np.take_along_axis(fits, likely, axis=1)
    bounds += UNCERTAINTY_WEIGHT * uncertainty(near, seen)
    found = np.take_along_axis(likely, bounds.argmax(axis=1)[:, None], axis=1)[:, 0]
    most = np.take_along_axis(fits, next_one, axis=1) + UNCERTAINTY_WEIGHT
    unsure = np.flatnonzero((most > bounds.max(axis=1)[:, None]).any(axis=1))
    if unsure.size:
        unknown = uncertainty(factors[papers[unsure]], seen[unsure])
        found[unsure] = (fits[unsure] + UNCERTAINTY_WEIGHT * unknown).argmax(axis=1)
    return [int(place) for place in found]


def _of_about_one_size(order: Sequence[int], sizes: Sequence[int]) -> Iterator[Sequence[int]]:
    """The same in groups, `sizes` ascending: filling up to the greatest one takes little."""
    start = 0
    while start < len(order):
        most = bisect_right(sizes, _MOST_FILLED * sizes[start] + 1)
        end = min(most, start + _READERS_AT_ONCE)
        yield order[start:end]
        start = end


def _padded(lists: Sequence[Sequence[int] | Integers]) -> tuple[Integers, Booleans]:
    """Lists x the longest one's length, filled up with 0, and what is no filling."""
    sizes = np.array([len(own) for own in lists])
    there = np.arange(sizes.max()) < sizes[:, None]
    padded = np.zeros(there.shape, dtype=np.int32)
    padded[there] = np.concatenate(lists)
    return padded, there


def uncertainty(papers: Floats, seen: Floats) -> Floats:
    """The posterior standard deviation of a ridge regression on the rows of `seen`, for each row
    of `papers`: its length where nothing like it was seen, and the less the more was. Both may be
    stacks of matrices, to be taken in pairs.

    By Woodbury's identity, as votes are fewer than factors.
    """
    seen = condensed(seen)
    shared = papers @ np.swapaxes(seen, -1, -2)
    kernel = seen @ np.swapaxes(seen, -1, -2)
    kernel += RIDGE * np.eye(kernel.shape[-1], dtype=np.float32)
    solved = np.linalg.solve(kernel, np.swapaxes(shared, -1, -2))
    known = np.einsum("...ij,...ji->...i", shared, solved)
    lengths = np.einsum("...ij,...ij->...i", papers, papers)
    return np.asarray(np.sqrt(np.maximum(lengths - known, 0)), dtype=np.float32)


def condensed(seen: Floats) -> Floats:
    """Rows with the Gramian (factors x factors) of `seen`, no more than there are factors; of a
    stack each."""
    rows, factors = seen.shape[-2:]
    return cast(Floats, np.linalg.qr(seen, mode="r")) if rows > factors else seen
