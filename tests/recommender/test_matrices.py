"""Products and lengths of sparse matrices, beside those of dense ones."""

import numpy as np
import pytest
from scipy import sparse

from recommender.matrices import (
    Columns,
    Floats,
    SparseRows,
    product_of_rows,
    sparse_rows,
    unit_sparse_rows,
)


def rows(number: int, columns: int, seed: int, share: float = 0.2) -> SparseRows:
    return sparse_rows(
        sparse.random(number, columns, share, random_state=seed, dtype=np.float32, format="csr")
    )


def dense(matrix: SparseRows) -> Floats:
    found: Floats = sparse.csr_matrix(matrix).toarray()
    return found


@pytest.mark.parametrize("readers", [0, 1, 31, 32, 33, 100])
def test_a_product_is_the_one_of_dense_matrices(readers: int) -> None:
    papers, profiles = rows(40, 60, seed=1), rows(readers, 60, seed=2)
    expected = dense(profiles) @ dense(papers).T
    assert Columns(papers).product(profiles) == pytest.approx(expected, abs=1e-5)


def test_terms_that_no_paper_has_add_nothing() -> None:
    papers, profiles = np.zeros((3, 10)), np.ones((2, 10))
    papers[1, 4] = 0.5
    product = Columns(sparse_rows(papers)).product(sparse_rows(profiles))
    assert product.tolist() == [[0, 0.5, 0]] * 2


@pytest.mark.parametrize("number", [0, 1, 63, 64, 65, 200])
def test_a_row_has_the_same_product_to_the_bit_in_whichever_company(number: int) -> None:
    rng = np.random.default_rng(3)
    left = rng.random((number, 100), dtype=np.float32)
    right = rng.random((100, 30), dtype=np.float32)
    together = product_of_rows(left, right)
    assert together == pytest.approx(left @ right, rel=1e-5)
    for row in range(0, number, 7):
        assert (product_of_rows(left[[row]], right)[0] == together[row]).all()


def test_a_reader_has_the_same_product_to_the_bit_in_whichever_company() -> None:
    papers, profiles = Columns(rows(40, 60, seed=1)), rows(50, 60, seed=2)
    together = papers.product(profiles)
    assert all((papers.product(profiles[[row]])[0] == together[row]).all() for row in range(50))


def test_papers_without_a_word_have_a_product_too() -> None:
    nothing = Columns(sparse_rows(np.zeros((3, 10)))).product(rows(2, 10, seed=2))
    assert nothing.tolist() == [[0, 0, 0]] * 2


def test_rows_have_unit_length_and_empty_ones_stay_empty() -> None:
    several = dense(rows(30, 20, seed=3, share=0.1))
    several[[0, 7, 29]] = 0
    lengths = np.linalg.norm(dense(unit_sparse_rows(sparse_rows(several))), axis=1)
    is_empty = ~several.any(axis=1)
    assert lengths[~is_empty] == pytest.approx(1, abs=1e-6)
    assert not lengths[is_empty].any()
