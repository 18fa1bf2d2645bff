import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.matrices import from_entries
from recommender.neighbours import NEAREST, neighbours_of

PAPERS = 6
# Ann and Bob like 0 and 1; Cid likes 0, 1, and 2; Dan likes 3 alone and dislikes 0.
VOTES = from_entries(
    [{0: 1.0, 1: 1.0}, {0: 1.0, 1: 1.0}, {0: 1.0, 1: 1.0, 2: 1.0}, {3: 1.0, 0: -1.0}], PAPERS
)
ALL = np.arange(PAPERS, dtype=np.int32)


def likes(*papers: int) -> dict[int, float]:
    return dict.fromkeys(papers, 1.0)


def test_what_the_readers_of_a_liked_paper_liked_too_is_supported_most() -> None:
    support = neighbours_of(VOTES).towards(ALL).of(from_entries([likes(0)], PAPERS))[0]
    assert support[1] > support[2] > support[3] > support[4] == 0


def test_votes_alone_speak_for_a_paper_to_readers_who_share_no_like() -> None:
    support = neighbours_of(VOTES).towards(ALL).of(from_entries([{}], PAPERS))[0]
    assert support.tolist() == pytest.approx(np.log1p([3, 3, 1, 1, 0, 0]).tolist())


def test_a_dislike_is_no_support() -> None:
    disliked = from_entries([{0: -1.0, 1: 1.0}], PAPERS)
    neighbours = neighbours_of(disliked)
    assert neighbours.votes.tolist() == [0, 1, 0, 0, 0, 0]
    assert not neighbours.steps.data.size


def test_a_paper_that_the_model_was_not_trained_on_has_no_support() -> None:
    papers = np.array([-1, 1], dtype=np.int32)
    support = neighbours_of(VOTES).towards(papers).of(from_entries([likes(0)], PAPERS))[0]
    assert support[0] == 0 < support[1]


def test_one_reader_in_common_is_believed_less_than_many() -> None:
    one = neighbours_of(from_entries([likes(0, 1)], 2))
    many = neighbours_of(from_entries([likes(0, 1)] * 9, 2))
    assert one.steps.data.tolist() == pytest.approx([0.25, 0.25])
    assert many.steps.data.tolist() == pytest.approx([0.45, 0.45])


def test_a_page_shows_no_step_between_papers_of_fewer_than_three_votes() -> None:
    neighbours = neighbours_of(VOTES)
    told = neighbours.between(0, np.array([1, 2, -1], dtype=np.int32))
    assert told[0] > 0
    assert told[1:].tolist() == [0, 0]
    assert neighbours.around(0)[0] == 1


def test_a_paper_keeps_its_nearest_only() -> None:
    papers = NEAREST + 20
    votes = [likes(0, other) for other in range(1, papers)]
    votes += [likes(0, other) for other in range(1, 11)]
    steps = neighbours_of(from_entries(votes, papers)).steps
    kept = steps.indices[: steps.indptr[1]]
    assert len(kept) == NEAREST
    assert set(range(1, 11)) <= set(kept.tolist())


@given(st.lists(st.sets(st.integers(0, 7), max_size=8), max_size=12))
def test_steps_from_a_paper_are_never_certain_and_never_lead_to_itself(
    libraries: list[set[int]],
) -> None:
    steps = neighbours_of(from_entries([likes(*own) for own in libraries], 8)).steps
    dense = np.zeros((8, 8)) + np.asarray(steps @ np.eye(8, dtype=np.float32))
    assert not dense.diagonal().any()
    assert (dense >= 0).all()
    assert (dense.sum(axis=1) <= 1 + 1e-6).all()
