"""The curve that the probabilities told should have been on, and how well such curves keep."""

import numpy as np

from paperpost.evaluation.reliability import Predictions
from recommender.calibration import Calibration
from recommender.matrices import Booleans
from recommender.metrics import Values

CROSS_FITTED = "curve fitted to other readers"
# Readers are dealt into so many parts, each told of by a curve fitted to the others.
_PARTS = 10
# The data speak for themselves: the default is there for the case that there are none.
_PRIOR_OBSERVATIONS = 1


def calibration_of(predictions: Predictions) -> Calibration:
    """The curve fitted to what came of papers with the default curve's probabilities."""
    told = ~np.isnan(predictions.probabilities)
    return _fitted(predictions.probabilities[told], predictions.liked[told])


def cross_fitted(predictions: Predictions, readers: int) -> Predictions:
    """What curves tell that were fitted to other readers alone: kept if the shape is right.

    The rows are those readers in turn, again and again.
    """
    told = ~np.isnan(predictions.probabilities)
    parts = (np.arange(len(told)) % readers % _PARTS)[:, None]
    fitted = np.full(told.shape, np.nan)
    for part in range(min(readers, _PARTS)):
        others, here = told & (parts != part), told & (parts == part)
        curve = _fitted(predictions.probabilities[others], predictions.liked[others])
        fitted[here] = curve.probabilities(_scores(predictions.probabilities[here]))
    return Predictions(fitted, predictions.liked)


def _fitted(probabilities: Values, liked: Booleans) -> Calibration:
    return Calibration.fitted(_scores(probabilities), liked, prior_observations=_PRIOR_OBSERVATIONS)


def _scores(probabilities: Values) -> Values:
    """The scores of which the default curve tells these."""
    curve = Calibration()
    inside = np.clip(probabilities, 1e-15, 1 - 1e-15)
    return (np.log(inside / (1 - inside)) - curve.intercept) / curve.slope
