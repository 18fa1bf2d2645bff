"""The best papers of some readers, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.matrices import Floats, Integers


@dataclass(frozen=True, slots=True)
class Best:
    """The best papers of some readers, each array readers x limit or all papers, best first.

    `positions` are places in the batch, -1 past a list's end; `scores` are the sums of `parts`.
    `explored` (readers) is the rank of the paper that ends the list in place of the next best
    one, 0 where that one is there.
    """

    positions: Integers
    scores: Floats
    parts: dict[str, Floats]
    explored: Integers

    def of(self, row: int) -> list[int]:
        """One reader's list, without its empty end."""
        return [place for place in self.positions[row].tolist() if place >= 0]

    def only(self, ranks: Sequence[Sequence[int]]) -> "Best":
        """Of each reader's list the papers at these ranks (from 0), in this order."""
        longest = max(map(len, ranks), default=0)
        taken = np.array([[*own, *[-1] * (longest - len(own))] for own in ranks], dtype=np.int32)
        taken = taken.reshape(len(ranks), longest)
        there = taken >= 0
        ranked = np.maximum(taken, 0)
        positions = np.take_along_axis(self.positions, ranked, axis=1)
        parts = {
            name: np.take_along_axis(part, ranked, axis=1) * there
            for name, part in self.parts.items()
        }
        scores = np.take_along_axis(self.scores, ranked, axis=1) * there
        return Best(np.where(there, positions, -1), scores, parts, self.explored)
