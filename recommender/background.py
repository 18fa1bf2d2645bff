"""What papers in general are like: a sample of those that a model was trained on.

A paper in the midst of many alike (a hub: Radovanović, Nanopoulos and Ivanović, JMLR 2010) is
close to everyone who likes the subject, and each of them likes few of the many; one that has the
subject to itself is worth more at the same distance. So a paper's closeness to its nearest
neighbours is taken from its score, as CSLS does for words of two languages (Conneau et al., "Word
Translation Without Parallel Data", ICLR 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recommender.matrices import Floats, Integers, SparseRows, entries, transposed
from recommender.threads import in_threads

# Half a percent of the papers are looked at as neighbours: 100 of CiteULike-t's 20,780 old papers,
# where 30 and 300 are a percent worse in nDCG@10 or recall@100.
NEIGHBOUR_SHARE = 0.005
_FEWEST_NEIGHBOURS = 5
# So many papers tell half of what is to be known: the five nearest of a hundred are no crowd.
_HALF_TRUSTED = 1_000
# Of CiteULike-t's 20,780 papers 5,000 give half a percent of nDCG@10 less than all.
MOST_PAPERS = 20_000
# What is usual is told well enough by so many of them.
_PAPERS_ASKED = 1_000
_SAMPLE_SEED = 20260401
_PAPERS_AT_ONCE = 250


@dataclass(frozen=True)
class Background:
    """Papers by id, their TF-IDF rows (papers x terms) and factors (papers x factors).

    `known_crowding` is what was worked out in training for papers of the model, by their places
    there (NaN for others, or nothing of the last ones), and `known_usual` what `usual` was.
    """

    ids: tuple[str, ...]
    tfidf: SparseRows
    factors: Floats
    known_crowding: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    known_usual: Floats | None = None

    def crowding(
        self,
        ids: Sequence[str],
        tfidf: SparseRows,
        factors: Floats,
        places: Integers | None = None,
    ) -> Floats:
        """How crowded it is around papers, in words and factors: a standard score for each.

        0 is the background's mean, 1 its standard deviation above; all are closer to 0 where the
        background is small. A paper is no neighbour of itself. `places` are those of the papers in
        the model, -1 for none: what is known of them is not worked out again, also where their
        words have changed since.
        """
        found = np.full(len(ids), np.nan, dtype=np.float32)
        if places is not None:
            is_told = (places >= 0) & (places < len(self.known_crowding))
            found[is_told] = self.known_crowding[places[is_told]]
        missing = np.flatnonzero(np.isnan(found))
        if missing.size:
            new = tuple(ids[place] for place in missing.tolist())
            found[missing] = self._crowding(new, tfidf[missing], factors[missing])
        return found

    def _crowding(self, ids: tuple[str, ...], tfidf: SparseRows, factors: Floats) -> Floats:
        closeness = self._closeness(ids, tfidf, factors)
        mean, spread = self.usual
        standardised = ((closeness - mean) / spread).mean(axis=1)
        return np.asarray(standardised * self._trust, dtype=np.float32)

    @property
    def _trust(self) -> float:
        return len(self.ids) / (len(self.ids) + _HALF_TRUSTED)

    @cached_property
    def usual(self) -> Floats:
        """How close papers of the background are to one another (mean and standard deviation x
        words and factors), which takes a second to work out for a large one."""
        if self.known_usual is not None:
            return self.known_usual
        if len(self.ids) <= _FEWEST_NEIGHBOURS:
            return np.stack([np.zeros(2, dtype=np.float32), np.ones(2, dtype=np.float32)])
        asked = np.linspace(0, len(self.ids) - 1, min(_PAPERS_ASKED, len(self.ids))).astype(int)
        ids = tuple(self.ids[place] for place in asked)
        own = self._closeness(ids, self.tfidf[asked], self.factors[asked])
        spread = own.std(axis=0)
        return np.stack([own.mean(axis=0), np.where(spread > 0, spread, 1)]).astype(np.float32)

    def _closeness(self, ids: tuple[str, ...], tfidf: SparseRows, factors: Floats) -> Floats:
        """Papers x 2: the mean cosine to the nearest in the background, by words and factors."""
        if len(self.ids) <= _FEWEST_NEIGHBOURS:
            return np.zeros((len(ids), 2), dtype=np.float32)
        _ = self._by_term, self._places  # once, before threads ask for them
        blocks = [
            (ids[start:end], tfidf[start:end], factors[start:end])
            for start, end in _blocks(len(ids))
        ]
        found = in_threads(lambda block: self._closeness_of(*block), blocks)
        return np.vstack([np.zeros((0, 2), dtype=np.float32), *found])

    def _closeness_of(self, ids: tuple[str, ...], tfidf: SparseRows, factors: Floats) -> Floats:
        known = [(row, self._places[name]) for row, name in enumerate(ids) if name in self._places]
        rows, places = [row for row, _ in known], [place for _, place in known]
        cosines = [self._in_words(tfidf), factors @ self.factors.T]
        means = []
        for each in cosines:
            each[rows, places] = -1
            means.append(np.partition(each, -self._neighbours, axis=1)[:, -self._neighbours :])
        return np.stack([nearest.mean(axis=1) for nearest in means], axis=1)

    def _in_words(self, tfidf: SparseRows) -> Floats:
        """Papers x background: the cosines of words. One paper after another, which takes half as
        long as scipy's product, as that is sparse at first."""
        by_term, papers = self._by_term, tfidf.shape[0]
        cosines = np.zeros((papers, len(self.ids)), dtype=np.float32)
        ends = by_term.indptr.tolist()
        for row in range(papers):
            terms, weights = entries(tfidf, row)
            if not len(terms):
                continue
            holders = [slice(ends[term], ends[term + 1]) for term in terms.tolist()]
            places = np.concatenate([by_term.indices[own] for own in holders])
            products = np.concatenate([by_term.data[own] for own in holders])
            products *= np.repeat(weights, by_term.indptr[terms + 1] - by_term.indptr[terms])
            cosines[row] = np.bincount(places, products, minlength=len(self.ids))
        return cosines

    @cached_property
    def _neighbours(self) -> int:
        return max(_FEWEST_NEIGHBOURS, round(len(self.ids) * NEIGHBOUR_SHARE))

    @cached_property
    def _by_term(self) -> SparseRows:
        return transposed(self.tfidf)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {paper_id: place for place, paper_id in enumerate(self.ids)}


def sampled(ids: tuple[str, ...], tfidf: SparseRows, factors: Floats) -> Background:
    """A background of at most `MOST_PAPERS` of these papers, the same ones every time."""
    chosen = np.arange(len(ids))
    if len(ids) > MOST_PAPERS:
        rng = np.random.default_rng(_SAMPLE_SEED)
        chosen = np.sort(rng.choice(len(ids), MOST_PAPERS, replace=False))
    return Background(tuple(ids[place] for place in chosen), tfidf[chosen], factors[chosen])


def _blocks(papers: int) -> list[tuple[int, int]]:
    return [
        (start, min(start + _PAPERS_AT_ONCE, papers)) for start in range(0, papers, _PAPERS_AT_ONCE)
    ]
