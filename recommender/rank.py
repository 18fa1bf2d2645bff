"""From profiles and papers to ranked papers: the best by the blend, and what is told of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from recommender.batch import Batch
from recommender.blend import SHIPPED, Parts, Scores, Weights, marked, score_parts
from recommender.calibration import Calibration
from recommender.duplicates import fold
from recommender.errors import SpaceError
from recommender.explain import MOST_REASONS, Explainer, Reason
from recommender.explore import with_explored
from recommender.matrices import Booleans, Floats, Integers
from recommender.profile import Interests, Profiles
from recommender.threads import in_threads

DECIMALS = 4
# A block's scores stay in a core's cache.
_READERS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Ranked:
    """A paper at its place: `score` is the sum of `parts`; `index` is its place in the batch.

    `probability` is the chance of a vote up; `also` are the places of its copies (duplicates.py),
    which the list leaves out; `interest` is the named one that it is there for (shares.py).
    """

    paper_id: str
    index: int
    score: float
    reasons: tuple[Reason, ...]
    parts: dict[str, float]
    probability: float
    explored: bool = False
    also: tuple[int, ...] = ()
    interest: str = ""


@dataclass(frozen=True, slots=True)
class Best:
    """The best papers of some readers, each array readers x limit or all papers, best first.

    `positions` are places in the batch, -1 past a list's end; `scores` are the sums of `parts`.
    `explored` (readers) is the rank of the paper that ends the list in place of the next best
    one, 0 where that one is there.
    """

    positions: Integers
    scores: Floats
    parts: dict[str, Floats]
    explored: Integers

    def of(self, row: int) -> list[int]:
        """One reader's list, without its empty end."""
        return [place for place in self.positions[row].tolist() if place >= 0]

    def only(self, ranks: Sequence[Sequence[int]]) -> "Best":
        """Of each reader's list the papers at these ranks (from 0), in this order."""
        longest = max(map(len, ranks), default=0)
        taken = np.array([[*own, *[-1] * (longest - len(own))] for own in ranks], dtype=np.int32)
        taken = taken.reshape(len(ranks), longest)
        there = taken >= 0
        ranked = np.maximum(taken, 0)
        positions = np.take_along_axis(self.positions, ranked, axis=1)
        parts = {
            name: np.take_along_axis(part, ranked, axis=1) * there
            for name, part in self.parts.items()
        }
        scores = np.take_along_axis(self.scores, ranked, axis=1) * there
        return Best(np.where(there, positions, -1), scores, parts, self.explored)


def rank(
    profiles: Profiles,
    batch: Batch,
    *,
    limit: int,
    allowed: Booleans | None = None,
    popularity: Scores | None = None,
    explore: Integers | None = None,
    calibration: Calibration | None = None,
) -> list[list[Ranked]]:
    """The best `limit` papers of each reader, with reasons; otherwise as `best`."""
    found = best(
        profiles, batch, limit=limit, allowed=allowed, popularity=popularity, explore=explore
    )
    return tell(profiles, batch, found, allowed, calibration or Calibration())


def tell(
    profiles: Profiles,
    batch: Batch,
    found: Best,
    allowed: Booleans | None,
    calibration: Calibration,
) -> list[list[Ranked]]:
    """What is told of the papers found for each reader; `allowed` as in `best`."""
    return [
        _told(profiles, batch, found, row, allowed, calibration) for row in range(len(profiles))
    ]


def best(
    profiles: Profiles,
    batch: Batch,
    *,
    limit: int,
    allowed: Booleans | None = None,
    popularity: Scores | None = None,
    explore: Integers | None = None,
    weights: Weights = SHIPPED,
) -> Best:
    """The best `limit` papers of each reader, by score, ties in the order of the batch.

    `allowed` (readers x papers) leaves papers out for some readers; muted ones are left out as
    well. `popularity` (papers) decides where nothing else does. `explore` (readers) is the length
    of a list that ends with a paper chosen by explore.py, 0 for a reader who gets none. Scores are
    comparable within one reader and one batch only.
    """
    if profiles.space != batch.space:
        raise SpaceError("profiles and papers are of two models")
    _fill_caches(profiles, batch)
    blocks = [
        slice(start, min(start + _READERS_AT_ONCE, len(profiles)))
        for start in range(0, max(len(profiles), 1), _READERS_AT_ONCE)
    ]
    one = partial(_best_of_block, profiles, batch, limit, allowed, popularity, explore, weights)
    found = in_threads(one, blocks)
    names = dict.fromkeys(name for block in found for name in block.parts)
    nothing = [np.zeros_like(block.scores) for block in found]
    return Best(
        np.vstack([block.positions for block in found]),
        np.vstack([block.scores for block in found]),
        {
            name: np.vstack([b.parts.get(name, z) for b, z in zip(found, nothing, strict=True)])
            for name in names
        },
        np.concatenate([block.explored for block in found]),
    )


def _fill_caches(profiles: Profiles, batch: Batch) -> None:
    """What is computed once for all readers, before threads ask for it at the same time."""
    _ = batch.crowding, batch.postings, batch.support, batch.copies
    if any(reader.interests != Interests() for reader in profiles.readers):
        _ = batch.index
    if batch.support:
        _ = profiles.liked


