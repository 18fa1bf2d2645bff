"""Several factorisations side by side: what one sees by chance the others do not.

On CiteULike-t the mean of two cosines, one of a space in which words weigh much and one in which
they weigh less, gives an nDCG@10 that is 2 % above the better one's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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

    So the product of two rows is the mean of the cosines in each space. `paper_factors` (papers x
    factors) are those of the papers it was made of, and of others that were folded in since.
    """

    spaces: tuple[Space, ...]
    paper_factors: Floats

    @property
    def papers(self) -> int:
        """How many papers it has a place for."""
        return len(self.paper_factors)

    def fold_papers(self, tfidf: SparseRows) -> Floats:
        """Factors of papers from their TF-IDF rows (papers x terms)."""
        return joined([space.fold_papers(tfidf) for space in self.spaces])

    def with_papers(self, parts: Sequence[Floats]) -> "JointSpace":
        """The same space with more papers, folded in."""
        return replace(self, paper_factors=np.concatenate([self.paper_factors, *parts]))

    def is_for(self, terms: int, papers: int) -> bool:
        """Whether its parts fit together and to so many terms and papers."""
        factors = sum(space.factors for space in self.spaces)
        return self.paper_factors.shape == (papers, factors) and all(
            space.is_for(terms) for space in self.spaces
        )

    def fold_readers(self, votes: SparseRows, papers: Floats) -> Floats:
        """Factors of readers from votes (readers x `papers`; negative: a dislike)."""
        parts = self.parted(papers)
        folded = [
            space.fold_readers(votes, part) for space, part in zip(self.spaces, parts, strict=True)
        ]
        return joined(folded)

    def parted(self, factors: Floats) -> list[Floats]:
        """Factors of unit length apart for each space."""
        ends = np.cumsum([space.factors for space in self.spaces])[:-1]
        scale = np.float32(np.sqrt(len(self.spaces)))
        return [part * scale for part in np.split(factors, ends, axis=1)]


def factorise_jointly(
    tfidf: SparseRows,
    votes: SparseRows,
    settings: Sequence[FactorSettings],
    tell: Callable[[str], None],
) -> JointSpace:
    """The spaces of `tfidf` (papers x terms) and `votes` (readers x papers, entries +1 and -1)."""
    spaces, papers = [], []
    for one in settings:
        space, factors = factorise(tfidf, votes, one)
        spaces.append(space)
        papers.append(factors)
        tell(f"learnt {space.factors} factors")
    return JointSpace(tuple(spaces), joined(papers))


def joined(parts: Sequence[Floats]) -> Floats:
    """Factors of each space in a row, of unit length together."""
    return np.hstack(parts) / np.float32(np.sqrt(len(parts)))
