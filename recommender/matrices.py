"""The sparse and dense matrices of this package: scipy behind types.

Rows are what a matrix is about (papers, readers), columns what it says of them (terms, factors).
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Booleans = npt.NDArray[np.bool_]


class SparseRows(Protocol):
    """What is used of scipy's `csr_matrix`: float32 entries, row after row."""

    indptr: Integers
    indices: Integers
    data: Floats

    @property
    def shape(self) -> tuple[int, int]: ...
    def __matmul__(self, other: Any) -> Any: ...
    def __mul__(self, factor: float) -> "SparseRows": ...
    def __getitem__(self, rows: Any) -> "SparseRows": ...


def sparse_rows(matrix: Any) -> SparseRows:
    """`matrix` (sparse or dense) as float32 CSR with summed, sorted entries and no stored zeros."""
    rows = sparse.csr_matrix(matrix, dtype=np.float32, copy=True)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return cast(SparseRows, rows)


def from_entries(entries: Sequence[dict[int, float]], columns: int) -> SparseRows:
    """One row for each mapping from column to value."""
    indptr = np.cumsum([0, *(len(row) for row in entries)], dtype=np.int32)
    indices = np.fromiter(chain.from_iterable(entries), dtype=np.int32)
    values = chain.from_iterable(row.values() for row in entries)
    data = np.fromiter(values, dtype=np.float32)
    rows = sparse.csr_matrix((data, indices, indptr), (len(entries), columns))
    rows.sort_indices()
    rows.eliminate_zeros()
    return cast(SparseRows, rows)


def from_parts(data: Floats, indices: Integers, indptr: Integers, columns: int) -> SparseRows:
    """The matrix of scipy's three arrays; ValueError if they do not fit together."""
    rows = sparse.csr_matrix((data, indices, indptr), (len(indptr) - 1, columns))
    rows.check_format(full_check=True)
    return cast(SparseRows, rows)


def with_data(rows: SparseRows, data: npt.NDArray[np.floating]) -> SparseRows:
    """The same pattern with other values, one for each stored entry."""
    values = data.astype(np.float32, copy=False)
    return cast(SparseRows, sparse.csr_matrix((values, rows.indices, rows.indptr), rows.shape))


def transposed(rows: SparseRows) -> SparseRows:
    """Columns become rows, in CSR again."""
    return cast(SparseRows, cast(Any, rows).T.tocsr())


def stacked(above: SparseRows, below: SparseRows) -> SparseRows:
    """The rows of `above`, then those of `below`."""
    return all_stacked([above, below])


def all_stacked(parts: Sequence[SparseRows]) -> SparseRows:
    """The rows of each part, one part after another."""
    if all(not part.shape[0] for part in parts[1:]):
        return parts[0]
    return cast(SparseRows, sparse.vstack(parts, format="csr", dtype=np.float32))


def entries(rows: SparseRows, row: int) -> tuple[Integers, Floats]:
    """Columns and values of one row, without building a matrix for it."""
    here = slice(rows.indptr[row], rows.indptr[row + 1])
    return rows.indices[here], rows.data[here]


def unit_rows(dense: Floats) -> Floats:
    """Each row divided by its length; rows of zeros stay zero."""
    lengths = np.sqrt(np.einsum("ij,ij->i", dense, dense))
    return cast(Floats, dense / np.where(lengths > 0, lengths, 1)[:, None])


def unit_sparse_rows(rows: SparseRows) -> SparseRows:
    """As `unit_rows`, for a sparse matrix."""
    counts = np.diff(rows.indptr)
    filled = counts > 0
    lengths = np.ones(len(counts))
    if filled.any():
        squares = np.square(rows.data, dtype=np.float64)
        lengths[filled] = np.sqrt(np.add.reduceat(squares, rows.indptr[:-1][filled]))
    divisors = np.where(lengths > 0, lengths, 1).astype(np.float32)
    return with_data(rows, cast(Floats, rows.data / np.repeat(divisors, counts)))


def product_of_rows(left: Floats, right: Floats) -> Floats:
    """`left @ right`, whose rows have the same numbers to the bit whichever rows come with them:
    BLAS takes other ways for other numbers of rows, so it is given each alone. 256 columns times
    256 take 3.2 microseconds in place of 2.3."""
    return (left[:, None] @ right)[:, 0]


def dense_product(left: SparseRows, right: SparseRows) -> Floats:
    """`left @ right` as a dense array."""
    return cast(Floats, (left @ right).toarray())


class Columns:
    """A sparse matrix (papers x terms) whose transpose many others are multiplied by.

    Some rows of those are laid out densely, side by side, so that each of its entries is one
    multiplication for all of them: profiles have most of the terms that candidates have, and
    scipy's product of two sparse matrices takes twice as long.
    """

    _AT_ONCE = 32

    def __init__(self, rows: SparseRows) -> None:
        numbers = np.bincount(rows.indices, minlength=rows.shape[1])
        # The commonest first, so that what is used most lies together.
        used = np.argsort(-numbers, kind="stable")[: np.count_nonzero(numbers)]
        self._terms = len(used)
        self._places = np.full(rows.shape[1], self._terms, dtype=np.int64)  # beyond: of no paper
        self._places[used] = np.arange(self._terms)
        places = self._places[rows.indices].astype(np.int32)
        self._rows = from_parts(rows.data, places, rows.indptr, self._terms)

    def product(self, left: SparseRows) -> Floats:
        """`left` (readers x terms) times the transpose, dense (readers x papers)."""
        lengths = np.diff(left.indptr)
        product = np.empty((len(lengths), self._rows.shape[0]), dtype=np.float32)
        at_once = max(1, min(self._AT_ONCE, len(lengths)))
        side = np.repeat(np.arange(len(lengths)) % at_once, lengths)
        cells = self._places[left.indices] * at_once + side
        laid_out = np.zeros((self._terms + 1, at_once), dtype=np.float32)
        flat = laid_out.reshape(-1)
        for start in range(0, len(lengths), at_once):
            end = min(start + at_once, len(lengths))
            here = slice(left.indptr[start], left.indptr[end])
            flat[cells[here]] = left.data[here]
            product[start:end] = (self._rows @ laid_out[: self._terms])[:, : end - start].T
            flat[cells[here]] = 0
        return product
