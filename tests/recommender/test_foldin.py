import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares

from recommender.factors import FactorSettings, factorise, space_of
from recommender.foldin import fold_short, root_of
from recommender.matrices import (
    Floats,
    SparseRows,
    from_entries,
    sparse_rows,
    unit_rows,
)
from recommender.threads import single_threaded_blas

FACTORS, PAPERS, REGULARIZATION = 32, 200, 5.0


def random_papers() -> tuple[Floats, Floats]:
    """Unit-length factors, and the Gramian of longer ones."""
    lengthy = 2 * np.random.default_rng(5).normal(size=(PAPERS, FACTORS)).astype(np.float32)
    return unit_rows(lengthy), lengthy.T @ lengthy


def random_votes(readers: int, entries: int) -> SparseRows:
    """Confidences between -10 and 10, some of them exactly 1, as many for each reader."""
    rng = np.random.default_rng(entries)
    rows = []
    for _ in range(readers):
        values = rng.choice([-10.0, -3.0, -0.5, 0.2, 1.0, 3.0, 10.0], entries)
        values[0] = 10.0
        papers = rng.choice(PAPERS, entries, replace=False)
        rows.append(dict(zip(papers.tolist(), values.tolist(), strict=True)))
    return from_entries(rows, PAPERS)


def folded_by_implicit(votes: SparseRows, papers: Floats, gramian: Floats) -> Floats:
    with single_threaded_blas():
        als = AlternatingLeastSquares(
            factors=FACTORS, regularization=REGULARIZATION, num_threads=1, random_state=1
        )
        als.item_factors, als._YtY = papers, gramian
        return np.asarray(als.recalculate_user(np.arange(votes.shape[0]), votes))


@pytest.mark.parametrize("entries", [1, 2, 3, 10, 32, 60])
def test_few_entries_give_what_implicit_gives(entries: int) -> None:
    papers, gramian = random_papers()
    votes = random_votes(9, entries)
    ours = fold_short(votes, entries, papers, root_of(gramian, REGULARIZATION))
    theirs = folded_by_implicit(votes, papers, gramian)
    assert np.abs(unit_rows(ours) - unit_rows(theirs)).max() < 1e-6


def test_rows_that_are_too_long_or_empty_stay_zero() -> None:
    papers, gramian = random_papers()
    votes = from_entries([{1: 1.0, 2: 1.0, 3: 1.0}, {}, {4: 1.0}], PAPERS)
    folded = fold_short(votes, 2, papers, root_of(gramian, REGULARIZATION))
    assert folded.any(axis=1).tolist() == [False, False, True]


def test_readers_of_many_and_of_few_votes_are_folded_together_as_alone() -> None:
    settings = FactorSettings(factors=16, iterations=3, threads=1)
    rng = np.random.default_rng(8)
    rows = [{int(p): 1.0 for p in rng.choice(PAPERS, size)} for size in (2, 60, 1, 90, 2, 8, 9)]
    votes = from_entries(rows, PAPERS)
    space, papers = factorise(sparse_rows(np.zeros((PAPERS, 0))), votes, settings)
    together = space.fold_readers(votes, papers)
    alone = [space.fold_readers(votes[[row]], papers) for row in range(len(rows))]
    assert np.allclose(together, np.vstack(alone), atol=1e-5)
    assert together.any(axis=1).all()


@pytest.mark.parametrize("entries", [1, 3, 32])
def test_turned_to_the_principal_axes_of_the_papers_a_space_is_the_same(entries: int) -> None:
    rng = np.random.default_rng(7)
    terms = rng.normal(size=(50, FACTORS)).astype(np.float32)
    lengthy = rng.normal(size=(PAPERS, FACTORS)).astype(np.float32)
    space, papers = space_of(terms, lengthy, FactorSettings(regularization=REGULARIZATION))
    votes = random_votes(9, entries)
    turned = fold_short(votes, entries, papers, root_of(space.paper_gramian, REGULARIZATION))
    plain = fold_short(
        votes, entries, unit_rows(lengthy), root_of(lengthy.T @ lengthy, REGULARIZATION)
    )
    assert root_of(space.paper_gramian, REGULARIZATION).ndim == 1
    assert np.abs(turned @ papers.T - plain @ unit_rows(lengthy).T).max() < 1e-5
    assert np.abs(space.term_factors @ papers.T - terms @ unit_rows(lengthy).T).max() < 1e-4
