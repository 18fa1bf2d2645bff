from dataclasses import replace

import numpy as np
import pytest

from recommender.background import MOST_PAPERS, Background, sampled
from recommender.matrices import Floats, sparse_rows, unit_rows


def crowd_and_loners(crowd: int, loners: int) -> Floats:
    """Unit vectors: many near one axis, others spread over the rest of the room."""
    rng = np.random.default_rng(8)
    near = np.eye(30, dtype=np.float32)[np.zeros(crowd, dtype=int)]
    near = near + 0.05 * rng.standard_normal(near.shape, dtype=np.float32)
    far = rng.standard_normal((loners, 30), dtype=np.float32)
    return unit_rows(np.vstack([near, far]).astype(np.float32))


def background(vectors: Floats) -> Background:
    ids = tuple(f"paper/{number}" for number in range(len(vectors)))
    return Background(ids, sparse_rows(vectors), vectors)


def test_a_paper_among_many_alike_is_more_crowded_than_one_with_its_subject_to_itself() -> None:
    vectors = crowd_and_loners(100, 100)
    crowding = background(vectors).crowding(
        ("a", "b"), sparse_rows(vectors[[0, 150]]), vectors[[0, 150]]
    )
    assert crowding[0] > 0 > crowding[1]


def test_a_paper_is_no_neighbour_of_itself() -> None:
    vectors = crowd_and_loners(0, 40)
    here = background(vectors)
    known = here.crowding(("paper/3",), sparse_rows(vectors[[3]]), vectors[[3]])
    strange = here.crowding(("strange",), sparse_rows(vectors[[3]]), vectors[[3]])
    assert known[0] < strange[0]


def test_a_small_background_tells_less() -> None:
    small, large = crowd_and_loners(20, 20), crowd_and_loners(1_000, 1_000)
    told = [
        abs(background(vectors).crowding(("x",), sparse_rows(vectors[[0]]), vectors[[0]])[0])
        for vectors in (small, large)
    ]
    assert told[0] < told[1] / 4


@pytest.mark.parametrize("papers", [0, 1, 5])
def test_next_to_no_papers_tell_nothing(papers: int) -> None:
    vectors = crowd_and_loners(papers, 0)
    one = crowd_and_loners(1, 0)
    crowding = background(vectors).crowding(("x",), sparse_rows(one), one)
    assert crowding.tolist() == [0]


def test_no_papers_have_no_crowding() -> None:
    vectors = crowd_and_loners(20, 20)
    assert background(vectors).crowding((), sparse_rows(vectors[:0]), vectors[:0]).shape == (0,)


def test_of_many_papers_a_sample_is_kept_and_always_the_same() -> None:
    papers = MOST_PAPERS + 500
    ids = tuple(f"paper/{number}" for number in range(papers))
    factors = np.zeros((papers, 2), dtype=np.float32)
    one, again = (sampled(ids, sparse_rows(np.ones((papers, 1))), factors) for _ in range(2))
    assert len(one.ids) == MOST_PAPERS
    assert one.ids == again.ids


def test_what_is_known_of_a_papers_crowding_is_not_worked_out_again() -> None:
    vectors = crowd_and_loners(20, 20)
    known = np.array([np.nan, 7], dtype=np.float32)
    here = replace(background(vectors), known_crowding=known)
    asked = ("of no place", "not worked out", "known", "learnt later")
    rows = vectors[[0, 1, 2, 3]]
    places = np.array([-1, 0, 1, 2], dtype=np.int32)
    found = here.crowding(asked, sparse_rows(rows), rows, places)
    anew = background(vectors).crowding(asked, sparse_rows(rows), rows)
    np.testing.assert_allclose(found, [anew[0], anew[1], 7, anew[3]], rtol=1e-5)
