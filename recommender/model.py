"""The model: what is learnt from papers and votes, kept in a snapshot, and used to see papers.

It holds words and papers, never a reader: those are folded from their votes when needed.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import compress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recommender.background import Background, sampled
from recommender.batch import Batch
from recommender.calibration import Calibration
from recommender.duplicates import headings_of
from recommender.errors import SnapshotError
from recommender.factors import FactorSettings
from recommender.forgetting import Forgotten, TermIndex, forgotten
from recommender.headings import Headings
from recommender.matrices import (
    Floats,
    Integers,
    SparseRows,
    all_stacked,
    from_entries,
)
from recommender.model_file import fields_in, is_whole, parts_of
from recommender.neighbours import Neighbours, neighbours_of, no_neighbours
from recommender.profile import Profiles, Reader, build_profiles, keywords_of, votes_on
from recommender.seen import Seen, apart, interleaved, together
from recommender.snapshot import Arrays, read_opened, read_snapshot, write_snapshot
from recommender.spaces import SPACES, JointSpace, factorise_jointly
from recommender.text import (
    MAX_TERMS,
    Paper,
    Vocabulary,
    learn_terms,
    learn_weights,
)
from recommender.threads import single_threaded_blas

Progress = Callable[[str], None]

# Of a keyword 2 kB are kept: 40 MB.
_MOST_SEEDS = 20_000


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a model is fitted."""

    max_terms: int = MAX_TERMS
    spaces: tuple[FactorSettings, ...] = SPACES


