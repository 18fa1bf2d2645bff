"""Papers as a model sees them: the form in which candidates and voted papers come in."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from recommender.matrices import Floats, SparseRows, transposed
from recommender.phrases import PhraseIndex
from recommender.text import Paper, phrases


@dataclass(frozen=True)
class Batch:
    """Papers, their TF-IDF rows (papers x terms) and unit-length factors (papers x factors).

    `space` names the model that made it: batches and profiles of two models cannot be compared.
    """

    papers: tuple[Paper, ...]
    tfidf: SparseRows
    factors: Floats
    terms: Sequence[str]
    space: str

    def __len__(self) -> int:
        return len(self.papers)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each paper id stands."""
        return {paper.id: position for position, paper in enumerate(self.papers)}

    @cached_property
    def papers_by_term(self) -> SparseRows:
        """TF-IDF as terms x papers, the side a product with profiles needs."""
        return transposed(self.tfidf)

    @cached_property
    def index(self) -> PhraseIndex:
        """Exact phrases, authors and categories."""
        return PhraseIndex(self.papers)

    @cached_property
    def _written(self) -> dict[int, dict[str, str]]:
        return {}

    def as_written(self, position: int, column: int) -> str:
        """A term the way this paper spells it; the bare term where the paper's text is unknown."""
        if position not in self._written:
            spelled: dict[str, str] = {}
            for written, term in phrases(self.papers[position].text):
                spelled.setdefault(term, written)
            self._written[position] = spelled
        term = self.terms[column]
        return self._written[position].get(term, term)
