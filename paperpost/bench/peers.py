"""What we are compared with: `implicit`'s own ways to do the latent half of the work, behind types.

It starts its own threads and asks that BLAS be kept to one: `single_threaded_blas` is around it.
"""

import numpy as np
from implicit.cpu.topk import topk

from recommender.factors import FactorSettings, solver
from recommender.matrices import Floats, Integers, SparseRows
from recommender.spaces import JointSpace


def best_by_factors(papers: Floats, readers: Floats, limit: int) -> Integers:
    """Positions of each reader's `limit` best papers by the product of factors, on all cores."""
    positions, _ = topk(papers, readers, limit, num_threads=0)
    return np.asarray(positions, dtype=np.int32)


class Folder:
    """Folds one reader at a time into each of these spaces, on one thread."""

    def __init__(self, space: JointSpace) -> None:
        self._solvers = [solver(one.settings, one.factors, 1) for one in space.spaces]
        for als, papers in zip(self._solvers, space.parted(space.paper_factors), strict=True):
            als.item_factors = papers

    def fold(self, votes: SparseRows) -> None:
        """The one reader with these votes (1 x papers, entries are confidences)."""
        for als in self._solvers:
            als.recalculate_user(0, votes)


def factorise(matrix: SparseRows, settings: FactorSettings, factors: int) -> None:
    """Fit a matrix from scratch, on all cores."""
    solver(settings, factors, threads=0).fit(matrix, show_progress=False)
