"""Rows with few entries, folded in by small systems of equations.

For a row with confidences c, alternating least squares solves `(G + rI + Y'WY) x = Y'p`, where
W = |c| - 1, p = max(c, 0), G is the Gramian of all columns and Y holds the factors of the row's n
columns (Hu, Koren and Volinsky, ICDM 2008). With R, for which RR' is the inverse of `G + rI`, and
Z = YR, Woodbury's identity makes `x = RZ' (I + W ZZ')^-1 p` of it: n equations in place of one for
each factor. With three entries and 256 factors that takes 3 microseconds in place of 210. Where G
is diagonal, so is R, and YR is no product of matrices.
"""

import numpy as np
import numpy.typing as npt

from recommender.matrices import Floats, Integers, SparseRows, product_of_rows

# So many factor rows are gathered at once: 10 MB with 256 factors.
_ENTRIES_AT_ONCE = 10_000


def root_of(gramian: Floats, regularization: float) -> Floats:
    """R for a Gramian (factors x factors) and a regularization above 0; of a diagonal one its
    diagonal alone."""
    sums = gramian.astype(np.float64) + regularization * np.eye(len(gramian))
    own = np.diag(sums)
    is_diagonal = np.count_nonzero(sums) == len(own)
    root = 1 / np.sqrt(own) if is_diagonal else np.linalg.cholesky(np.linalg.inv(sums))
    return np.asarray(root, dtype=np.float32)


def fold_short(entries: SparseRows, longest: int, columns: Floats, root: Floats) -> Floats:
    """Rows x factors, from confidences (rows x columns), factors (columns x factors) and R as
    `root_of` has it.

    Rows with more than `longest` entries stay zero, as do empty ones. A row's numbers are the same
    to the bit whichever rows come with it.
    """
    lengths = np.diff(entries.indptr)
    places, rooted = _rooted(entries.indices, columns, root)
    folded = np.zeros((len(lengths), columns.shape[1]), dtype=np.float32)
    for length in np.unique(lengths[(lengths > 0) & (lengths <= longest)]).tolist():
        rows = np.flatnonzero(lengths == length).astype(np.int32)
        at_once = max(1, _ENTRIES_AT_ONCE // length)
        for start in range(0, len(rows), at_once):
            some = rows[start : start + at_once]
            here = entries.indptr[some][:, None] + np.arange(length)
            folded[some] = _solved(entries.data[here], rooted[places[here]])
    return folded * root if root.ndim == 1 else product_of_rows(folded, root.T)


def _rooted(
    places: Integers, columns: Floats, root: Floats
) -> tuple[npt.NDArray[np.integer], Floats]:
    """Z of what the entries refer to, and where each of them stands in it: of all columns where
    that is no product of matrices."""
    if root.ndim == 1:
        return places, columns * root
    used, among = np.unique(places, return_inverse=True)
    return among, product_of_rows(columns[used], root)


def _solved(confidences: Floats, rooted: Floats) -> Floats:
    """What R is multiplied by (rows x factors), of rows of one length: their confidences (rows x
    entries) and their Z (rows x entries x factors)."""
    products = rooted @ rooted.transpose(0, 2, 1)
    ones = np.eye(confidences.shape[1], dtype=np.float32)
    systems = ones + (abs(confidences) - 1)[:, :, None] * products
    weights = np.linalg.solve(systems, np.maximum(confidences, 0)[:, :, None])
    return np.asarray((weights.transpose(0, 2, 1) @ rooted)[:, 0], dtype=np.float32)