@dataclass(frozen=True)
class Model:
    """What is learnt, and the papers that are known.

    `paper_ids`, `titles`, `tfidf` (papers x terms), the factors in `space` and `headings` are of
    the known papers, in one order: first those that it was fitted on, then those that were folded
    in.
    """

    vocabulary: Vocabulary
    space: JointSpace
    paper_ids: tuple[str, ...]
    titles: tuple[str, ...]
    tfidf: SparseRows
    background: Background
    neighbours: Neighbours
    headings: Headings
    calibration: Calibration = field(default_factory=Calibration)

    @classmethod
    def fit(
        cls,
        papers: Sequence[Paper],
        readers: Sequence[Reader],
        *,
        settings: ModelSettings | None = None,
        progress: Progress | None = None,
    ) -> "Model":
        """Learn from the papers' words and the readers' votes; either may be empty."""
        positions = {paper.id: position for position, paper in enumerate(papers)}
        voted = [votes_on(reader.votes, positions) for reader in readers]
        votes = from_entries([row for row in voted if row], len(papers))
        return cls.fit_votes(papers, votes, settings=settings, progress=progress)

    @classmethod
    def fit_votes(
        cls,
        papers: Sequence[Paper],
        votes: SparseRows,
        *,
        settings: ModelSettings | None = None,
        progress: Progress | None = None,
        neighbours: bool = True,
    ) -> "Model":
        """Learn from the papers' words and from votes (readers x papers, +1 and -1); without
        `neighbours` for who tells those by `with_votes`."""
        settings = settings or ModelSettings()
        _tell(progress, f"reading {len(papers):,} papers")
        terms, counts = learn_terms([paper.text for paper in papers], settings.max_terms)
        return cls.fit_counts(
            counts,
            papers,
            terms,
            votes,
            settings=settings,
            progress=progress,
            neighbours=neighbours,
        )

    @classmethod
    def fit_counts(
        cls,
        counts: SparseRows,
        papers: Sequence[Paper],
        terms: Sequence[str],
        votes: SparseRows,
        *,
        settings: ModelSettings | None = None,
        progress: Progress | None = None,
        neighbours: bool = True,
    ) -> "Model":
        """Learn from term counts (papers x terms) and votes (readers x papers, +1 and -1); without
        `neighbours` for who tells those by `with_votes`."""
        ids, titles = _names_of(papers)
        if len(set(ids)) != len(ids):
            raise ValueError("a paper stands twice among those to learn from")
        if counts.shape != (len(ids), len(terms)) or votes.shape[1] != len(ids):
            raise ValueError(f"counts {counts.shape} and votes {votes.shape} do not fit together")
        settings = settings or ModelSettings()
        vocabulary = learn_weights(terms, counts)
        _tell(progress, f"learning from {len(terms):,} terms and {votes.data.size:,} votes")
        tfidf = vocabulary.weigh(counts)
        space = factorise_jointly(tfidf, votes, settings.spaces, partial(_tell, progress))
        background = sampled(ids, tfidf, space.paper_factors)
        told = neighbours_of(votes) if neighbours else no_neighbours(len(ids))
        headings = headings_of(papers)
        return cls(vocabulary, space, ids, titles, tfidf, background, told, headings)

    def knowing(self, others: Iterable[Batch]) -> "Model":
        """The same model with more papers that it knows, as it saw them part by part.

        Raises ValueError if one of them is known already.
        """
        names: list[Paper] = []
        tfidf, factors = [self.tfidf], []
        for batch in others:
            names += batch.papers
            tfidf.append(batch.tfidf)
            factors.append(batch.factors)
        ids, titles = _names_of(names)
        known = self.paper_ids + ids
        if len(set(known)) != len(known):
            raise ValueError("a paper that is to be known is known already")
        return replace(
            self,
            paper_ids=known,
            titles=self.titles + titles,
            tfidf=all_stacked(tfidf),
            space=self.space.with_papers(factors),
            neighbours=self.neighbours.with_more(len(ids)),
            headings=self.headings.with_more(headings_of(names)),
        )

    def with_votes(self, votes: SparseRows) -> "Model":
        """The same model with other votes (readers x known papers, +1 and -1) for its neighbours:
        more than it was fitted on."""
        return replace(self, neighbours=neighbours_of(votes))

    def with_crowding(self, places: Integers) -> "Model":
        """The same model, which has worked out how crowded it is around the known papers at these
        places: those that will be candidates, for each process that ranks would do it again."""
        known = np.full(len(self.paper_ids), np.nan, dtype=np.float32)
        ids = [self.paper_ids[place] for place in places.tolist()]
        factors = self.space.paper_factors[places]
        known[places] = self.background.crowding(ids, self.tfidf[places], factors)
        usual = self.background.usual
        background = replace(self.background, known_crowding=known, known_usual=usual)
        return replace(self, background=background)

    def places(self, paper_ids: Sequence[str]) -> Integers:
        """Where papers stand among the known ones, -1 for those that are not known."""
        known = self._known
        return np.array([known.get(paper_id, -1) for paper_id in paper_ids], dtype=np.int32)

    def seen(self, places: Integers) -> Batch:
        """Known papers by their places, without their texts: what `batch` gives for the texts that
        they were learnt from. Raises ValueError for a place that there is not."""
        if len(places) and not 0 <= places.min() <= places.max() < len(self.paper_ids):
            raise ValueError("there is no known paper at such a place")
        papers = [self._papers[place] for place in places.tolist()]
        return self._seen(papers, self.tfidf[places], places)

    def batch(self, papers: Sequence[Paper], learnt: Integers | None = None) -> Batch:
        """See papers, trained or not, as this model does.

        `learnt` (papers) are the places of those whose texts are still the ones that it learnt,
        -1 for others: their words are not counted again, which is what takes longest.
        """
        if learnt is None:
            counts = self.vocabulary.count([paper.text for paper in papers])
            return self.batch_counts(counts, papers)
        is_learnt = learnt >= 0
        told = replace(self.seen(learnt[is_learnt]), papers=tuple(compress(papers, is_learnt)))
        return interleaved(told, self.batch(tuple(compress(papers, ~is_learnt))), is_learnt)

    def batch_counts(self, counts: SparseRows, papers: Sequence[Paper]) -> Batch:
        """As `batch`, with the term counts (papers x terms) at hand."""
        tfidf = self.vocabulary.weigh(counts)
        return self._seen(papers, tfidf, self.places([paper.id for paper in papers]))

    def profiles(self, readers: Sequence[Reader], library: Batch) -> Profiles:
        """Readers as this model sees them; `library` holds the papers they voted on."""
        with single_threaded_blas():
            seeds = self.seeds(keywords_of(readers))
            return build_profiles(readers, library, seeds, self.space, self._forgotten(readers))

    def _forgotten(self, readers: Sequence[Reader]) -> dict[int, Forgotten]:
        """What readers have forgotten, by their place, of those who have."""
        words = {
            place: reader.interests.forgotten
            for place, reader in enumerate(readers)
            if reader.interests.forgotten
        }
        terms = len(self.vocabulary.terms)
        return {
            place: forgotten(own, self._term_index, terms, self.seeds(own).factors)
            for place, own in words.items()
        }

    @cached_property
    def _term_index(self) -> TermIndex:
        return TermIndex(self.vocabulary.terms)

    def seeds(self, keywords: Sequence[str]) -> Batch:
        """A pseudo-paper for each keyword. Many readers have the same ones, so they are kept."""
        kept = self._kept_seeds
        new = [keyword for keyword in dict.fromkeys(keywords) if keyword not in kept]
        found = {keyword: kept[keyword] for keyword in keywords if keyword in kept}
        found |= dict(zip(new, self._made_seeds(new), strict=True))
        if len(kept) + len(new) > _MOST_SEEDS:  # anybody may ask for anything
            kept.clear()
        kept.update(found)
        return together(self, [found[keyword] for keyword in keywords])

    def _made_seeds(self, keywords: Sequence[str]) -> list[Seen]:
        """Each with the same numbers to the bit whichever come with it."""
        if not keywords:
            return []
        tfidf = self.vocabulary.weigh(self.vocabulary.count(keywords))
        unknown = np.full(len(keywords), -1, dtype=np.int32)
        return apart(self._seen([Paper(one, one) for one in keywords], tfidf, unknown))

    @cached_property
    def _kept_seeds(self) -> dict[str, Seen]:
        return {}

    @cached_property
    def nothing(self) -> Batch:
        """No papers."""
        return self.batch(())

    @cached_property
    def key(self) -> str:
        """Tells this space from any other, also between processes."""
        digest = hashlib.sha256(np.ascontiguousarray(self.vocabulary.idf).data)
        digest.update(np.ascontiguousarray(self.space.paper_factors).data)
        return digest.hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write the snapshot in one step; OSError when that is impossible."""
        write_snapshot(path, *parts_of(self))

    @classmethod
    def load(cls, path: Path) -> "Model":
        """The model of a snapshot; SnapshotError when there is none that can be read."""
        return cls._of(path, *read_snapshot(path))

    @classmethod
    def read(cls, file: BinaryIO, path: Path) -> "Model":
        """The same from an open file of the system; `path` is what errors call it."""
        return cls._of(path, *read_opened(file, path))

    @classmethod
    def _of(cls, path: Path, header: dict[str, Any], arrays: Arrays) -> "Model":
        try:
            model = cls(**fields_in(header, arrays))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise SnapshotError(path, "it lacks a part of a model") from error
        if not is_whole(model):
            raise SnapshotError(path, "its parts do not fit together")
        return model

    @cached_property
    def _papers(self) -> tuple[Paper, ...]:
        """The known papers without their texts: readers of one block voted on thousands of them."""
        return tuple(map(Paper, self.paper_ids, self.titles))

    @cached_property
    def _known(self) -> dict[str, int]:
        return {paper_id: position for position, paper_id in enumerate(self.paper_ids)}

    def _seen(self, papers: Sequence[Paper], tfidf: SparseRows, trained: Integers) -> Batch:
        return Batch(
            papers=tuple(papers),
            tfidf=tfidf,
            factors=self._factors(tfidf, trained),
            trained=trained,
            terms=self.vocabulary.terms,
            space=self.key,
            background=self.background,
            neighbours=self.neighbours,
        )

    def _factors(self, tfidf: SparseRows, trained: Integers) -> Floats:
        # Trained factors know who liked a paper, folded ones only its words: on CiteULike-t
        # nDCG@10 .206 against .204.
        if not self.space.papers:
            return self.space.fold_papers(tfidf)
        unknown = np.flatnonzero(trained < 0)
        factors = self.space.paper_factors[trained]  # the last one's for those of none
        if unknown.size:
            factors[unknown] = self.space.fold_papers(tfidf[unknown])
        return factors


def _names_of(papers: Sequence[Paper]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids and the titles."""
    return tuple(paper.id for paper in papers), tuple(paper.title for paper in papers)


def _tell(progress: Progress | None, message: str) -> None:
    if progress is not None:
        progress(message)
