"""`bench rank`: the shipped ranking beside implicit's own top-k on the latent half alone, and what
else a digest needs of the recommender: profiles before it, and reasons after it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from paperpost.bench.invented import SEED, Corpus, Language, cast_votes, quick_model
from paperpost.bench.peers import best_by_factors
from paperpost.bench.processes import peak_mebibytes
from paperpost.bench.report import Comparison
from recommender.batch import Batch
from recommender.matrices import Floats, SparseRows, entries
from recommender.model import Model
from recommender.profile import Reader, Vote
from recommender.rank import best, tell
from recommender.text import MAX_TERMS
from recommender.threads import single_threaded_blas

# As many subscribers are ranked at once as when digests are composed.
BLOCK = 1_000
TOP = 20
# A digest's papers come with reasons.
PAPERS_OF_A_DIGEST = 10
_WORDS_OF_A_TITLE = 8


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
    """A model, the day's papers, and votes (readers x papers of the library)."""

    model: Model
    today: Corpus
    library: Corpus
    votes: SparseRows

    @classmethod
    def build(cls, sizes: RankSizes) -> "Stage":
        """Always the same for the same sizes."""
        rng = np.random.default_rng(SEED)
        language = Language.invent(sizes.terms, rng)
        library = Corpus.invent(language, sizes.library, "library", rng)
        today = _with_texts(Corpus.invent(language, sizes.papers, "new", rng))
        model = quick_model(library, rng)
        return cls(model, today, library, cast_votes(library, sizes.subscribers, rng))

    def batch(self) -> Batch:
        """The day's papers, seen anew: what ranking computes on first use is not there yet."""
        return self.model.batch_counts(self.today.counts, self.today.papers)

    def blocks(self) -> Iterator[tuple[list[Reader], Batch]]:
        """All readers, block by block as when digests are composed, and what each voted on."""
        readers = self.votes.shape[0]
        for start in range(0, readers, BLOCK):
            rows = range(start, min(start + BLOCK, readers))
            voted = np.unique(self.votes[rows.start : rows.stop].indices)
            papers = [self.library.papers[position] for position in voted]
            library = self.model.batch_counts(self.library.counts[voted], papers)
            yield [self._reader(number) for number in rows], library

    def _reader(self, number: int) -> Reader:
        papers, values = entries(self.votes, number)
        cast = zip(papers.tolist(), values.tolist(), strict=True)
        votes = (Vote(self.library.papers[paper].id, int(value)) for paper, value in cast)
        return Reader(number, votes=tuple(votes))


@dataclass(slots=True)
class _Round:
    """Seconds of one pass through all readers, and what the peer needs of it."""

    profiles: float = 0.0
    ranking: float = 0.0
    digests: float = 0.0
    reasons: float = 0.0
    terms: int = 0
    folded: list[Floats] = field(default_factory=list)


def bench_rank(sizes: RankSizes, say: Callable[[str], None]) -> Comparison:
    """The best TOP papers of every subscriber, by the shipped blend and by factors alone.

    Profiles are made in blocks as the service makes them. They, the lists of digests and the
    reasons are timed apart from the ranking.
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


def _with_texts(corpus: Corpus) -> Corpus:
    """The same papers with their words as title and abstract, so that there is something to tell
    of them."""
    names, papers = corpus.language.names, []
    for row, paper in enumerate(corpus.papers):
        words = [names[column] for column in entries(corpus.counts, row)[0]]
        title, abstract = words[:_WORDS_OF_A_TITLE], words[_WORDS_OF_A_TITLE:]
        papers.append(replace(paper, title=" ".join(title), abstract=". ".join(abstract)))
    return replace(corpus, papers=tuple(papers))


def _pass_through(stage: Stage, batch: Batch) -> _Round:
    done = _Round()
    exploring = np.full(BLOCK, PAPERS_OF_A_DIGEST, dtype=np.int32)
    for readers, library in stage.blocks():
        started = time.perf_counter()
        profiles = stage.model.profiles(readers, library)
        made = time.perf_counter()
        best(profiles, batch, limit=TOP)
        ranked = time.perf_counter()
        explore = exploring[: len(readers)]
        found = best(profiles, batch, limit=PAPERS_OF_A_DIGEST, explore=explore)
        listed = time.perf_counter()
        tell(profiles, batch, found, None, stage.model.calibration)
        done.profiles += made - started
        done.ranking += ranked - made
        done.digests += listed - ranked
        done.reasons += time.perf_counter() - listed
        done.terms += profiles.whole.tfidf.data.size
        done.folded.append(profiles.whole.folded)
    return done


def _peer_seconds(batch: Batch, folded: Floats) -> float:
    with single_threaded_blas():
        started = time.perf_counter()
        best_by_factors(batch.factors, folded, TOP)
        return time.perf_counter() - started


def _of_digests(done: _Round) -> float:
    """Seconds for all that digests need: profiles, lists with something to explore, reasons."""
    return done.profiles + done.digests + done.reasons


def _compared(sizes: RankSizes, rounds: list[_Round], peer: list[float]) -> Comparison:
    ranking = [done.ranking for done in rounds]
    details = {
        "subscribers": sizes.subscribers,
        "papers": sizes.papers,
        "top": TOP,
        "terms_per_profile": rounds[0].terms / sizes.subscribers,
        "microseconds_per_subscriber": median(ranking) / sizes.subscribers * 1e6,
        "microseconds_per_subscriber_with_reasons": median(map(_of_digests, rounds))
        / sizes.subscribers
        * 1e6,
        "profiles_seconds": median(done.profiles for done in rounds),
        "digests_seconds": median(done.digests for done in rounds),
        "reasons_seconds": median(done.reasons for done in rounds),
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
