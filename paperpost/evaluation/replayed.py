"""What came of a ranker's days in a stream, reader by reader."""

from dataclasses import dataclass

import numpy as np

from paperpost.evaluation.reliability import Predictions
from recommender.matrices import Booleans
from recommender.metrics import Values, mean

METRIC = "precision@10"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one ranker's days, and what it told of the papers it showed.

    `precisions` (readers x days) are hits among the ten papers shown over
    `min(10, how many there were)`, NaN where there was nothing to find or choose. `predictions`
    (days times readers x places) have all readers of a day one after the other.
    """

    precisions: Values
    predictions: Predictions

    @property
    def liked(self) -> Booleans:
        """Which of the papers shown were liked: readers x days x places."""
        readers, days = self.precisions.shape
        return self.predictions.liked.reshape(days, readers, -1).swapaxes(0, 1)


def by_reader(values: Values) -> Values:
    """Each reader's mean over the days that had something for them; NaN without such a day."""
    return np.array([mean(row) for row in values])
