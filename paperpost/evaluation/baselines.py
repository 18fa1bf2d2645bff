"""Simple rankers that any other has to beat."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfTransformer

from paperpost.evaluation.scorers import Scorer
from paperpost.evaluation.splits import Papers, Training
from recommender.matrices import (
    Floats,
    SparseRows,
    dense_product,
    sparse_rows,
    transposed,
    unit_sparse_rows,
    with_data,
)


def tfidf_of(counts: SparseRows) -> Callable[[SparseRows], SparseRows]:
    """From counts to TF-IDF as scikit-learn has it, by the document frequencies of `counts`.

    `1 + ln(count)` times smoothed idf, unit length. Kept apart from the ranker's own, so that a
    change there leaves what it is measured against where it was.
    """
    transformer: Any = TfidfTransformer(sublinear_tf=True).fit(counts)
    return lambda rows: sparse_rows(transformer.transform(rows))


def tfidf_centroid(training: Training, candidates: Papers) -> Scorer:
    """The cosine to the sum of the liked papers' TF-IDF rows (Rocchio, 1971)."""
    weigh = tfidf_of(training.papers.counts)
    papers = weigh(training.papers.counts)
    terms_by_candidate = transposed(weigh(candidates.counts))
    return lambda histories: dense_product(
        unit_sparse_rows(sparse_rows(histories @ papers)), terms_by_candidate
    )


def topic_popularity(training: Training, candidates: Papers) -> Scorer:
    """How well a paper's words are liked, the same for everyone.

    A word is worth the mean number of likes of the training papers that hold it, a paper the mean
    worth of its words, each counted once.
    """
    holding, held = _presence(training.papers.counts), _presence(candidates.counts)
    likes = np.bincount(training.likes.indices, minlength=len(training.papers))
    papers = np.bincount(holding.indices, minlength=holding.shape[1])
    worth = (transposed(holding) @ likes) / np.maximum(papers, 1)
    words = np.diff(held.indptr)
    scores: Floats = ((held @ worth) / np.maximum(words, 1)).astype(np.float32)
    return lambda histories: np.tile(scores, (histories.shape[0], 1))


def random_order(training: Training, candidates: Papers) -> Scorer:
    """An order by lot for each reader, the same in every run of the same readers."""
    rng = np.random.default_rng(0)
    return lambda histories: rng.random((histories.shape[0], len(candidates)), dtype=np.float32)


def _presence(counts: SparseRows) -> SparseRows:
    return with_data(counts, np.ones(counts.data.size))
