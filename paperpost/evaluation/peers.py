"""How other programs rank, on the same data: each as its source has it, words by TF-IDF."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import Ridge
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from paperpost.evaluation.baselines import tfidf_of
from paperpost.evaluation.scorers import Scorer
from paperpost.evaluation.splits import Papers, Training
from recommender.matrices import (
    Floats,
    Integers,
    SparseRows,
    dense_product,
    entries,
    sparse_rows,
    transposed,
    unit_rows,
    with_data,
)

_FACTORS = 200
# Versions of arxiv-sanity-lite have 0.1 as well: for 300 readers of seed 1 that gives an nDCG@10 of
# .157 in place of .156, and a recall@100 of .481 in place of .510.
_SVM_C = 0.01
_SEED = 0


def linear_svm(training: Training, candidates: Papers) -> Scorer:
    """A linear SVM for each reader: liked papers against all others (arxiv-sanity-lite).

    Solved in the primal, which gives the scores of its dual solver to the sixth digit in two
    thirds of the time.
    """
    weigh = tfidf_of(training.papers.counts)
    papers, shown = doubles(weigh(training.papers.counts)), doubles(weigh(candidates.counts))

    def score(histories: SparseRows) -> Floats:
        liked = (entries(histories, row)[0] for row in range(histories.shape[0]))
        with threadpool_limits(1):  # or a team of threads is started for each of its small steps
            return np.vstack([svm_scores(papers, rows, shown) for rows in liked])

    return score


def svm_scores(papers: Any, liked: Sequence[int] | Integers, candidates: Any) -> Floats:
    """One reader's machine: `liked` are rows of `papers`; all rows are float64, x terms."""
    is_liked = np.zeros(papers.shape[0])
    is_liked[liked] = 1
    if is_liked.all():  # nothing to tell the liked ones from
        return np.zeros(candidates.shape[0], dtype=np.float32)
    machine: Any = LinearSVC(class_weight="balanced", C=_SVM_C, dual=False)
    machine.fit(papers, is_liked)
    return np.asarray(machine.decision_function(candidates), dtype=np.float32)


def doubles(rows: SparseRows) -> Any:
    """Converted once, or scikit-learn does it for every reader."""
    return cast(Any, rows).astype(np.float64)


def weighted_similarity(training: Training, candidates: Papers) -> Scorer:
    """The mean cosine to what is liked, newer likes weighing more (zotero-arxiv-daily).

    The weight of the i-th newest is `1 / (1 + log10(i))`; higher item numbers count as newer. Its
    sentence embeddings are replaced by TF-IDF.
    """
    weigh = tfidf_of(training.papers.counts)
    papers = weigh(training.papers.counts)
    terms_by_candidate = transposed(weigh(candidates.counts))

    def score(histories: SparseRows) -> Floats:
        sizes = np.diff(histories.indptr)
        ends = np.repeat(histories.indptr[1:], sizes)
        decay = 1 / (1 + np.log10(ends - np.arange(histories.data.size)))
        return dense_product(sparse_rows(with_data(histories, decay) @ papers), terms_by_candidate)

    return score


def mapped_als(training: Training, candidates: Papers) -> Scorer:
    """Factors of likes alone (`implicit`), which a ridge regression tells from a paper's words.

    As Gantner et al. map attributes to factors ("Learning Attribute-to-Feature Mappings for
    Cold-Start Recommendations", ICDM 2010), with LSA of the words as attributes. Its settings are
    the best of sixteen on seed 1 of the protocol for new papers.
    """
    weigh = tfidf_of(training.papers.counts)
    papers = weigh(training.papers.counts)
    lsa: Any = TruncatedSVD(min(_FACTORS, min(papers.shape) - 1), random_state=_SEED)
    with threadpool_limits(1, "blas"):
        als = AlternatingLeastSquares(
            factors=_FACTORS, alpha=10.0, regularization=1.0, random_state=_SEED
        )
        als.fit(training.likes, show_progress=False)
        liked = np.flatnonzero(np.bincount(training.likes.indices, minlength=papers.shape[0]))
        topics = np.asarray(lsa.fit_transform(papers))
    mapping: Any = Ridge(alpha=0.3).fit(topics[liked], als.item_factors[liked])
    told = mapping.predict(lsa.transform(weigh(candidates.counts)))
    directions = unit_rows(np.asarray(told, dtype=np.float32))

    def score(histories: SparseRows) -> Floats:
        with threadpool_limits(1, "blas"):
            readers = als.recalculate_user(np.arange(histories.shape[0]), histories)
        return np.asarray(readers, dtype=np.float32) @ directions.T

    return score
