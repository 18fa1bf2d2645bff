"""How several interests of one reader share a list: whose a vote is, how many places each has, and
in which order they come."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import TypeVar

import numpy as np

from recommender.batch import Batch
from recommender.matrices import Floats
from recommender.profile import Interests

T = TypeVar("T")


def places(
    shares: Sequence[int], size: int, least: Sequence[int], most: Sequence[int]
) -> list[int]:
    """How many of `size` places each interest has: by largest remainder (Hamilton's method), at
    least and at most so many; what one cannot fill is divided among the others.

    Of several that would get more than there are by `least` the first are served first.
    """
    given: list[int] = []
    for wanted in least:
        given.append(min(wanted, size - sum(given)))
    while sum(given) < size:
        still = [place for place, number in enumerate(given) if number < most[place]]
        if not still:
            break
        full = sum(number for place, number in enumerate(given) if place not in still)
        total = sum(shares[place] for place in still)
        owed = {place: (size - full) * shares[place] / total - given[place] for place in still}
        # One at a time to whom most is owed: all whole numbers come before any remainder.
        given[max(still, key=lambda place: owed[place])] += 1
    return given


def in_turns(lists: Sequence[Sequence[T]]) -> list[T]:
    """The first of each list, then the second of each, until all are there."""
    rounds = zip_longest(*([(one,) for one in own] for own in lists), fillvalue=())
    return [one for turn in rounds for found in turn for one in found]


def nearest_interest(
    papers: Sequence[int], interests: Sequence[Interests], library: Batch, keywords: Batch
) -> list[int]:
    """For papers of `library`, by position, the interest whose seed each is nearest to in the
    joint space; -1 for what is near none. `keywords` has a pseudo-paper for each keyword.

    The seed is each of an interest's keywords; where it has none, the papers of the library by
    its authors and in its categories.
    """
    if not papers:
        return []
    factors = library.factors[list(papers)]
    cosines = np.stack([_closest(factors, _seed(one, library, keywords)) for one in interests])
    nearest = np.where(cosines.max(axis=0) > 0, cosines.argmax(axis=0), -1)
    found: list[int] = nearest.tolist()
    return found


def _seed(interest: Interests, library: Batch, keywords: Batch) -> Floats:
    """Seeds x factors; none where nothing is known of an interest."""
    if interest.keywords:
        return keywords.factors[[keywords.positions[word] for word in interest.keywords]]
    index = library.index
    by_author = [paper for name in interest.authors for paper in index.by_author(name)]
    within = [paper for name in interest.categories for paper in index.in_category(name)]
    return library.factors[sorted({*by_author, *within})]


def _closest(factors: Floats, seed: Floats) -> Floats:
    """The greatest cosine of each row with any of the seed."""
    if not len(seed):
        return np.zeros(len(factors), dtype=np.float32)
    return np.asarray((factors @ seed.T).max(axis=1))
