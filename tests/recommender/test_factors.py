import numpy as np
import pytest

from recommender.factors import FactorSettings, Space, factorise
from recommender.matrices import Floats, SparseRows, from_entries, sparse_rows, unit_rows

SETTINGS = FactorSettings(factors=8, threads=1)


def checkerboard(size: int, *, without_diagonal: bool) -> SparseRows:
    """Even readers like even papers, odd ones odd papers; perhaps not the one of their number."""
    reader, paper = np.indices((size, size))
    likes = (reader + paper) % 2 == 0
    return sparse_rows(np.where(likes & ~(without_diagonal & (reader == paper)), 1.0, 0.0))


def space_of_likes(votes: SparseRows) -> tuple[Space, Floats]:
    return factorise(sparse_rows(np.zeros((votes.shape[1], 0))), votes, SETTINGS)


def test_the_paper_withheld_from_a_checkerboard_comes_before_all_of_the_other_colour() -> None:
    votes = checkerboard(20, without_diagonal=True)
    space, papers = space_of_likes(votes)
    scores = space.fold_readers(votes, papers) @ papers.T
    for reader in range(20):
        other_colour = [paper for paper in range(20) if (paper + reader) % 2]
        assert scores[reader, reader] > scores[reader, other_colour].max()


def test_a_dislike_turns_a_reader_away() -> None:
    space, papers = space_of_likes(checkerboard(20, without_diagonal=False))
    neutral, averse = space.fold_readers(
        from_entries([{0: 1, 1: 1}, {0: 1, 1: 1, 3: -1}], 20), papers
    )
    assert averse @ papers[5] < neutral @ papers[5]
    assert averse @ papers[4] > neutral @ papers[4]


def test_the_same_input_gives_the_same_factors() -> None:
    votes = checkerboard(12, without_diagonal=True)
    again = [space_of_likes(votes)[1] for _ in range(2)]
    assert np.array_equal(again[0], again[1])


def test_a_paper_folded_in_from_its_words_lies_where_training_put_it() -> None:
    rng = np.random.default_rng(3)
    tfidf = sparse_rows(unit_rows(rng.random((60, 30), dtype=np.float32) ** 8))
    space, papers = factorise(tfidf, from_entries([], 60), FactorSettings(iterations=30))
    cosines = np.sum(space.fold_papers(tfidf) * papers, axis=1)
    assert cosines.min() > 0.98


def test_folding_one_reader_or_many_gives_the_same() -> None:
    votes = checkerboard(20, without_diagonal=True)
    space, papers = space_of_likes(votes)
    many = from_entries([{reader % 20: 1.0} for reader in range(100)], 20)
    alone = np.vstack([space.fold_readers(many[[row]], papers) for row in range(100)])
    assert np.allclose(space.fold_readers(many, papers), alone, atol=1e-5)


def test_votes_that_are_wider_than_the_papers_are_refused() -> None:
    space, papers = space_of_likes(checkerboard(6, without_diagonal=False))
    with pytest.raises(ValueError, match="7 columns for 6 factor rows"):
        space.fold_readers(from_entries([{6: 1.0}], 7), papers)


def test_a_reader_without_votes_is_a_row_of_zeros() -> None:
    space, papers = space_of_likes(checkerboard(6, without_diagonal=False))
    assert not space.fold_readers(from_entries([{}], 6), papers).any()
