"""The curve that a run's votes make, and what it tells of readers it was not fitted to."""

import numpy as np
import pytest

from paperpost.evaluation.recalibration import calibration_of, cross_fitted
from paperpost.evaluation.reliability import Predictions, reliability_of
from recommender.calibration import Calibration

TRUTH = Calibration(-4.0, 0.3)


def told_by_default(readers: int) -> Predictions:
    """Of ten papers each, which are liked as TRUTH says."""
    rng = np.random.default_rng(0)
    scores = rng.normal(10, 4, (readers, 10))
    liked = rng.random(scores.shape) < TRUTH.probabilities(scores)
    return Predictions(Calibration().probabilities(scores), liked)


def test_the_curve_behind_the_votes_is_found() -> None:
    found = calibration_of(told_by_default(2000))
    assert (found.intercept, found.slope) == pytest.approx((-4.0, 0.3), abs=0.15)


def test_curves_fitted_to_others_are_kept_where_the_default_is_not() -> None:
    told = told_by_default(500)
    assert reliability_of(told).calibration_error > 0.1
    assert reliability_of(cross_fitted(told, 500)).calibration_error < 0.05


def test_nothing_that_a_reader_did_changes_what_is_told_of_them() -> None:
    told = told_by_default(30)
    turned = told.liked.copy()
    turned[7::15] = ~turned[7::15]  # both days of a reader of fifteen
    before, after = (
        cross_fitted(Predictions(told.probabilities, liked), 15).probabilities
        for liked in (told.liked, turned)
    )
    assert before[7::15].tolist() == after[7::15].tolist()
    assert (before[8::15] != after[8::15]).all()


def test_places_without_a_probability_stay_without_one() -> None:
    told = told_by_default(3)
    told.probabilities[1, 6:] = np.nan
    fitted = cross_fitted(told, 3).probabilities
    assert np.isnan(fitted).tolist() == np.isnan(told.probabilities).tolist()


def test_a_single_reader_has_nobody_to_learn_from() -> None:
    told = told_by_default(2)
    assert cross_fitted(told, 1).probabilities == pytest.approx(told.probabilities, abs=1e-3)
