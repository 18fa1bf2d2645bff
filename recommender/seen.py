"""Papers as a model sees them, one by one, so that they can be kept and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from recommender.batch import Batch
from recommender.errors import SpaceError
from recommender.matrices import Booleans, Floats, Integers, entries, from_parts, stacked
from recommender.text import Paper

if TYPE_CHECKING:
    from recommender.model import Model


@dataclass(frozen=True, slots=True)
class Seen:
    """One paper: its terms and their weights, its factors, and its place among the papers that the
    model was trained on, -1 for none."""

    paper: Paper
    columns: Integers
    weights: Floats
    factors: Floats
    trained: int


def apart(batch: Batch) -> list[Seen]:
    """The papers of a batch, none of which keeps the whole of it in memory."""
    found = []
    for row, paper in enumerate(batch.papers):
        columns, weights = entries(batch.tfidf, row)
        factors = batch.factors[row].copy()
        found.append(Seen(paper, columns.copy(), weights.copy(), factors, int(batch.trained[row])))
    return found


def interleaved(some: Batch, others: Batch, is_some: Booleans) -> Batch:
    """The papers of two batches of one model in one: where `is_some` is true (papers) the next one
    of `some`, else the next one of `others`."""
    if some.space != others.space:
        raise SpaceError("the papers are of two models")
    if is_some.all():
        return some
    order = np.empty(len(is_some), dtype=np.int32)
    order[is_some] = np.arange(len(some))
    order[~is_some] = len(some) + np.arange(len(others))
    papers = (*some.papers, *others.papers)
    return replace(
        some,
        papers=tuple(papers[place] for place in order.tolist()),
        tfidf=stacked(some.tfidf, others.tfidf)[order],
        factors=np.vstack([some.factors, others.factors])[order],
        trained=np.concatenate([some.trained, others.trained])[order],
    )


def together(model: Model, papers: Sequence[Seen]) -> Batch:
    """The batch of papers that this model has seen."""
    if not papers:
        return model.nothing
    ends = np.cumsum([0, *(len(one.columns) for one in papers)], dtype=np.int32)
    tfidf = from_parts(
        np.concatenate([one.weights for one in papers]),
        np.concatenate([one.columns for one in papers]),
        ends,
        len(model.vocabulary.terms),
    )
    return Batch(
        papers=tuple(one.paper for one in papers),
        tfidf=tfidf,
        factors=np.stack([one.factors for one in papers]),
        trained=np.array([one.trained for one in papers], dtype=np.int32),
        terms=model.vocabulary.terms,
        space=model.key,
        background=model.background,
        neighbours=model.neighbours,
    )
