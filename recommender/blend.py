"""The score: standard scores of cosines, how crowded it is, and what was asked for.

The blend, measured on CiteULike-t: the plain TF-IDF match, the reader as the factorisation sees
them, the centroid of what they liked, and how crowded it is around a paper; the reader's share
grows with the number of likes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.batch import Batch
from recommender.matrices import Booleans, Floats, Integers
from recommender.profile import Interests, Profiles, Vectors

# Raised whenever scores change: what was learnt from older ones is not true of them.
BLEND = 2
# Of several interests: on seeds 7 and 8 readers merged of two get twice as much of the lesser one,
# and no other reader loses (.5 costs those with ten likes a percent, 1 gives merged ones less).
WHOLE_WEIGHT = 0.7
RIVALS = 20
# Above what the best of a day's thousand papers reaches by its text, so that a followed author's
# paper makes the digest.
AUTHOR_BOOST = 30.0
KEYWORD_BOOST = 3.0
# In a digest of ten there is room for one paper of each of three keywords that votes speak against.
KEYWORD_PLACE = 7
CATEGORY_BOOST = 1.0
POPULARITY_WEIGHT = 0.01
# Standard deviations of cosines below this are rounding errors.
_LEAST_SPREAD = 1e-6

Scores = npt.NDArray[np.floating]
Found = Sequence[int] | Integers
# The summands of scores by name, each readers x papers.
Parts = dict[str, Floats]


class Scored(NamedTuple):
    """Readers' scores in parts, and the cosines of their centroids and the papers."""

    parts: Parts
    fits: Floats


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part counts, with experience = likes / (likes + half_experienced).

    The values are those that ship, chosen on validation data by `paperpost evaluate tune`.
    """

    half_experienced: float = 5.0
    words: float = 0.8
    reader: float = 1.5  # times experience
    centroid: float = 3.0
    centroid_loss: float = 2.0  # times experience, from the centroid's weight
    crowding: float = 2.5
    neighbours: float = 1.0


SHIPPED = Weights()


def score_parts(
    profiles: Profiles,
    batch: Batch,
    rows: slice,
    candidates: Booleans,
    popularity: Scores | None = None,
    weights: Weights = SHIPPED,
) -> Scored:
    """The summands of some readers' scores.

    What nobody there has a share in is left out; values outside `candidates` mean nothing.
    """
    parts, fits = _match(profiles.vectors, rows, batch, candidates, weights)
    modes = profiles.modes_of(rows)
    if modes.stop > modes.start and len(batch):
        numbers = np.diff(profiles.mode_ends[rows.start : rows.stop + 1])
        owners = np.repeat(np.arange(len(numbers)), numbers)
        of_modes = _match(profiles.vectors, modes, batch, candidates[owners], weights).parts
        count_the_best_mode(parts, of_modes, owners, candidates)
    if batch.support:
        counts = weights.neighbours * (profiles.vectors.likes[rows, None] > 0)
        parts["neighbours"] = batch.support.of(profiles.liked[rows]) * counts.astype(np.float32)
    interests = [reader.interests for reader in profiles.readers[rows]]
    if any(own.authors or own.keywords or own.categories for own in interests):
        match = np.asarray(sum(parts.values()), dtype=np.float32)
        parts |= _asked_for(interests, batch, candidates, match)
    if popularity is not None:
        shared = np.broadcast_to(popularity.astype(np.float32), candidates.shape)
        parts["popularity"] = standard_scores(shared, candidates, POPULARITY_WEIGHT)
    return Scored(parts, fits)


def _match(
    vectors: Vectors, rows: slice, batch: Batch, candidates: Booleans, weights: Weights
) -> Scored:
    """How well papers fit some profiles, by itself: profiles x papers."""
    likes = vectors.likes[rows, None]
    experience = likes / (likes + np.float32(weights.half_experienced))
    inside = candidates.astype(np.float32)
    words = batch.words.product(vectors.tfidf[rows])
    reader = vectors.folded[rows] @ batch.factors.T
    centroid = vectors.centroids[rows] @ batch.factors.T
    parts = {
        "words": standard_scores(words, inside, weights.words),
        "reader": standard_scores(reader, inside, weights.reader * experience),
        "centroid": standard_scores(
            centroid, inside, weights.centroid - weights.centroid_loss * experience
        ),
        "crowding": _uncrowded(batch, inside, likes, weights.crowding),
    }
    return Scored(parts, centroid)


def count_the_best_mode(
    whole: Parts, modes: Parts, owners: npt.NDArray[np.intp], candidates: Booleans
) -> None:
    """Replace the parts in `whole` of readers with several interests, to whom `owners` assigns
    the rows of `modes`, in order.

    A paper has the score of the interest in which it stands out most from the last of that
    interest's RIVALS best papers, and WHOLE_WEIGHT times that of the whole reader. So each
    interest has about as many papers among the best; the part "interest" makes the two scales
    one.
    """
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    numbers = np.diff(starts, append=len(owners))
    readers = owners[starts]
    scores = np.where(candidates[owners], sum(modes.values()), -np.inf)
    bars = _bars(scores)
    above = scores - bars
    best = np.maximum.reduceat(above, starts)
    wins = (above == np.repeat(best, numbers, axis=0)).astype(np.float32)
    wins /= np.repeat(np.add.reduceat(wins, starts), numbers, axis=0)
    own = np.where(candidates[readers], sum(part[readers] for part in whole.values()), -np.inf)
    difference = _bars(own) - np.add.reduceat(wins * bars, starts)
    for name, part in whole.items():
        of_best = np.add.reduceat(modes[name] * wins, starts)
        part[readers] = (of_best + WHOLE_WEIGHT * part[readers]) / (1 + WHOLE_WEIGHT)
    whole["interest"] = np.zeros(candidates.shape, dtype=np.float32)
    whole["interest"][readers] = difference / (1 + WHOLE_WEIGHT)


def _bars(scores: Scores) -> Scores:
    """A column: the last of each row's RIVALS greatest scores, or of the greatest twentieth of
    those above -inf if that is less; 0 where there are none."""
    twentieths = np.count_nonzero(scores > -np.inf, axis=1) // 20
    most = min(RIVALS, scores.shape[1])
    greatest = np.sort(np.partition(scores, -most, axis=1)[:, -most:], axis=1)
    places = most - np.clip(twentieths, 1, most)
    bars = np.take_along_axis(greatest, places[:, None], axis=1)
    return np.where(bars > -np.inf, bars, 0)


def standard_scores(
    values: Floats, candidates: Booleans | Floats, weight: Scores | float = 1.0
) -> Floats:
    """Each row's values as standard deviations from the mean of that row's candidates, times the
    row's `weight`. Candidates are ones among zeros.

    Zero for rows whose candidates are all alike; what is no candidate is scored by the same mean
    and deviation.
    """
    inside = np.asarray(candidates, dtype=np.float32)
    counts = np.maximum(inside.sum(axis=1, keepdims=True), 1)
    means = np.einsum("ij,ij->i", values, inside)[:, None] / counts
    centred = values - means
    spreads = np.sqrt(np.einsum("ij,ij->i", centred * inside, centred)[:, None] / counts)
    scale = np.where(spreads > _LEAST_SPREAD, weight / np.maximum(spreads, 1e-12), 0)
    centred *= scale.astype(np.float32)
    return np.asarray(centred, dtype=np.float32)


def _uncrowded(batch: Batch, candidates: Floats, likes: Scores, weight: float) -> Floats:
    """Less for papers with many like them, about the mean of the candidates; nothing for readers
    of whom nothing is known, who are close to no paper."""
    counts = np.maximum(candidates.sum(axis=1, keepdims=True), 1)
    means = (candidates @ batch.crowding)[:, None] / counts
    scores = means - batch.crowding
    scores *= np.where(likes > 0, np.float32(weight), np.float32(0))
    return np.asarray(scores, dtype=np.float32)


def _asked_for(
    interests: Sequence[Interests], batch: Batch, candidates: Booleans, match: Scores
) -> Parts:
    """What readers named themselves: it lifts a paper above the average whatever votes say, and
    the best paper of each keyword to where it is seen."""
    parts: Parts = {}
    lift = np.maximum(-match, 0)
    find = partial(marked, shape=match.shape)
    author = find([i.authors for i in interests], batch.index.by_author)
    if author.any():
        parts["author"] = np.where(author, AUTHOR_BOOST + lift, 0)
    found = _Found.of([i.keywords for i in interests], batch.index.where)
    keyword = np.zeros(match.shape, dtype=np.bool_)
    keyword[found.rows, found.papers] = True
    keyword &= ~author
    if keyword.any():
        parts["keyword"] = np.where(keyword, KEYWORD_BOOST + lift, 0)
        wanting = np.asarray(keyword.any(axis=1))
        _show_each(found, wanting, candidates, match, parts["keyword"])
    category = find([i.categories for i in interests], batch.index.in_category)
    if category.any():
        parts["category"] = np.where(category, np.float32(CATEGORY_BOOST), 0)
    return parts


@dataclass(frozen=True, slots=True)
class _Found:
    """The papers found for each name of some readers, name after name: the reader's row, the
    paper, and where each name's begin."""

    rows: npt.NDArray[np.intp]
    papers: Integers
    starts: npt.NDArray[np.intp]

    @classmethod
    def of(cls, names: Sequence[Sequence[str]], find: Callable[[str], Found]) -> "_Found":
        """Names for which nothing is found are left out."""
        found = [(row, find(name)) for row, own in enumerate(names) for name in own]
        there = [(row, papers) for row, papers in found if len(papers)]
        sizes = np.array([len(papers) for _, papers in there], dtype=np.intp)
        rows = np.repeat(np.array([row for row, _ in there], dtype=np.intp), sizes)
        papers = np.concatenate([np.zeros(0, np.int32), *(papers for _, papers in there)])
        return cls(rows, papers.astype(np.int32), np.cumsum(sizes) - sizes)


