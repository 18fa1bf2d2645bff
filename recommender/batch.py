"""Papers as a model sees them: the form in which candidates and voted papers come in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from recommender.background import Background
from recommender.duplicates import Group, groups
from recommender.matrices import (
    Booleans,
    Columns,
    Floats,
    Integers,
    SparseRows,
    entries,
)
from recommender.neighbours import Neighbours, Support
from recommender.paper_terms import PaperTerms, is_telling, plain
from recommender.phrases import PhraseIndex, normal_phrase
from recommender.text import Paper, phrases

# To make one takes as long as to rank a thousand readers.
_MOST_PARTS = 4


@dataclass(frozen=True, slots=True)
class PartOf:
    """What a part of a batch knows of the whole: its papers' columns there, how crowded it is
    around them, which of them are one work, what stands where, and each paper's telling terms. Not
    the whole itself, which holds its parts."""

    columns: npt.NDArray[np.intp]
    crowding: Floats
    duplicates: tuple[Group, ...]
    index: PhraseIndex
    telling_terms: dict[str, PaperTerms]


@dataclass(frozen=True)
class Batch:
    """Papers, their TF-IDF rows (papers x terms) and unit-length factors (papers x factors).

    `trained` are their places among the papers that the model was trained on, -1 for none. `space`
    names the model that made it: batches and profiles of two models cannot be compared. A part of
    a larger batch knows of it what its papers alone would not tell.
    """

    papers: tuple[Paper, ...]
    tfidf: SparseRows
    factors: Floats
    trained: Integers
    terms: Sequence[str]
    space: str
    background: Background
    neighbours: Neighbours
    part_of: "PartOf | None" = None

    def __len__(self) -> int:
        return len(self.papers)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each paper id stands."""
        return {paper.id: position for position, paper in enumerate(self.papers)}

    @cached_property
    def words(self) -> Columns:
        """TF-IDF as a product with profiles needs it."""
        return Columns(self.tfidf)

    @cached_property
    def crowding(self) -> Floats:
        """How many papers like it each paper has (papers), as a standard score."""
        if self.part_of:
            return self.part_of.crowding
        ids = tuple(paper.id for paper in self.papers)
        return self.background.crowding(ids, self.tfidf, self.factors, self.trained)

    @cached_property
    def support(self) -> Support:
        """What the votes the model was trained on say of each paper."""
        return self.neighbours.towards(self.trained)

    @cached_property
    def index(self) -> PhraseIndex:
        """Exact phrases, authors and categories."""
        return self.part_of.index if self.part_of else PhraseIndex(self.papers)

    @cached_property
    def duplicates(self) -> tuple[Group, ...]:
        """The works that stand more than once here."""
        return self.part_of.duplicates if self.part_of else groups(self.papers)

    @cached_property
    def copies(self) -> dict[int, Group]:
        """For each paper that is not the only copy of its work, all of them, itself included."""
        return {copy: group for group in self.duplicates for copy in group}

    def part(self, columns: Booleans) -> "Batch":
        """The papers in these columns alone, which are the same for many readers: the last few
        parts are kept. What is told by all the papers stays as it is."""
        key = columns.tobytes()
        found = self._parts.pop(key, None) or self._made_part(np.flatnonzero(columns))
        while len(self._parts) >= _MOST_PARTS:
            del self._parts[next(iter(self._parts))]
        self._parts[key] = found
        return found

    @cached_property
    def _parts(self) -> "dict[bytes, Batch]":
        return {}

    def _made_part(self, columns: npt.NDArray[np.intp]) -> "Batch":
        places = {column: place for place, column in enumerate(columns.tolist())}
        left = [tuple(places[one] for one in own if one in places) for own in self.duplicates]
        return replace(
            self,
            papers=tuple(self.papers[column] for column in columns.tolist()),
            tfidf=self.tfidf[columns],
            factors=self.factors[columns],
            trained=self.trained[columns],
            part_of=PartOf(
                columns,
                self.crowding[columns],
                tuple(group for group in left if len(group) > 1),
                self.index.part(columns),
                self._telling_terms,
            ),
        )

    def place(self, position: int) -> int:
        """Where a paper stands in the whole batch."""
        return position if self.part_of is None else int(self.part_of.columns[position])

    def get_ready(self) -> None:
        """Work out at once what ranking for the first reader would."""
        _ = self.crowding, self.words, self.support, self.index, self.copies

    def telling_terms(self, position: int) -> PaperTerms:
        """The terms of a paper that tell what it is about."""
        paper = self.papers[position]
        if paper.id not in self._telling_terms:
            columns = entries(self.tfidf, position)[0].tolist()
            title = normal_phrase(paper.title)
            phrases = [plain(self.terms[column]) for column in columns]
            kept = [place for place, one in enumerate(phrases) if is_telling(one, title)]
            self._telling_terms[paper.id] = PaperTerms(
                np.array(kept, dtype=np.int32),
                self.as_written(position, [columns[place] for place in kept]),
                tuple(f" {phrases[place]} " for place in kept),
            )
        return self._telling_terms[paper.id]

    @cached_property
    def _telling_terms(self) -> dict[str, PaperTerms]:
        return self.part_of.telling_terms if self.part_of else {}

    def as_written(self, position: int, columns: Sequence[int]) -> tuple[str, ...]:
        """Terms the way this paper spells them; bare terms where the paper's text is unknown."""
        spelled = _spelled(self.papers[position].text)
        terms = [self.terms[column] for column in columns]
        return tuple(spelled.get(term, term) for term in terms)


# 20 kB each: a page asks for some papers again and again, a block for thousands once.
@lru_cache(maxsize=256)
def _spelled(text: str) -> Mapping[str, str]:
    """Each term of a text the way it is spelled there first."""
    spelled: dict[str, str] = {}
    for written, term in phrases(text):
        spelled.setdefault(term, written)
    return spelled
