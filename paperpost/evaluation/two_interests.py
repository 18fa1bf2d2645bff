"""Readers with two interests, made of two strangers each: does either half get its papers?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from paperpost.evaluation.baselines import tfidf_of
from paperpost.evaluation.comparison import ranked_for
from paperpost.evaluation.scorers import Ranker
from paperpost.evaluation.splits import Numbers, Split, drawn, training_without
from recommender.matrices import (
    Floats,
    SparseRows,
    dense_product,
    entries,
    from_entries,
    sparse_rows,
    transposed,
    unit_sparse_rows,
)
from recommender.metrics import (
    Positions,
    Values,
    hit_at,
    hits_of,
    ndcg_at,
    recall_at,
    relevant_counts,
)

LISTED = 20
_MOST_PAIRS = 500
_FEWEST_OLD_LIKES, _MOST_OLD_LIKES = 5, 50
_FEWEST_NEW_LIKES = 2
# The cosine of two TF-IDF centroids. Among the readers asked about, of whom two by lot have a
# median of .04, the random halves of one reader's own likes have one of .23, and one such reader
# in fourteen stays below the bound.
_MOST_ALIKE = 0.05
# How many likes of either a reader with an interest on the side has.
_MAIN, _SIDE = 20, 5
EVEN, UNEVEN = "all likes of both", f"{_MAIN} and {_SIDE} likes"


@dataclass(frozen=True, slots=True)
class Merged:
    """Pairs as one reader each, whom nobody is trained on.

    `split` asks for them under the numbers of the first of each pair, who has more old likes;
    `known` (readers x training papers) and `held_out` (readers x candidates) are of either half.
    """

    split: Split
    known: tuple[SparseRows, SparseRows]
    held_out: tuple[SparseRows, SparseRows]


def two_interests(split: Split, seed: int) -> Mapping[str, Merged]:
    """Merged readers with all likes, and those with twenty of the one and five of the other.

    `split` is one of new papers, `seed` draws who is merged with whom. A case that no pair of the
    data is fit for is left out.
    """
    pairs = _pairs(split, seed)
    without = replace(split, training=training_without(split, pairs.ravel()))
    uneven = pairs[relevant_counts(split.histories)[pairs[:, 0]] >= _MAIN]
    rng = np.random.default_rng(seed)
    main = drawn(split.histories[uneven[:, 0]], _MAIN, rng)
    side = drawn(split.histories[uneven[:, 1]], _SIDE, rng)
    cases = {
        EVEN: _merged(without, pairs, split.histories[pairs[:, 0]], split.histories[pairs[:, 1]]),
        UNEVEN: _merged(without, uneven, main, side),
    }
    return {name: merged for name, merged in cases.items() if len(merged.split.readers)}


def as_one(ranker: Ranker, merged: Merged) -> Positions:
    """The lists of merged readers, whose halves the ranker cannot tell apart."""
    return _ranked(ranker, merged.split)


def apart(ranker: Ranker, merged: Merged) -> Positions:
    """What could be reached: each half ranked for alone, the best of either in turns."""
    first, second = (
        _ranked(ranker, replace(merged.split, histories=histories)) for histories in merged.known
    )
    return np.stack([_in_turns(*lists) for lists in zip(first, second, strict=True)])


def values_of_halves(positions: Positions, merged: Merged) -> dict[str, Values]:
    """What merged readers get as a whole, and what their halves get, one value for each of them.

    `worse half` is the lesser of the two halves' recalls, `smaller half` the recall of the one
    with fewer likes, `both halves hit` 1 where each has one of its papers in the list.
    """
    whole = merged.split.held_out
    hits, relevant = hits_of(positions, whole), relevant_counts(whole)
    halves = [(hits_of(positions, half), relevant_counts(half)) for half in merged.held_out]
    recalls = [recall_at(20, *half) for half in halves]
    return {
        "ndcg@10": ndcg_at(10, hits, relevant),
        "recall@20": recall_at(20, hits, relevant),
        "worse half recall@20": np.minimum(*recalls),
        "smaller half recall@20": recalls[1],
        "both halves hit@10": np.minimum(*(hit_at(10, *half) for half in halves)),
        "both halves hit@20": np.minimum(*(hit_at(20, *half) for half in halves)),
    }


def _ranked(ranker: Ranker, split: Split) -> Positions:
    return ranked_for(ranker, split, np.arange(len(split.readers)), LISTED).positions


def _in_turns(first: Positions, second: Positions) -> Positions:
    """Two lists as one of the same length, each paper once; -1 past a list's end."""
    turns = dict.fromkeys(np.stack([first, second], axis=1).ravel().tolist())
    turns.pop(-1, None)
    merged = np.full(first.size, -1, dtype=np.int32)
    merged[: len(turns)] = list(turns)[: first.size]
    return merged


def _merged(split: Split, pairs: Numbers, first: SparseRows, second: SparseRows) -> Merged:
    held_out = split.held_out[pairs[:, 0]], split.held_out[pairs[:, 1]]
    whole = replace(
        split,
        readers=split.readers[pairs[:, 0]],
        histories=_union(first, second),
        held_out=_union(*held_out),
    )
    return Merged(whole, (first, second), held_out)


def _union(one: SparseRows, other: SparseRows) -> SparseRows:
    rows = range(one.shape[0])
    likes = [[*entries(one, row)[0], *entries(other, row)[0]] for row in rows]
    return from_entries([dict.fromkeys(row, 1.0) for row in likes], one.shape[1])


def _pairs(split: Split, seed: int) -> Numbers:
    """Rows of the split by twos, nobody in two pairs, the one with more old likes first.

    Readers are paired by lot, and pairs kept who like no paper both and read about other things.
    """
    old, new = relevant_counts(split.histories), relevant_counts(split.held_out)
    fit = (old >= _FEWEST_OLD_LIKES) & (old <= _MOST_OLD_LIKES) & (new >= _FEWEST_NEW_LIKES)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(fit))
    pairs = order[: len(order) // 2 * 2].reshape(-1, 2)
    apart = _alike(_centroids(split), pairs) < _MOST_ALIKE
    apart &= _alike(split.histories, pairs) == 0
    apart &= _alike(split.held_out, pairs) == 0
    pairs = pairs[apart][:_MOST_PAIRS]
    return np.where((old[pairs[:, 0]] >= old[pairs[:, 1]])[:, None], pairs, pairs[:, ::-1])


def _centroids(split: Split) -> SparseRows:
    papers = tfidf_of(split.training.papers.counts)(split.training.papers.counts)
    return unit_sparse_rows(sparse_rows(split.histories @ papers))


def _alike(rows: SparseRows, pairs: Numbers) -> Floats:
    """The inner product of the two rows of each pair."""
    products = dense_product(rows[pairs[:, 0]], transposed(rows[pairs[:, 1]]))
    return products.diagonal()