def _show_each(
    found: _Found,
    wanting: npt.NDArray[np.bool_],
    candidates: Booleans,
    match: Scores,
    lifted: Floats,
) -> None:
    """Raise `lifted` (readers x papers) for the best paper found for each keyword, so that with it
    the paper has what the one at KEYWORD_PLACE has without; for the readers who are `wanting`."""
    scores = np.where(candidates, match + lifted, -np.inf)
    wanted = _at_place(scores, KEYWORD_PLACE)
    own = scores[found.rows, found.papers]
    own[~wanting[found.rows]] = -np.inf
    best = np.maximum.reduceat(own, found.starts)
    sizes = np.diff(found.starts, append=len(own))
    is_best = (own == np.repeat(best, sizes)) & (own > -np.inf)
    places = np.flatnonzero(is_best)
    names = np.searchsorted(found.starts, places, side="right")
    places = places[np.diff(names, prepend=0) > 0]  # of equal ones the first
    rows, papers = found.rows[places], found.papers[places]
    np.maximum.at(lifted, (rows, papers), wanted[rows] - match[rows, papers])


def _at_place(scores: Scores, place: int) -> Scores:
    """The `place`th greatest of each row's scores, or the least above -inf of a row with fewer."""
    place = min(place, scores.shape[1])
    at_place = np.partition(scores, -place, axis=1)[:, -place]
    least = np.min(scores, axis=1, initial=np.inf, where=scores > -np.inf)
    return np.where(at_place > -np.inf, at_place, least)


def marked(
    names: Sequence[Sequence[str]], find: Callable[[str], Found], shape: tuple[int, ...]
) -> Booleans:
    """Readers x papers: the papers found for any of each reader's names."""
    marks = np.zeros(shape, dtype=np.bool_)
    found = _Found.of(names, find)
    marks[found.rows, found.papers] = True
    return marks
