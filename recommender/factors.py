"""A space for words, papers and people: `implicit`'s alternating least squares behind types.

The rows of the factorised matrix are readers and terms, its columns papers (Hu, Koren and
Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, with negative
entries for dislikes). A paper nobody has seen is folded in from its terms, a reader from votes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares

from recommender.foldin import fold_short, root_of
from recommender.matrices import (
    Floats,
    SparseRows,
    stacked,
    transposed,
    unit_rows,
    with_data,
)
from recommender.threads import single_threaded_blas

# Below this many rows starting a team of threads costs more than it saves (15 ms against 0.05).
_ROWS_WORTH_THREADS = 64
# Up to so many entries for each factor a row is folded without implicit (foldin.py): with half as
# many as factors in less than half the time, with as many in more.
_SHORT = 0.5


@dataclass(frozen=True, slots=True)
class FactorSettings:
    """How a space is made; measured on CiteULike-t and arXiv, flat around these values.

    A dislike is surer than nothing and less sure than a like: on the arXiv stream precision@10 is
    .421 with a confidence of 3, .412 with that of a like.
    """

    factors: int = 256
    regularization: float = 5.0
    iterations: int = 12
    like_confidence: float = 10.0
    dislike_confidence: float = 3.0
    text_confidence: float = 30.0
    seed: int = 20260401
    threads: int = 0  # 0: one for each core


@dataclass(frozen=True)
class Space:
    """Term factors (terms x factors), and what papers and readers are folded in by.

    `paper_gramian` (factors x factors) is of the papers that it was made of, before they were
    brought to unit length; their factors are kept beside it (`spaces.JointSpace`).
    """

    term_factors: Floats
    paper_gramian: Floats
    settings: FactorSettings

    @cached_property
    def _term_gramian(self) -> Floats:
        with single_threaded_blas():
            return np.asarray(self.term_factors.T @ self.term_factors)

    @cached_property
    def _term_root(self) -> Floats:
        with single_threaded_blas():
            return root_of(self._term_gramian, self.settings.regularization)

    @cached_property
    def _paper_root(self) -> Floats:
        with single_threaded_blas():
            return root_of(self.paper_gramian, self.settings.regularization)

    @property
    def factors(self) -> int:
        """How many there are."""
        return len(self.paper_gramian)

    def is_for(self, terms: int) -> bool:
        """Whether its parts fit together and to so many terms."""
        return self.term_factors.shape == (terms, self.factors) and self.paper_gramian.shape == (
            self.factors,
            self.factors,
        )

    def fold_papers(self, tfidf: SparseRows) -> Floats:
        """Unit-length factors of papers from their TF-IDF rows (papers x terms)."""
        entries = tfidf * self.settings.text_confidence
        return self._fold(entries, self.term_factors, self._term_gramian, self._term_root)

    def fold_readers(self, votes: SparseRows, papers: Floats) -> Floats:
        """Unit-length factors of readers from votes (readers x `papers`; negative: a dislike)."""
        entries = _confidences(votes, self.settings)
        return self._fold(entries, papers, self.paper_gramian, self._paper_root)

    def _fold(self, entries: SparseRows, columns: Floats, gramian: Floats, root: Floats) -> Floats:
        # implicit reads past the end of the factors when there are more columns, and may crash.
        if entries.shape[1] != len(columns):
            raise ValueError(f"{entries.shape[1]} columns for {len(columns)} factor rows")
        if not entries.shape[0] or not columns.size:
            return np.zeros((entries.shape[0], gramian.shape[0]), dtype=np.float32)
        longest = int(len(gramian) * _SHORT)
        long = np.flatnonzero(np.diff(entries.indptr) > longest)
        with single_threaded_blas():
            folded = fold_short(entries, longest, columns, root)
            if long.size:
                folded[long] = self._fold_long(entries[long], columns, gramian)
        return unit_rows(folded)

    def _fold_long(self, entries: SparseRows, columns: Floats, gramian: Floats) -> Floats:
        threads = self.settings.threads if entries.shape[0] >= _ROWS_WORTH_THREADS else 1
        als = solver(self.settings, len(gramian), threads)
        als.item_factors = columns
        als._YtY = gramian  # implicit's cache: the Gramian of all trained papers, not of `columns`
        folded = als.recalculate_user(np.arange(entries.shape[0]), entries)
        return np.asarray(folded, dtype=np.float32)


def factorise(
    tfidf: SparseRows, votes: SparseRows, settings: FactorSettings
) -> tuple[Space, Floats]:
    """The space of `tfidf` (papers x terms) and `votes` (readers x papers, entries +1 and -1), and
    the unit-length factors of those papers."""
    papers, terms = tfidf.shape
    readers = votes.shape[0]
    factors = _factors_for(papers, settings.factors)
    if not papers or not tfidf.data.size + votes.data.size:
        return _empty_space(papers, terms, factors, settings)
    words = transposed(tfidf) * settings.text_confidence
    matrix = stacked(_confidences(votes, settings), words)
    als = solver(settings, factors, settings.threads)
    with single_threaded_blas():
        als.fit(matrix, show_progress=False)
    return space_of(als.user_factors[readers:], als.item_factors, settings)


def space_of(terms: Floats, papers: Floats, settings: FactorSettings) -> tuple[Space, Floats]:
    """The space of these factors, of whatever length, and those of the papers at unit length.

    Its axes are turned to the principal ones of the papers, so that their Gramian is diagonal:
    products stay what they were, and to fold a reader in takes half as long (foldin.py).
    """
    with single_threaded_blas():
        lengths, axes = np.linalg.eigh((papers.T @ papers).astype(np.float64))
        turned = axes.astype(np.float32)
        gramian = np.diag(np.maximum(lengths, 0)).astype(np.float32)
        return Space(terms @ turned, gramian, settings), unit_rows(papers @ turned)


def solver(settings: FactorSettings, factors: int, threads: int) -> AlternatingLeastSquares:
    """implicit's own, made from settings; `threads` of 0 are all cores."""
    with single_threaded_blas():  # implicit warns when it is made under more threads
        return AlternatingLeastSquares(
            factors=factors,
            regularization=settings.regularization,
            iterations=settings.iterations,
            num_threads=threads,
            random_state=settings.seed,
        )


def _confidences(votes: SparseRows, settings: FactorSettings) -> SparseRows:
    """Votes of +1 and -1 as implicit takes them: the sign says what, the size how surely."""
    likes, dislikes = settings.like_confidence, settings.dislike_confidence
    return with_data(votes, np.where(votes.data > 0, likes, dislikes) * votes.data)


def _factors_for(papers: int, wanted: int) -> int:
    """Fewer factors than papers, or every paper would be a direction of its own.

    Half as many is best on the arXiv stream with 320 papers: precision@10 of seeds .430, with a
    quarter .411, with an eighth .412.
    """
    return max(1, min(wanted, max(papers // 2, min(papers, 16))))


def _empty_space(
    papers: int, terms: int, factors: int, settings: FactorSettings
) -> tuple[Space, Floats]:
    return space_of(
        np.zeros((terms, factors), dtype=np.float32),
        np.zeros((papers, factors), dtype=np.float32),
        settings,
    )
