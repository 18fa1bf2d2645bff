"""What we are compared with: `implicit`'s own ways to do the latent half of the work, behind types.

It starts its own threads and asks that BLAS be kept to one: `one_blas_thread` around it does that.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.topk import topk
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from recommender.factors import FactorSettings, Space
from recommender.matrices import Floats, Integers, SparseRows


def one_blas_thread() -> AbstractContextManager[Any]:
    """Within it BLAS uses one thread; entering takes a millisecond, which is not to be timed."""
    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits


def best_by_factors(papers: Floats, readers: Floats, limit: int) -> Integers:
    """Positions of each reader's `limit` best papers by the product of factors, on all cores."""
    positions, _ = topk(papers, readers, limit, num_threads=0)
    return np.asarray(positions, dtype=np.int32)


class Folder:
    """Folds one reader at a time into each of these spaces, on one thread."""

    def __init__(self, spaces: Sequence[Space]) -> None:
        self._solvers = [_solver(one.settings, one.paper_factors.shape[1], 1) for one in spaces]
        for als, space in zip(self._solvers, spaces, strict=True):
            als.item_factors = space.paper_factors

    def fold(self, votes: SparseRows) -> None:
        """The one reader with these votes (1 x papers, entries are confidences)."""
        for als in self._solvers:
            als.recalculate_user(0, votes)


def factorise(matrix: SparseRows, settings: FactorSettings, factors: int) -> None:
    """Fit a matrix from scratch, on all cores."""
    _solver(settings, factors, threads=0).fit(matrix, show_progress=False)


def _solver(settings: FactorSettings, factors: int, threads: int) -> AlternatingLeastSquares:
    with one_blas_thread():  # implicit warns when it is made under more threads
        return AlternatingLeastSquares(
            factors=factors,
            regularization=settings.regularization,
            iterations=settings.iterations,
            num_threads=threads,
            random_state=settings.seed,
        )
