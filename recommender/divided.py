"""The list of a reader who keeps several interests apart: each is ranked for as a reader of its
own, and the places are divided by their shares (shares.py).

Nothing is stored of whose vote is whose, so that an interest that is renamed, split or removed
counts at once.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.batch import Batch
from recommender.best import Best
from recommender.blend import Scores
from recommender.calibration import Calibration
from recommender.explain import MOST_REASONS, Reason
from recommender.matrices import Booleans, Integers
from recommender.model import Model
from recommender.profile import Interests, Reader
from recommender.rank import DECIMALS, Ranked, best, tell
from recommender.shares import in_turns, nearest_interest, places

# The list of each interest is so many times as long as the one they share: others take of it.
_REACH = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One of a reader's interests: its name (empty for what has none), its share in relation to
    those of the others, and what was typed for it."""

    name: str
    share: int
    interests: Interests


@dataclass(frozen=True, slots=True)
class Divided:
    """A reader of several parts, the length of their list, and how probably they must like a
    paper in it (0 to 1). `outside` is the paper from outside their usual that may end it."""

    reader: Reader
    parts: tuple[Part, ...]
    size: int
    threshold: float = 0.0
    outside: Ranked | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """A divided reader's list, and how many more there would be without the threshold."""

    papers: list[Ranked]
    below: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """A paper in the list of one part: its rank there, from 0, and the first copy of its work."""

    part: int
    rank: int
    work: int
    probability: float
    is_followed: bool


def rank_by_shares(
    model: Model,
    divided: Sequence[Divided],
    library: Batch,
    batch: Batch,
    *,
    allowed: Booleans | None = None,
    popularity: Scores | None = None,
    calibration: Calibration | None = None,
) -> list[Shared]:
    """The list of each reader, the best paper of each interest first, then the second best ones.

    A paper comes once, for the interest in whose own list it stands higher. An interest without
    enough papers gives its places to the others. Papers by followed authors come whatever the
    shares. `library` holds the papers voted on; `allowed` and `popularity` are as in `best`.
    """
    if not divided:
        return []
    calibration = calibration or Calibration()
    owners = np.repeat(np.arange(len(divided), dtype=np.int32), [len(one.parts) for one in divided])
    of_parts = None if allowed is None else allowed[owners]
    readers = [part for one in divided for part in readers_of(model, one, library)]
    profiles = model.profiles(readers, library)
    longest = _REACH * max(one.size for one in divided)
    found = best(profiles, batch, limit=longest, allowed=of_parts, popularity=popularity)
    entries = _entries(found, owners, batch, calibration)
    chosen = [_chosen(*one, batch) for one in zip(divided, entries, strict=True)]
    ranks = [
        [entry.rank for entry in own if entry.part == part]
        for one, (own, _, _) in zip(divided, chosen, strict=True)
        for part in range(len(one.parts))
    ]
    told = iter(tell(profiles, batch, found.only(ranks), of_parts, calibration))
    return [
        _shared(one, *own, [next(told) for _ in one.parts])
        for one, own in zip(divided, chosen, strict=True)
    ]


def readers_of(model: Model, divided: Divided, library: Batch) -> list[Reader]:
    """The parts as readers: each has what was typed for it and the votes nearest to that, those
    that are near none all have."""
    own = divided.reader
    votes = [vote for vote in own.votes if vote.paper_id in library.positions]
    typed = [part.interests for part in divided.parts]
    keywords = model.seeds(tuple(dict.fromkeys(word for one in typed for word in one.keywords)))
    papers = [library.positions[vote.paper_id] for vote in votes]
    nearest = nearest_interest(papers, typed, library, keywords)
    return [
        Reader(
            (own.key, number),
            replace(one, muted=own.interests.muted, forgotten=own.interests.forgotten),
            tuple(v for v, home in zip(votes, nearest, strict=True) if home in (number, -1)),
        )
        for number, one in enumerate(typed)
    ]


