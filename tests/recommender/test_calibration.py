"""The curve from scores to probabilities: what it learns, and what it keeps whatever came."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.calibration import MOST_TELLING, PRIOR_OBSERVATIONS, Calibration

MAILED = st.lists(st.tuples(st.floats(-20, 60), st.booleans()), max_size=40)


def fitted(mailed: list[tuple[float, bool]], prior: Calibration | None = None) -> Calibration:
    return Calibration.fitted([score for score, _ in mailed], [like for _, like in mailed], prior)


@settings(deadline=None)  # the first fit imports scikit-learn
@given(MAILED)
def test_a_greater_score_is_never_told_a_smaller_probability(
    mailed: list[tuple[float, bool]],
) -> None:
    told = fitted(mailed).probabilities(np.linspace(-100, 100, 50))
    assert (np.diff(told) >= 0).all()
    assert ((told >= 0) & (told <= 1)).all()


@pytest.mark.parametrize("prior", [Calibration(), Calibration(-1.0, 0.4), Calibration(0.5, 0.0)])
def test_where_nothing_was_mailed_the_prior_holds(prior: Calibration) -> None:
    found = fitted([], prior)
    assert (found.intercept, found.slope) == pytest.approx((prior.intercept, prior.slope), abs=1e-3)


@pytest.mark.parametrize("truth", [Calibration(-5.0, 0.3), Calibration(-0.5, 0.05)])
def test_with_many_papers_the_curve_is_what_readers_did(truth: Calibration) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(11, 4, 40_000)
    liked = rng.random(len(scores)) < truth.probabilities(scores)
    found = Calibration.fitted(scores, liked)
    where = np.linspace(5, 17, 5)
    assert found.probabilities(where) == pytest.approx(truth.probabilities(where), abs=0.02)


def test_the_prior_counts_as_so_many_papers() -> None:
    prior = Calibration(0.0, 0.0)  # of which half are liked
    found = fitted([(10.0, True)] * PRIOR_OBSERVATIONS, prior)
    assert found.probabilities(10.0) == pytest.approx(0.75, abs=0.01)


@settings(deadline=None)
@given(MAILED, st.floats(0, 20))
def test_a_like_more_raises_the_probability_at_its_score(
    mailed: list[tuple[float, bool]], score: float
) -> None:
    told = [fitted([*mailed, (score, like)]).probabilities(score) for like in (False, True)]
    assert told[0] < told[1]


def test_data_that_turn_the_scores_round_have_no_say_in_the_slope() -> None:
    found = fitted([(score, score < 10) for score in np.linspace(0, 20, 5000).tolist()])
    assert found.slope == 0
    assert found.probabilities(10.0) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("scores", "liked"), [([1.0], []), ([float("nan")], [True]), ([float("inf")], [True])]
)
def test_what_is_no_observation_is_refused(scores: list[float], liked: list[bool]) -> None:
    with pytest.raises(ValueError, match="scores are finite numbers"):
        Calibration.fitted(scores, liked)


def test_a_score_beyond_what_tells_is_no_more_probable() -> None:
    told = Calibration().probabilities([10, MOST_TELLING, 60]).tolist()
    assert told[0] < told[1] == told[2] < 0.5
