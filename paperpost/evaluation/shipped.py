"""Paperpost's own ranker, as it ships: the code behind `rank`, from the term counts on."""

from paperpost.evaluation.scorers import Ranker, padded
from paperpost.evaluation.splits import Papers, Training
from recommender.matrices import Booleans, SparseRows, entries
from recommender.metrics import Positions
from recommender.model import Model
from recommender.profile import Reader, Vote
from recommender.rank import rank
from recommender.text import Paper


def paperpost(training: Training, candidates: Papers) -> Ranker:
    """Fit the model on words and votes, see the candidates, and rank them by profiles."""
    counts, old = training.papers.counts, _nameless(training.papers)
    ids = [paper.id for paper in old]
    model = Model.fit_counts(counts, ids, training.terms, training.likes)
    library = model.batch_counts(counts, old)
    batch = model.batch_counts(candidates.counts, _nameless(candidates))

    def ranker(histories: SparseRows, allowed: Booleans | None, limit: int) -> Positions:
        readers = [
            Reader(row, votes=tuple(Vote(ids[paper], 1) for paper in entries(histories, row)[0]))
            for row in range(histories.shape[0])
        ]
        profiles = model.profiles(readers, library)
        lists = rank(profiles, batch, limit=limit, allowed=allowed, explained=False)
        return padded([[one.index for one in best] for best in lists], limit)

    return ranker


def _nameless(papers: Papers) -> tuple[Paper, ...]:
    """Papers of which only the words are known, and those as counts."""
    return tuple(Paper(str(number), title="") for number in papers.numbers)
