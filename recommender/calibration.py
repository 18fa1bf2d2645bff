"""From a score to the probability of a vote up.

A logistic curve, as Platt fits one to the scores of a classifier ("Probabilistic outputs for
support vector machines", 1999). What is known beforehand enters the fit as observations on the
known curve (Bedrick, Christensen and Johnson, "A new perspective on priors for generalized linear
models", JASA 1996).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.threads import single_threaded_blas

# With as many observations of its own an installation counts as much as the default.
PRIOR_OBSERVATIONS = 200
# A greater score tells no more: it is one rare word's that few of the day's papers have, or a
# followed author's. On the arXiv stream probabilities above a quarter promise too much without
# this bound.
MOST_TELLING = 18.0
# Where the scores of mailed papers lie.
_PRIOR_SCORES = np.linspace(0, MOST_TELLING, 19)

_Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """`probability = 1 / (1 + exp(-(intercept + slope * min(score, MOST_TELLING))))`.

    The default is what `evaluate stream` fits to the votes on the arXiv stream.
    """

    # How many likes a reader has is left out: it lowers the Brier score of readers that the curve
    # was not fitted to by 1.9 % (95 % interval .2 to 3.7).
    intercept: float = -4.03
    slope: float = 0.172

    @classmethod
    def fitted(
        cls,
        scores: npt.ArrayLike,
        liked: npt.ArrayLike,
        prior: "Calibration | None" = None,
        prior_observations: float = PRIOR_OBSERVATIONS,
    ) -> "Calibration":
        """The most likely curve after so many observations on the `prior` one (None: the default)
        and these: papers' scores, and whether each was liked. It never falls.

        Raises ValueError where scores and likes are not of one length, or a score is not finite.
        """
        seen = np.asarray(scores, dtype=np.float64)
        came = np.asarray(liked, dtype=np.float64)
        if seen.shape != came.shape or seen.ndim != 1 or not np.isfinite(seen).all():
            raise ValueError("scores are finite numbers, and each was liked or not")
        prior = prior or cls()
        each = prior_observations / len(_PRIOR_SCORES)
        return _most_likely(
            np.concatenate([np.minimum(seen, MOST_TELLING), _PRIOR_SCORES]),
            np.concatenate([came, prior.probabilities(_PRIOR_SCORES)]),
            np.concatenate([np.ones(len(seen)), np.full(len(_PRIOR_SCORES), each)]),
        )

    def probabilities(self, scores: npt.ArrayLike) -> _Values:
        """Between 0 and 1, greater for greater scores up to MOST_TELLING."""
        telling = np.minimum(np.asarray(scores, dtype=np.float64), MOST_TELLING)
        exponents = self.intercept + self.slope * telling
        return np.asarray(1 / (1 + np.exp(-np.clip(exponents, -50, 50))))


def _most_likely(scores: _Values, shares: _Values, counts: _Values) -> Calibration:
    """The curve under which `shares` of `counts` papers at these scores are likeliest liked."""
    from sklearn.linear_model import LogisticRegression

    likes, others = counts * shares, counts * (1 - shares)
    # Without scikit-learn's penalty: the prior is in the counts.
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8)
    with single_threaded_blas():
        model.fit(
            np.tile(scores, 2)[:, None],
            np.repeat([True, False], len(scores)),
            sample_weight=np.concatenate([likes, others]),
        )
    slope = float(model.coef_[0, 0])
    if slope >= 0:
        return Calibration(float(model.intercept_[0]), slope)
    # A falling curve would tell the best papers to be the worst; of all others the level one is
    # the likeliest.
    return Calibration(float(np.log(likes.sum() / others.sum())), 0.0)
