"""Paperpost's own ranker, as it ships: the code behind `rank`, from the term counts on."""

from dataclasses import dataclass

import numpy as np

from paperpost.evaluation.scorers import Lists, Ranker
from paperpost.evaluation.splits import Papers, Training
from recommender.batch import Batch
from recommender.blend import SHIPPED, Weights
from recommender.calibration import Calibration
from recommender.matrices import Booleans, SparseRows, entries
from recommender.model import Model
from recommender.profile import Profiles, Reader, Vote
from recommender.rank import best
from recommender.text import Paper


@dataclass(frozen=True, slots=True)
class Shipped:
    """A model, and the papers it was fitted on and the candidates as it sees them."""

    model: Model
    library: Batch
    candidates: Batch

    @classmethod
    def fitted(cls, training: Training, candidates: Papers) -> "Shipped":
        """Fit the model on words and votes."""
        counts, old = training.papers.counts, nameless(training.papers)
        model = Model.fit_counts(counts, old, told_apart(training.terms), training.likes)
        library = model.batch_counts(counts, old)
        return cls(model, library, model.batch_counts(candidates.counts, nameless(candidates)))

    def readers(self, histories: SparseRows) -> list[Reader]:
        """Readers by their histories (readers x training papers)."""
        ids = [paper.id for paper in self.library.papers]
        return [
            Reader(row, votes=tuple(Vote(ids[paper], 1) for paper in entries(histories, row)[0]))
            for row in range(histories.shape[0])
        ]

    def profiles(self, histories: SparseRows) -> Profiles:
        """The profiles of those readers."""
        return self.model.profiles(self.readers(histories), self.library)

    def ranked(self, histories: SparseRows, allowed: Booleans | None, limit: int) -> Lists:
        """The best candidates of those readers."""
        return self.lists(self.profiles(histories), allowed, limit)

    def lists(
        self,
        profiles: Profiles,
        allowed: Booleans | None,
        limit: int,
        weights: Weights = SHIPPED,
    ) -> Lists:
        """The best candidates of each reader; the weights are no part of what is fitted."""
        found = best(profiles, self.candidates, limit=limit, allowed=allowed, weights=weights)
        there = found.positions >= 0
        probabilities = np.where(there, Calibration().probabilities(found.scores), np.nan)
        missing = ((0, 0), (0, limit - found.positions.shape[1]))
        return Lists(
            np.pad(found.positions, missing, constant_values=-1),
            np.pad(probabilities, missing, constant_values=np.nan),
        )


def paperpost(training: Training, candidates: Papers) -> Ranker:
    """Fit the model, see the candidates, and rank them by profiles."""
    return Shipped.fitted(training, candidates).ranked


def told_apart(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Each term once, as text is counted by it: CiteULike-t has two columns of a few words, of
    which the later one gets a name that no text has."""
    first: dict[str, int] = {}
    for column, term in enumerate(terms):
        first.setdefault(term, column)
    return tuple(
        term if first[term] == column else f"{term} ({column})" for column, term in enumerate(terms)
    )


def nameless(papers: Papers) -> tuple[Paper, ...]:
    """Papers of which only the words are known, and those as counts."""
    return tuple(Paper(str(number), title="") for number in papers.numbers)
