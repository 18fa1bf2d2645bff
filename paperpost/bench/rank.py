"""`bench rank`: the shipped ranking beside implicit's own top-k on the latent half alone."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from paperpost.bench.invented import SEED, Corpus, Language, quick_model, tastes
from paperpost.bench.peers import best_by_factors
from paperpost.bench.processes import peak_mebibytes
from paperpost.bench.report import Comparison
from recommender.batch import Batch
from recommender.matrices import Floats, Integers
from recommender.model import Model
from recommender.profile import Profiles, Reader, Vote
from recommender.rank import best
from recommender.text import MAX_TERMS
from recommender.threads import single_threaded_blas

# As many subscribers are ranked at once as when digests are composed.
BLOCK = 500
TOP = 20
_MOST_LIKES = 3


@dataclass(frozen=True, slots=True)
class RankSizes:
    """How much is ranked, and how often; `library` is what may have been liked."""

    subscribers: int = 100_000
    papers: int = 1_000
    rounds: int = 5
    library: int = 20_000
    terms: int = MAX_TERMS


@dataclass(frozen=True, slots=True)
class Stage:
    """A model, the day's papers, and what readers liked (readers x likes, -1: nothing)."""

    model: Model
    today: Corpus
    library: Corpus
    liked: Integers

    @classmethod
    def build(cls, sizes: RankSizes) -> "Stage":
        """Always the same for the same sizes."""
        rng = np.random.default_rng(SEED)
        language = Language.invent(sizes.terms, rng)
        library = Corpus.invent(language, sizes.library, "library", rng)
        today = Corpus.invent(language, sizes.papers, "new", rng)
        model = quick_model(library, rng)
        return cls(model, today, library, _likes(library, sizes.subscribers, rng))

    def batch(self) -> Batch:
        """The day's papers, seen anew: what ranking computes on first use is not there yet."""
        return self.model.batch_counts(self.today.counts, self.today.papers)

    def blocks(self) -> Iterator[Profiles]:
        """The profiles of all readers, made block by block as when digests are composed."""
        for start in range(0, len(self.liked), BLOCK):
            liked = self.liked[start : start + BLOCK]
            voted = np.unique(liked[liked >= 0])
            papers = [self.library.papers[position] for position in voted]
            library = self.model.batch_counts(self.library.counts[voted], papers)
            readers = [self._reader(start + row, own) for row, own in enumerate(liked)]
            yield self.model.profiles(readers, library)

    def _reader(self, number: int, liked: Integers) -> Reader:
        votes = (Vote(self.library.papers[paper].id, 1) for paper in liked if paper >= 0)
        return Reader(number, votes=tuple(votes))


@dataclass(slots=True)
class _Round:
    """Seconds of one pass through all readers, and what the peer needs of it."""

    profiles: float = 0.0
    ranking: float = 0.0
    terms: int = 0
    folded: list[Floats] = field(default_factory=list)


def bench_rank(sizes: RankSizes, say: Callable[[str], None]) -> Comparison:
    """The best TOP papers of every subscriber, by the shipped blend and by factors alone.

    Profiles are made in blocks as the service makes them, and timed apart from the ranking.
    """
    say(f"making up {sizes.library + sizes.papers:,} papers and {sizes.subscribers:,} subscribers")
    stage = Stage.build(sizes)
    rounds: list[_Round] = []
    peer: list[float] = []
    for turn in range(1, sizes.rounds + 1):
        batch = stage.batch()
        rounds.append(_pass_through(stage, batch))
        peer.append(_peer_seconds(batch, np.vstack(rounds[-1].folded)))
        rounds[-1].folded.clear()
        say(f"turn {turn}: {rounds[-1].ranking:.2f} s, implicit {peer[-1]:.2f} s")
    return _compared(sizes, rounds, peer)


def _likes(library: Corpus, readers: int, rng: np.random.Generator) -> Integers:
    """One to three liked papers on each reader's topic, two in the mean; -1 fills the rest."""
    topics = tastes(readers, rng)
    liked = np.stack([library.picked(topics, rng) for _ in range(_MOST_LIKES)], axis=1)
    numbers = rng.binomial(_MOST_LIKES - 1, 0.5, readers) + 1
    liked[np.arange(_MOST_LIKES) >= numbers[:, None]] = -1
    return liked


def _pass_through(stage: Stage, batch: Batch) -> _Round:
    done = _Round()
    started = time.perf_counter()
    for profiles in stage.blocks():
        made = time.perf_counter()
        best(profiles, batch, limit=TOP)
        done.profiles += made - started
        done.ranking += (started := time.perf_counter()) - made
        done.terms += profiles.whole.tfidf.data.size
        done.folded.append(profiles.whole.folded)
    return done


def _peer_seconds(batch: Batch, folded: Floats) -> float:
    with single_threaded_blas():
        started = time.perf_counter()
        best_by_factors(batch.factors, folded, TOP)
        return time.perf_counter() - started


def _compared(sizes: RankSizes, rounds: list[_Round], peer: list[float]) -> Comparison:
    ranking = [done.ranking for done in rounds]
    details = {
        "subscribers": sizes.subscribers,
        "papers": sizes.papers,
        "top": TOP,
        "terms_per_profile": rounds[0].terms / sizes.subscribers,
        "microseconds_per_subscriber": median(ranking) / sizes.subscribers * 1e6,
        "profiles_seconds": median(done.profiles for done in rounds),
        "peak_mebibytes": peak_mebibytes(),
        "rounds": sizes.rounds,
        "ours_each": ranking,
        "peer_each": peer,
    }
    return Comparison(
        f"the best {TOP} of {sizes.papers:,} papers for {sizes.subscribers:,} subscribers",
        median(ranking),
        median(peer),
        "seconds",
        "implicit.cpu.topk.topk on the folded factors alone, BLAS on one thread",
        details,
    )
