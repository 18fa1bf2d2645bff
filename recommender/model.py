"""The model: what is learnt from papers and votes, kept in a snapshot, and used to see papers.

It holds words and papers, never a reader: those are folded from their votes when needed.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from recommender.background import Background, sampled
from recommender.batch import Batch
from recommender.blend import BLEND
from recommender.calibration import Calibration
from recommender.errors import SnapshotError
from recommender.factors import FactorSettings, Space
from recommender.forgetting import Forgotten, TermIndex, forgotten
from recommender.matrices import (
    Floats,
    Integers,
    SparseRows,
    from_entries,
    from_parts,
)
from recommender.neighbours import Neighbours, neighbours_of
from recommender.profile import Profiles, Reader, build_profiles, keywords_of, votes_on
from recommender.snapshot import Arrays, read_snapshot, write_snapshot
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

# What a snapshot holds of each space, by the names of its fields.
_OF_A_SPACE = ("term_factors", "paper_factors", "paper_gramian")
# And of each sparse matrix.
_OF_ROWS = ("data", "indices", "indptr")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a model is fitted."""

    max_terms: int = MAX_TERMS
    spaces: tuple[FactorSettings, ...] = SPACES


@dataclass(frozen=True)
class Model:
    """What is learnt; `paper_ids` are the trained papers in the order of their factors."""

    vocabulary: Vocabulary
    space: JointSpace
    paper_ids: tuple[str, ...]
    background: Background
    neighbours: Neighbours
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
        settings = settings or ModelSettings()
        _tell(progress, f"reading {len(papers):,} papers")
        terms, counts = learn_terms([paper.text for paper in papers], settings.max_terms)
        ids = [paper.id for paper in papers]
        positions = {paper_id: position for position, paper_id in enumerate(ids)}
        voted = [votes_on(reader.votes, positions) for reader in readers]
        votes = from_entries([row for row in voted if row], len(papers))
        return cls.fit_counts(counts, ids, terms, votes, settings=settings, progress=progress)

    @classmethod
    def fit_counts(
        cls,
        counts: SparseRows,
        paper_ids: Sequence[str],
        terms: Sequence[str],
        votes: SparseRows,
        *,
        settings: ModelSettings | None = None,
        progress: Progress | None = None,
    ) -> "Model":
        """Learn from term counts (papers x terms) and votes (readers x papers, +1 and -1)."""
        if len(set(paper_ids)) != len(paper_ids):
            raise ValueError("a paper stands twice among those to learn from")
        if counts.shape != (len(paper_ids), len(terms)) or votes.shape[1] != len(paper_ids):
            raise ValueError(f"counts {counts.shape} and votes {votes.shape} do not fit together")
        settings = settings or ModelSettings()
        vocabulary = learn_weights(terms, counts)
        _tell(progress, f"learning from {len(terms):,} terms and {votes.data.size:,} votes")
        tfidf = vocabulary.weigh(counts)
        space = factorise_jointly(tfidf, votes, settings.spaces, partial(_tell, progress))
        background = sampled(tuple(paper_ids), tfidf, space.paper_factors)
        return cls(vocabulary, space, tuple(paper_ids), background, neighbours_of(votes))

    def batch(self, papers: Sequence[Paper]) -> Batch:
        """See papers, trained or not, as this model does."""
        counts = self.vocabulary.count([paper.text for paper in papers])
        return self.batch_counts(counts, papers)

    def batch_counts(self, counts: SparseRows, papers: Sequence[Paper]) -> Batch:
        """As `batch`, with the term counts (papers x terms) at hand."""
        tfidf = self.vocabulary.weigh(counts)
        trained = [self._trained.get(paper.id, -1) for paper in papers]
        return self._seen(papers, tfidf, np.array(trained, dtype=np.int32))

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
        """A pseudo-paper for each keyword."""
        if not keywords:
            return self._nothing
        tfidf = self.vocabulary.weigh(self.vocabulary.count(keywords))
        papers = [Paper(keyword, keyword) for keyword in keywords]
        return self._seen(papers, tfidf, np.full(len(papers), -1, dtype=np.int32))

    @cached_property
    def _nothing(self) -> Batch:
        return self.batch(())

    @cached_property
    def key(self) -> str:
        """Tells this space from any other, also between processes."""
        digest = hashlib.sha256(self.vocabulary.idf.tobytes())
        digest.update(self.space.paper_factors.tobytes())
        return digest.hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write the snapshot in one step; OSError when that is impossible."""
        header = {
            "terms": self.vocabulary.terms,
            "papers": self.paper_ids,
            "background": self.background.ids,
            "spaces": [asdict(space.settings) for space in self.space.spaces],
            "calibration": {"blend": BLEND, **asdict(self.calibration)},
        }
        arrays: Arrays = {
            "idf": self.vocabulary.idf,
            "neighbours_votes": self.neighbours.votes,
        }
        arrays |= _arrays_of("background", self.background.tfidf)
        arrays |= _arrays_of("neighbours", self.neighbours.steps)
        for number, space in enumerate(self.space.spaces):
            arrays |= {f"{name}_{number}": getattr(space, name) for name in _OF_A_SPACE}
        write_snapshot(path, header, arrays)

    @classmethod
    def load(cls, path: Path) -> "Model":
        """The model of a snapshot; SnapshotError when there is none that can be read."""
        header, arrays = read_snapshot(path)
        try:
            model = cls._read(header, arrays)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise SnapshotError(path, "it lacks a part of a model") from error
        if not model._is_whole():
            raise SnapshotError(path, "its parts do not fit together")
        return model

    @classmethod
    def _read(cls, header: dict[str, Any], arrays: Arrays) -> "Model":
        vocabulary = Vocabulary(tuple(header["terms"]), arrays["idf"])
        spaces = tuple(
            Space(
                settings=FactorSettings(**settings),
                **{name: arrays[f"{name}_{number}"] for name in _OF_A_SPACE},
            )
            for number, settings in enumerate(header["spaces"])
        )
        space, papers = JointSpace(spaces), tuple(header["papers"])
        places = {paper_id: place for place, paper_id in enumerate(papers)}
        tfidf = _rows_in(arrays, "background", len(vocabulary.terms))
        factors = space.paper_factors[[places[paper_id] for paper_id in header["background"]]]
        background = Background(tuple(header["background"]), tfidf, factors)
        steps = _rows_in(arrays, "neighbours", len(papers))
        neighbours = Neighbours(steps, arrays["neighbours_votes"])
        calibration = _calibration_in(header)
        return cls(vocabulary, space, papers, background, neighbours, calibration)

    def _is_whole(self) -> bool:
        terms, papers = len(self.vocabulary.terms), len(self.paper_ids)
        return (
            self.vocabulary.idf.shape == (terms,)
            and self.background.tfidf.shape == (len(self.background.ids), terms)
            and self.neighbours.steps.shape == (papers, papers)
            and self.neighbours.votes.shape == (papers,)
            and all(space.is_for(terms, papers) for space in self.space.spaces)
        )

    @cached_property
    def _trained(self) -> dict[str, int]:
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
        factors = np.zeros((len(trained), self.space.paper_factors.shape[1]), dtype=np.float32)
        known, unknown = np.flatnonzero(trained >= 0), np.flatnonzero(trained < 0)
        factors[known] = self.space.paper_factors[trained[known]]
        factors[unknown] = self.space.fold_papers(tfidf[unknown])
        return factors


def _calibration_in(header: dict[str, Any]) -> Calibration:
    """The snapshot's curve; the default where it has none, or one for scores of another blend."""
    match header.get("calibration"):
        case {"blend": blend, "intercept": intercept, "slope": slope} if blend == BLEND:
            return Calibration(float(intercept), float(slope))
        case _:
            return Calibration()


def _arrays_of(name: str, rows: SparseRows) -> Arrays:
    return {f"{name}_{part}": getattr(rows, part) for part in _OF_ROWS}


def _rows_in(arrays: Arrays, name: str, columns: int) -> SparseRows:
    data, indices, indptr = (arrays[f"{name}_{part}"] for part in _OF_ROWS)
    return from_parts(data, indices, indptr, columns)


def _tell(progress: Progress | None, message: str) -> None:
    if progress is not None:
        progress(message)