def _entries(
    found: Best, owners: Integers, batch: Batch, calibration: Calibration
) -> list[list[_Entry]]:
    """The lists of each reader's parts, part after part."""
    followed = found.parts.get("author", np.zeros_like(found.scores)) > 0
    # Rounded as told, so that what is shown and what passes agree.
    probabilities = calibration.probabilities(found.scores).round(DECIMALS)
    entries: dict[int, list[_Entry]] = defaultdict(list)
    parts: dict[int, int] = defaultdict(int)
    for row, owner in enumerate(owners.tolist()):
        part = parts[owner]
        parts[owner] += 1
        entries[owner] += [
            _Entry(
                part,
                rank,
                _work(batch, place),
                float(probabilities[row, rank]),
                bool(followed[row, rank]),
            )
            for rank, place in enumerate(found.of(row))
        ]
    return [entries[owner] for owner in range(len(entries))]


def _work(batch: Batch, place: int) -> int:
    return batch.copies.get(place, (place,))[0]


def _chosen(
    one: Divided, entries: Sequence[_Entry], batch: Batch
) -> tuple[list[_Entry], Ranked | None, int]:
    """The papers of a reader's list in order, what ends it from outside their usual, and how many
    more there would be without the threshold."""
    mine = _each_once(entries)
    passing = [entry for entry in mine if entry.probability >= one.threshold]
    full = _divided(one, mine, one.size)
    chosen = full if passing == mine else _divided(one, passing, one.size)
    below = len(full) - len(chosen)
    if one.outside is None or not chosen:
        return chosen, None, below
    shorter = _divided(one, passing, one.size - 1)
    is_there = _work(batch, one.outside.place) in {entry.work for entry in shorter}
    followed = sum(entry.is_followed for entry in passing)
    if is_there or followed >= one.size or _is_asked_for(one.parts, one.outside.place, batch):
        return chosen, None, below
    return shorter, one.outside, below


def _is_asked_for(parts: Sequence[Part], place: int, batch: Batch) -> bool:
    """Whether a paper has a keyword of any interest: that is nowhere outside of what is usual, even
    if it stands far down in the whole ranking."""
    keywords = (word for part in parts for word in part.interests.keywords)
    return any(place in batch.index.with_phrase(word) for word in keywords)


def _each_once(entries: Sequence[_Entry]) -> list[_Entry]:
    """Each work where it stands highest; of equal ranks the one of the first part."""
    found: dict[int, _Entry] = {}
    for entry in sorted(entries, key=lambda entry: (entry.rank, entry.part)):
        found.setdefault(entry.work, entry)
    return list(found.values())


def _divided(one: Divided, entries: Sequence[_Entry], size: int) -> list[_Entry]:
    """So many papers, by shares, in turns; the interest with the greatest share begins."""
    own = [[entry for entry in entries if entry.part == part] for part in range(len(one.parts))]
    shares = [part.share for part in one.parts]
    followed = [sum(entry.is_followed for entry in listed) for listed in own]
    numbers = places(shares, size, followed, [len(listed) for listed in own])
    taken = [_first(listed, number) for listed, number in zip(own, numbers, strict=True)]
    order = sorted(range(len(shares)), key=lambda part: -shares[part])
    return in_turns([taken[part] for part in order])


def _first(listed: Sequence[_Entry], number: int) -> list[_Entry]:
    """The first so many, in order; of these every one by a followed author."""
    by_need = sorted(listed, key=lambda entry: not entry.is_followed)[:number]
    return sorted(by_need, key=lambda entry: entry.rank)


def _shared(
    one: Divided,
    chosen: Sequence[_Entry],
    last: Ranked | None,
    below: int,
    told: Sequence[Sequence[Ranked]],
) -> Shared:
    by_part = [iter(own) for own in told]
    papers = [_named(next(by_part[entry.part]), one.parts[entry.part].name) for entry in chosen]
    return Shared(papers + ([] if last is None else [last]), below)


def _named(one: Ranked, name: str) -> Ranked:
    if not name:
        return one
    reasons = (Reason("interest", (name,)), *one.reasons)
    return one._replace(interest=name, reasons=reasons[:MOST_REASONS])
