"""From profiles and papers to ranked papers: the best by the blend, and what is told of them."""

from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.batch import Batch
from recommender.best import Best
from recommender.blend import SHIPPED, Parts, Scores, Weights, marked, score_parts
from recommender.calibration import Calibration
from recommender.duplicates import fold
from recommender.errors import SpaceError
from recommender.explain import MOST_REASONS, Reason
from recommender.explore import pool_end, with_explored
from recommender.matrices import Booleans, Integers
from recommender.profile import Interests, Profiles
from recommender.reasons import reasons_for
from recommender.threads import in_threads, single_threaded_blas

DECIMALS = 4
# A block's scores stay in a core's cache.
_READERS_AT_ONCE = 256
# For fewer readers, and for most of the papers, a part of the batch is not made.
_READERS_WORTH_A_PART = 50
_MOST_OF_A_BATCH = 0.75


# A tuple, for the same reason as a `Reason`.
class Ranked(NamedTuple):
    """A paper at its place: `score` is the sum of `parts`; `place` is where it stands in the batch.

    `probability` is the chance of a vote up; `also` are the places of its copies (duplicates.py),
    which the list leaves out; `interest` is the named one that it is there for (shares.py).
    """

    paper_id: str
    place: int
    score: float
    reasons: tuple[Reason, ...]
    parts: dict[str, float]
    probability: float
    explored: bool = False
    also: tuple[int, ...] = ()
    interest: str = ""


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
    batch, allowed, popularity = _without_unused(batch, allowed, popularity)
    found = best(
        profiles, batch, limit=limit, allowed=allowed, popularity=popularity, explore=explore
    )
    return tell(profiles, batch, found, allowed, calibration or Calibration())


def _without_unused(
    batch: Batch, allowed: Booleans | None, popularity: Scores | None
) -> tuple[Batch, Booleans | None, Scores | None]:
    """Only the papers that are allowed to anybody, where that is much less: two days' papers are
    candidates of those who have had one of the two."""
    if allowed is None or len(allowed) < _READERS_WORTH_A_PART:
        return batch, allowed, popularity
    columns = np.asarray(allowed.any(axis=0))
    if np.count_nonzero(columns) > _MOST_OF_A_BATCH * len(batch):
        return batch, allowed, popularity
    popular = None if popularity is None else popularity[columns]
    return batch.part(columns), allowed[:, columns], popular


def tell(
    profiles: Profiles,
    batch: Batch,
    found: Best,
    allowed: Booleans | None,
    calibration: Calibration,
) -> list[list[Ranked]]:
    """What is told of the papers found for each reader; `allowed` as in `best`."""
    names = tuple(found.parts)
    # Of doubles, so that a rounded number is the one that its decimals name.
    parts = np.round([found.parts[name].astype(np.float64) for name in names], DECIMALS)
    scores = np.round(sum(parts, start=np.zeros(found.scores.shape)), DECIMALS)
    lists = [[place for place in own if place >= 0] for own in found.positions.tolist()]
    with single_threaded_blas():
        reasons = list(reasons_for(profiles, batch, lists, *_what_counted(found)))
    return [
        _told(batch, None if allowed is None else allowed[row], names, *own)
        for row, own in enumerate(
            zip(
                lists,
                scores.tolist(),
                parts.transpose(1, 2, 0).tolist(),
                calibration.probabilities(scores).tolist(),
                reasons,
                found.explored.tolist(),
                strict=True,
            )
        )
    ]


def _what_counted(found: Best) -> tuple[list[list[bool]], list[list[bool]]]:
    """Of each paper of each list whether it fits the profile, and whether it is popular."""
    nothing = np.zeros_like(found.scores)
    matched = [found.parts.get(name, nothing) > 0 for name in ("words", "reader", "centroid")]
    popular = found.parts.get("popularity", nothing) > 0
    return np.any(matched, axis=0).tolist(), popular.tolist()


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
    _ = batch.crowding, batch.words, batch.support, batch.copies
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
    parts, fits = score_parts(profiles, batch, rows, candidates, popularity, weights)
    totals = np.round(sum(parts.values(), start=np.float32(0)), DECIMALS)
    totals[~candidates] = -np.inf
    totals = fold(totals, batch.duplicates)
    places = min(limit, len(batch))
    if explore is None:
        positions = best_first(totals, places)
        explored = np.zeros(len(positions), dtype=np.int32)
    else:
        ranking = best_first(totals, max(places, pool_end(explore[rows])))
        followed = _ends_with_followed(parts, ranking[:, :places], explore[rows])
        lengths = np.where(followed, 0, explore[rows])
        numbers = np.count_nonzero(totals > -np.inf, axis=1).astype(np.int32)
        positions, explored = with_explored(
            profiles, batch, rows, numbers, lengths, ranking, places, fits
        )
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
    unmuted = ~marked(muted, batch.index.muted_by, shape)
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
    batch: Batch,
    allowed: npt.NDArray[np.bool_] | None,
    names: tuple[str, ...],
    places: list[int],
    scores: list[float],
    parts: list[list[float]],
    probabilities: list[float],
    reasons: list[tuple[Reason, ...]],
    explored: int,
) -> list[Ranked]:
    """One reader's list; of the other arguments what belongs to its places comes first."""
    told = [
        Ranked(
            batch.papers[place].id,
            batch.place(place),
            score,
            why,
            dict(zip(names, part, strict=True)),
            probability,
            also=_copies(batch, place, allowed),
        )
        for place, score, why, part, probability in zip(
            places, scores, reasons, parts, probabilities, strict=False
        )
    ]
    if explored:
        told[-1] = _as_explored(told[-1], explored)
    return told


def _as_explored(one: Ranked, place: int) -> Ranked:
    reasons = (Reason("explored", (str(place),)), *one.reasons)
    return one._replace(explored=True, reasons=reasons[:MOST_REASONS])


def _copies(batch: Batch, place: int, allowed: npt.NDArray[np.bool_] | None) -> tuple[int, ...]:
    if place not in batch.copies:
        return ()
    return tuple(
        batch.place(copy)
        for copy in batch.copies[place]
        if copy != place and (allowed is None or allowed[copy])
    )
