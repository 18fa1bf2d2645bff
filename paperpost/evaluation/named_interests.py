"""Merged readers who keep their two interests apart, each by a few words: what shares bring."""

from collections.abc import Mapping

import numpy as np

from paperpost.evaluation.scorers import lists_of
from paperpost.evaluation.shipped import Shipped
from paperpost.evaluation.two_interests import LISTED, Merged
from recommender.divided import Divided, Part, rank_by_shares
from recommender.matrices import SparseRows, entries, unit_sparse_rows
from recommender.metrics import Positions
from recommender.profile import Interests, Reader
from recommender.rank import best

# So many words each half is named by, the heaviest of what it liked.
_WORDS = 3
AS_ONE, BY_SHARES = "Ours, three words of each half", "Ours, the words as two shares of 50"


def with_words(shipped: Shipped, merged: Merged) -> Mapping[str, Positions]:
    """The lists of merged readers who typed some words of either half: all as one profile, and as
    two named interests of equal shares."""
    typed = [_words(shipped, likes) for likes in merged.known]
    divided = [
        _divided(reader, first, second)
        for reader, first, second in zip(
            shipped.readers(merged.split.histories), *typed, strict=True
        )
    ]
    allowed = merged.split.allowed(np.arange(len(divided)))
    profiles = shipped.model.profiles([one.reader for one in divided], shipped.library)
    whole = best(profiles, shipped.candidates, limit=LISTED, allowed=allowed)
    shared = rank_by_shares(
        shipped.model, divided, shipped.library, shipped.candidates, allowed=allowed
    )
    places = [[paper.place for paper in one.papers] for one in shared]
    return {AS_ONE: whole.positions, BY_SHARES: lists_of(places, LISTED).positions}


def _words(shipped: Shipped, likes: SparseRows) -> list[tuple[str, ...]]:
    """The heaviest terms of the papers that each reader liked (readers x training papers)."""
    terms, sums = shipped.model.vocabulary.terms, unit_sparse_rows(likes @ shipped.library.tfidf)
    found = []
    for row in range(sums.shape[0]):
        columns, weights = entries(sums, row)
        heaviest = columns[np.argsort(-weights, kind="stable")][:_WORDS]
        found.append(tuple(terms[column] for column in heaviest.tolist()))
    return found


def _divided(reader: Reader, first: tuple[str, ...], second: tuple[str, ...]) -> Divided:
    parts = tuple(
        Part(name, 50, Interests(words)) for name, words in (("first", first), ("second", second))
    )
    both = tuple(dict.fromkeys((*first, *second)))
    return Divided(Reader(reader.key, Interests(both), reader.votes), parts, LISTED)
