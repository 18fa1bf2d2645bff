"""`bench vote`: a vote to a changed profile, beside implicit's fold-in of the same votes alone."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np

from paperpost.bench.invented import SEED, Corpus, Language, quick_model
from paperpost.bench.peers import Folder
from paperpost.bench.processes import peak_mebibytes
from paperpost.bench.report import Comparison
from recommender.batch import Batch
from recommender.matrices import SparseRows, from_entries
from recommender.model import Model
from recommender.profile import Reader, Vote
from recommender.text import MAX_TERMS

# Every fifth vote of a reader is one down.
_EVERY_DISLIKE = 5


@dataclass(frozen=True, slots=True)
class VoteSizes:
    """How many votes the reader has cast, how often one is timed, and the size of the model."""

    votes: int = 20
    rounds: int = 200
    library: int = 5_000
    terms: int = MAX_TERMS


@dataclass(frozen=True, slots=True)
class Voter:
    """A reader whose last vote comes and goes, and the papers they voted on, seen already."""

    model: Model
    library: Batch
    votes: tuple[Vote, ...]
    columns: tuple[int, ...]

    @classmethod
    def invent(cls, sizes: VoteSizes) -> "Voter":
        """Somebody who votes on random papers."""
        rng = np.random.default_rng(SEED)
        language = Language.invent(sizes.terms, rng)
        corpus = Corpus.invent(language, sizes.library, "paper", rng)
        model = quick_model(corpus, rng)
        chosen = rng.choice(sizes.library, sizes.votes, replace=False)
        voted = [corpus.papers[position] for position in chosen]
        votes = [
            Vote(paper.id, -1 if number % _EVERY_DISLIKE == 0 else 1)
            for number, paper in enumerate(voted, start=1)
        ]
        library = model.batch_counts(corpus.counts[chosen], voted)
        return cls(model, library, tuple(votes), tuple(chosen.tolist()))

    def reader(self, turn: int) -> Reader:
        """The reader with the last vote in even turns, without it in odd ones."""
        return Reader("voter", votes=self.votes[: len(self.votes) - turn % 2])

    def confidences(self, turn: int) -> SparseRows:
        """The same votes as implicit takes them (1 x papers of the model)."""
        settings = self.model.space.spaces[0].settings
        row = {
            column: settings.like_confidence if vote.value > 0 else -settings.dislike_confidence
            for column, vote in zip(self.columns, self.reader(turn).votes, strict=False)
        }
        return from_entries([row], len(self.model.paper_ids))


def bench_vote(sizes: VoteSizes, say: Callable[[str], None]) -> Comparison:
    """One reader's profile, made anew after each vote; implicit folds the reader, no more."""
    say(f"making up {sizes.library:,} papers and a reader with {sizes.votes} votes")
    voter = Voter.invent(sizes)
    folder = Folder(voter.model.space)
    ours, peer = [], []
    for turn in range(sizes.rounds):
        ours.append(_profile_seconds(voter, turn))
        peer.append(_peer_seconds(folder, voter.confidences(turn)))
    details = {
        "votes": sizes.votes,
        "library": sizes.library,
        "rounds": sizes.rounds,
        "slowest_in_a_hundred": float(np.quantile(ours, 0.99)) * 1e3,
        "peak_mebibytes": peak_mebibytes(),
    }
    return Comparison(
        f"a vote to a changed profile, for a reader with {sizes.votes} votes",
        median(ours) * 1e3,
        median(peer) * 1e3,
        "milliseconds",
        "implicit's recalculate_user alone, on one thread",
        details,
    )


def _profile_seconds(voter: Voter, turn: int) -> float:
    started = time.perf_counter()
    voter.model.profiles([voter.reader(turn)], voter.library)
    return time.perf_counter() - started


def _peer_seconds(folder: Folder, votes: SparseRows) -> float:
    started = time.perf_counter()
    folder.fold(votes)
    return time.perf_counter() - started
