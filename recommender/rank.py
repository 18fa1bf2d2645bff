"""From profiles and papers to ranked papers: standard scores of three cosines, and what was asked.

The blend, measured on CiteULike-t: the plain TF-IDF match, the reader as the factorisation sees
them, and the centroid of what they liked; the reader's share grows with the number of likes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.batch import Batch
from recommender.errors import SpaceError
from recommender.explain import Explainer, Reason
from recommender.matrices import Booleans, Floats, dense_product
from recommender.profile import Profiles

# Above what the best of a day's thousand papers reaches by its text, so that a followed author's
# paper makes the digest.
AUTHOR_BOOST = 30.0
KEYWORD_BOOST = 3.0
CATEGORY_BOOST = 1.0
POPULARITY_WEIGHT = 0.01
# Standard deviations of cosines below this are rounding errors.
_LEAST_SPREAD = 1e-6
_DECIMALS = 4

# The summands of scores by name, each readers x papers.
Parts = dict[str, npt.NDArray[np.floating]]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A paper at its place: `score` is the sum of `parts`; `index` is its place in the batch."""

    paper_id: str
    index: int
    score: float
    reasons: tuple[Reason, ...]
    parts: dict[str, float]


def rank(
    profiles: Profiles,
    batch: Batch,
    *,
    limit: int,
    allowed: Booleans | None = None,
    popularity: npt.NDArray[np.floating] | None = None,
    explained: bool = True,
) -> list[list[Ranked]]:
    """The best `limit` papers of each reader, by score, ties in the order of the batch.

    `allowed` (readers x papers) leaves papers out for some readers; muted ones are left out as
    well. `popularity` (papers) decides where nothing else does. Scores are comparable within one
    reader and one batch only. Without `explained` there are no reasons, which takes less time.
    """
    if profiles.space != batch.space:
        raise SpaceError("profiles and papers are of two models")
    candidates = _unmuted(profiles, batch)
    if allowed is not None:
        candidates &= allowed
    parts = score_parts(profiles, batch, candidates, popularity)
    totals = np.where(candidates, sum(part.astype(np.float64) for part in parts.values()), -np.inf)
    return [
        _ranked_for(row, best_first(totals[row], limit), profiles, batch, parts, explained)
        for row in range(len(profiles))
    ]


def score_parts(
    profiles: Profiles,
    batch: Batch,
    candidates: Booleans,
    popularity: npt.NDArray[np.floating] | None = None,
) -> Parts:
    """The summands of the score by name, each readers x papers, zero outside `candidates`."""
    experience = (profiles.likes / (profiles.likes + 5))[:, None]
    words = standard_scores(dense_product(profiles.tfidf, batch.papers_by_term), candidates)
    reader = standard_scores(profiles.folded @ batch.factors.T, candidates)
    centroid = standard_scores(profiles.centroids @ batch.factors.T, candidates)
    parts: Parts = {
        "words": words,
        "reader": reader * (1 + experience / 2),
        "centroid": centroid * (2 - experience),
    }
    parts |= _asked_for(profiles, batch, words + parts["reader"] + parts["centroid"])
    if popularity is not None:
        shared = np.broadcast_to(popularity.astype(np.float32), candidates.shape)
        parts["popularity"] = standard_scores(shared, candidates) * POPULARITY_WEIGHT
    return {
        name: np.where(candidates, np.round(part, _DECIMALS), 0) for name, part in parts.items()
    }


def standard_scores(values: Floats, candidates: Booleans) -> Floats:
    """Each row's values as standard deviations from the mean of that row's candidates.

    Zero for what is no candidate, and for rows whose candidates are all alike.
    """
    counts = np.maximum(candidates.sum(axis=1, keepdims=True), 1)
    means = np.sum(values, axis=1, keepdims=True, where=candidates) / counts
    centred = np.where(candidates, values - means, 0)
    spreads = np.sqrt(np.sum(centred**2, axis=1, keepdims=True) / counts)
    scores: Floats = np.where(spreads > _LEAST_SPREAD, centred / np.maximum(spreads, 1e-12), 0)
    return scores.astype(np.float32)


def best_first(totals: npt.NDArray[np.float64], limit: int) -> list[int]:
    """Positions of the `limit` greatest values, greatest first, equal ones in order."""
    limit = min(limit, int(np.isfinite(totals).sum()))
    if limit <= 0:
        return []
    threshold = np.partition(totals, -limit)[-limit]
    among = np.flatnonzero(totals >= threshold)
    order = among[np.argsort(-totals[among], kind="stable")]
    return [int(position) for position in order[:limit]]


def _asked_for(profiles: Profiles, batch: Batch, match: npt.NDArray[np.floating]) -> Parts:
    """What readers named themselves: it lifts a paper above the average whatever votes say."""
    index = batch.index
    interests = [reader.interests for reader in profiles.readers]
    author = _marked([i.authors for i in interests], index.by_author, match.shape)
    keyword = _marked([i.keywords for i in interests], index.with_phrase, match.shape) & ~author
    category = _marked([i.categories for i in interests], index.in_category, match.shape)
    lift = np.maximum(-match, 0)
    return {
        "author": np.where(author, AUTHOR_BOOST + lift, 0),
        "keyword": np.where(keyword, KEYWORD_BOOST + lift, 0),
        "category": np.where(category, CATEGORY_BOOST, 0),
    }


def _unmuted(profiles: Profiles, batch: Batch) -> Booleans:
    muted = [reader.interests.muted for reader in profiles.readers]
    return ~_marked(muted, batch.index.muted_by, (len(profiles), len(batch)))


def _marked(
    names: Sequence[Sequence[str]], find: Callable[[str], list[int]], shape: tuple[int, ...]
) -> Booleans:
    """Readers x papers: the papers found for any of each reader's names."""
    marked = np.zeros(shape, dtype=np.bool_)
    for row, own in enumerate(names):
        for name in own:
            marked[row, find(name)] = True
    return marked


def _ranked_for(
    row: int, best: list[int], profiles: Profiles, batch: Batch, parts: Parts, explained: bool
) -> list[Ranked]:
    own = [
        {name: round(float(part[row, p]), _DECIMALS) for name, part in parts.items()} for p in best
    ]
    reasons = _reasons_for(row, best, profiles, batch, own) if explained else [()] * len(best)
    return [
        Ranked(batch.papers[p].id, p, round(sum(part.values()), _DECIMALS), why, part)
        for p, part, why in zip(best, own, reasons, strict=True)
    ]


def _reasons_for(
    row: int, best: list[int], profiles: Profiles, batch: Batch, own: list[dict[str, float]]
) -> list[tuple[Reason, ...]]:
    if not best:
        return []
    matched = [any(part[name] > 0 for name in ("words", "reader", "centroid")) for part in own]
    popular = [part.get("popularity", 0.0) > 0 for part in own]
    return Explainer(profiles, row, batch).explain(best, matched, popular)