def _best_of_block(
    profiles: Profiles,
    batch: Batch,
    limit: int,
    allowed: Booleans | None,
    popularity: Scores | None,
    explore: Integers | None,
    weights: Weights,
    rows: slice,
) -> Best:
    candidates = _candidates(profiles, batch, allowed, rows)
    parts = score_parts(profiles, batch, rows, candidates, popularity, weights)
    totals = np.round(sum(parts.values(), start=np.float32(0)), DECIMALS)
    totals[~candidates] = -np.inf
    totals = fold(totals, batch.duplicates)
    positions = best_first(totals, min(limit, len(batch)))
    explored = np.zeros(len(positions), dtype=np.int32)
    if explore is not None:
        lengths = np.where(_ends_with_followed(parts, positions, explore[rows]), 0, explore[rows])
        positions, explored = with_explored(profiles, batch, rows, totals, lengths, positions)
    is_there = positions >= 0
    chosen = {
        name: np.round(np.take_along_axis(part, positions, axis=1), DECIMALS) * is_there
        for name, part in parts.items()
    }
    return Best(positions, np.sum(list(chosen.values()), axis=0), chosen, explored)


def _ends_with_followed(parts: Parts, positions: Integers, lengths: Integers) -> Booleans:
    """Which lists of these lengths end with a followed author's paper: it is not given away."""
    if "author" not in parts or not positions.size:
        return np.zeros(len(lengths), dtype=np.bool_)
    last = np.clip(lengths, 1, positions.shape[1])[:, None] - 1
    there = np.take_along_axis(positions, last, axis=1)
    return np.take_along_axis(parts["author"], there, axis=1)[:, 0] > 0


def _candidates(
    profiles: Profiles, batch: Batch, allowed: Booleans | None, rows: slice
) -> Booleans:
    """The block's readers x papers: what is allowed and not muted."""
    muted = [reader.interests.muted for reader in profiles.readers[rows]]
    if allowed is not None and not any(muted):
        return allowed[rows]
    shape = (len(muted), len(batch))
    unmuted = ~marked(muted, lambda name: batch.index.muted_by(name), shape)
    return unmuted if allowed is None else unmuted & allowed[rows]


def best_first(totals: Scores, limit: int) -> Integers:
    """For each row the places of its `limit` greatest values, greatest first, equal ones in order.

    Rows x `limit`; -1 past the end of a row with fewer values above -inf.
    """
    positions = np.full((len(totals), max(limit, 0)), -1, dtype=np.int32)
    limit = min(limit, totals.shape[1])
    if limit > 0:
        positions[:, :limit] = _best_places(totals, limit)
    return positions


def _best_places(totals: Scores, limit: int) -> Integers:
    """As `best_first`, for a limit of at least 1 and at most the number of columns."""
    least = np.partition(totals, -limit, axis=1)[:, [-limit]]
    among = (totals >= least) & (totals > -np.inf)
    is_plain = among.sum(axis=1) == limit  # neither too few values nor several equal last ones
    positions = np.full((len(totals), limit), -1, dtype=np.int32)
    positions[is_plain] = np.nonzero(among[is_plain])[1].reshape(-1, limit)
    order = np.argsort(-np.take_along_axis(totals, positions, axis=1), axis=1, kind="stable")
    positions = np.take_along_axis(positions, order, axis=1)
    for row in np.flatnonzero(~is_plain):
        places = np.flatnonzero(among[row])
        places = places[np.argsort(-totals[row, places], kind="stable")][:limit]
        positions[row, : len(places)] = places
    return positions


def _told(
    profiles: Profiles,
    batch: Batch,
    found: Best,
    row: int,
    allowed: Booleans | None,
    calibration: Calibration,
) -> list[Ranked]:
    places = found.of(row)
    parts = _parts_of(found, row, len(places))
    scores = [round(sum(part.values()), DECIMALS) for part in parts]
    reasons = _reasons_for(profiles, batch, row, places, parts)
    probabilities = calibration.probabilities(scores).tolist()
    told = [
        Ranked(
            batch.papers[place].id,
            place,
            score,
            why,
            part,
            probability,
            also=_copies(batch, place, None if allowed is None else allowed[row]),
        )
        for place, score, part, why, probability in zip(
            places, scores, parts, reasons, probabilities, strict=True
        )
    ]
    if found.explored[row]:
        told[-1] = _as_explored(told[-1], int(found.explored[row]))
    return told


def _as_explored(one: Ranked, place: int) -> Ranked:
    reasons = (Reason("explored", (str(place),)), *one.reasons)
    return replace(one, explored=True, reasons=reasons[:MOST_REASONS])


def _parts_of(found: Best, row: int, length: int) -> list[dict[str, float]]:
    columns = {name: part[row, :length].tolist() for name, part in found.parts.items()}
    return [
        {name: round(values[place], DECIMALS) for name, values in columns.items()}
        for place in range(length)
    ]


def _copies(batch: Batch, place: int, allowed: npt.NDArray[np.bool_] | None) -> tuple[int, ...]:
    others = (copy for copy in batch.copies.get(place, ()) if copy != place)
    return tuple(copy for copy in others if allowed is None or allowed[copy])


def _reasons_for(
    profiles: Profiles, batch: Batch, row: int, places: list[int], parts: list[dict[str, float]]
) -> list[tuple[Reason, ...]]:
    if not places:
        return []
    matched = [any(part[name] > 0 for name in ("words", "reader", "centroid")) for part in parts]
    popular = [part.get("popularity", 0.0) > 0 for part in parts]
    return Explainer(profiles, row, batch).explain(places, matched, popular)
