"""What trends: the laws of the score, and what it makes of a few cases."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.trending import FEWEST, Trend, Upvotes, Votes, trend

AGES = st.floats(0, 400)
SPANS = st.builds(Votes, AGES, st.integers(0, 50), st.integers(0, 50))
VOTES = st.lists(SPANS, max_size=6)
UPVOTES = st.builds(Upvotes, st.integers(0, 1000), AGES)
HALF_LIVES = st.floats(0.5, 30)
ROUNDING = 1 + 1e-9


@given(VOTES, UPVOTES, HALF_LIVES, AGES)
def test_a_vote_more_never_lowers_and_a_vote_down_never_raises(
    votes: list[Votes], upvotes: Upvotes, half_life: float, age: float
) -> None:
    before = trend(votes, upvotes, half_life).score
    assert before <= trend([*votes, Votes(age, ups=1)], upvotes, half_life).score * ROUNDING
    assert trend([*votes, Votes(age, downs=1)], upvotes, half_life).score <= before * ROUNDING


@given(VOTES, UPVOTES, HALF_LIVES)
def test_an_upvote_more_never_lowers(
    votes: list[Votes], upvotes: Upvotes, half_life: float
) -> None:
    more = replace(upvotes, count=upvotes.count + 1)
    before = trend(votes, upvotes, half_life).score
    assert before <= trend(votes, more, half_life).score * ROUNDING


@given(VOTES, UPVOTES, HALF_LIVES, AGES)
def test_time_alone_never_raises_and_never_makes_a_score_negative(
    votes: list[Votes], upvotes: Upvotes, half_life: float, days: float
) -> None:
    later = [replace(some, age=some.age + days) for some in votes]
    before = trend(votes, upvotes, half_life)
    after = trend(later, replace(upvotes, age=upvotes.age + days), half_life)
    assert 0 <= after.score <= before.score * ROUNDING
    assert (after.readers, after.upvotes) == (before.readers, before.upvotes)


@given(VOTES, UPVOTES, VOTES, UPVOTES, st.floats(0, 20))
def test_two_papers_without_new_votes_keep_their_order(
    one: list[Votes], here: Upvotes, two: list[Votes], there: Upvotes, days: float
) -> None:
    def score(votes: list[Votes], upvotes: Upvotes, more: float) -> float:
        older = [replace(some, age=some.age + more) for some in votes]
        return trend(older, replace(upvotes, age=upvotes.age + more), 7.0).score

    first, second = score(one, here, 0), score(two, there, 0)
    if first > second * 1.001:
        assert score(one, here, days) >= score(two, there, days)


@given(st.integers(0, FEWEST - 1), st.integers(0, 9), st.integers(0, FEWEST - 1), AGES)
def test_too_few_votes_here_or_elsewhere_leave_no_trace(
    net: int, downs: int, upvotes: int, age: float
) -> None:
    few = [Votes(age, ups=net + downs, downs=downs)]
    assert trend(few, Upvotes(upvotes), 7) == Trend(0.0, 0, 0)


def test_half_of_a_score_is_left_after_a_half_life() -> None:
    fresh = trend([Votes(0, ups=8)], Upvotes(31, 0), 7)
    week_old = trend([Votes(7, ups=8)], Upvotes(31, 7), 7)
    assert week_old.score == pytest.approx(fresh.score / 2)


def test_few_votes_are_believed_less_than_many() -> None:
    believed = [trend([Votes(0, ups=ups)], Upvotes(), 7).score / ups for ups in (3, 10, 98)]
    assert believed == pytest.approx([3 / 5, 10 / 12, 0.98])


def test_seven_upvotes_elsewhere_weigh_as_three_votes_here() -> None:
    here = trend([Votes(2, ups=3)], Upvotes(), 7)
    elsewhere = trend([], Upvotes(7, 2), 7)
    assert here.score == pytest.approx(elsewhere.score)
    assert (here, elsewhere) == (Trend(here.score, 3, 0), Trend(elsewhere.score, 0, 7))


def test_a_vote_dated_ahead_weighs_as_one_of_now() -> None:
    assert trend([Votes(-3, ups=5)], Upvotes(9, -1), 7) == trend([Votes(0, ups=5)], Upvotes(9), 7)
