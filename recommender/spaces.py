"""Several factorisations side by side: what one sees by chance the others do not.

On CiteULike-t the mean of two cosines, one of a space in which words weigh much and one in which
they weigh less, gives an nDCG@10 that is 2 % above the better one's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.factors import FactorSettings, Space, factorise
from recommender.matrices import Floats, SparseRows

# Chosen on seeds 7 and 8 of the protocol for new papers, apart from `evaluate tune`, which would
# have to fit them anew for each try.
SPACES = (
    FactorSettings(factors=128, text_confidence=90.0),
    FactorSettings(factors=256, text_confidence=30.0),
)


@dataclass(frozen=True)
class JointSpace:
    """Spaces of the same terms and papers; factors are theirs in a row, of unit length together.

    So the product of two rows is the mean of the cosines in each space.
    """

    spaces: tuple[Space, ...]

    @property
    def papers(self) -> int:
        """How many papers it was made of."""
        return len(self.spaces[0].paper_factors)

    @cached_property
    def paper_factors(self) -> Floats:
        """The trained papers (papers x factors)."""
        return self._joined([space.paper_factors for space in self.spaces])

    def fold_papers(self, tfidf: SparseRows) -> Floats:
        """Factors of papers from their TF-IDF rows (papers x terms)."""
        return self._joined([space.fold_papers(tfidf) for space in self.spaces])

    def fold_readers(self, votes: SparseRows, papers: Floats) -> Floats:
        """Factors of readers from votes (readers x `papers`; negative: a dislike)."""
        parts = self._parted(papers)
        folded = [
            space.fold_readers(votes, part) for space, part in zip(self.spaces, parts, strict=True)
        ]
        return self._joined(folded)

    def _joined(self, parts: Sequence[Floats]) -> Floats:
        return np.hstack(parts) / np.float32(np.sqrt(len(parts)))

    def _parted(self, factors: Floats) -> list[Floats]:
        ends = np.cumsum([space.paper_factors.shape[1] for space in self.spaces])[:-1]
        whole = factors * np.float32(np.sqrt(len(self.spaces)))
        return [np.ascontiguousarray(part) for part in np.split(whole, ends, axis=1)]


def factorise_jointly(
    tfidf: SparseRows,
    votes: SparseRows,
    settings: Sequence[FactorSettings],
    tell: Callable[[str], None],
) -> JointSpace:
    """The spaces of `tfidf` (papers x terms) and `votes` (readers x papers, entries +1 and -1)."""
    spaces = []
    for one in settings:
        spaces.append(factorise(tfidf, votes, one))
        tell(f"learnt {spaces[-1].paper_factors.shape[1]} factors")
    return JointSpace(tuple(spaces))
