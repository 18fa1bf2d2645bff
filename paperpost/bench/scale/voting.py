"""Votes with a heavy tail: few readers cast most of them, on few papers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paperpost.bench.invented import LOYALTY, SEED, SHARE_OF_LIKES, TOPICS, numbers_of_votes
from paperpost.bench.scale.copying import (
    Connection,
    copy_records,
    indexes_afterwards,
    number_after,
    records,
)
from paperpost.bench.scale.readers import Readers
from paperpost.bench.scale.wording import DAY
from recommender.matrices import Integers

_READERS_AT_ONCE = 100_000
_ROWS_AT_ONCE = 200_000
# Of the papers of a topic, half of the votes are on the first eighth.
_SKEW = 3
# Most votes come on the day of the paper's mail.
_DAYS_LATER = 0.5
_MAILED_AT_HOUR = 9
_EPOCH = 946_684_800  # PostgreSQL's, as a timestamp
_HELD = 600_000_000  # microseconds until a vote by link counts
_COLUMNS = (
    ("id", ">i4"),
    ("subscriber_id", ">i4"),
    ("paper_number", ">i4"),
    ("value", ">i4"),
    ("origin", "S4"),
    ("cast_at", ">i8"),
    ("counts_at", ">i8"),
    ("voided", ""),
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What there is to vote on: the topic of each paper and the day on which it was announced, as
    a timestamp of its midnight; the first paper has number 1."""

    topics: Integers
    days: npt.NDArray[np.float64]


def add_votes(connection: Connection, readers: Readers, shelf: Shelf) -> int:
    """Into an empty table, in the order in which they were cast; how many."""
    parts = list(_cast(readers, shelf))
    people, papers, times = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(times, kind="stable")
    likes = np.random.default_rng((SEED, 5)).random(len(order)) < SHARE_OF_LIKES
    with indexes_afterwards(connection, ["vote"]):
        blocks = _rows(people[order], papers[order], times[order], np.where(likes, 1, -1))
        copy_records(connection, "vote", [name for name, _ in _COLUMNS], blocks)
    number_after(connection, "vote", "id")
    return len(order)


def _cast(
    readers: Readers, shelf: Shelf
) -> Iterator[tuple[Integers, Integers, npt.NDArray[np.float64]]]:
    """Who voted, on which paper, and when; a part of the readers at a time."""
    rng = np.random.default_rng((SEED, 4))
    order = np.argsort(shelf.topics, kind="stable")
    sizes = np.bincount(shelf.topics, minlength=TOPICS)
    starts = np.cumsum(sizes) - sizes
    for first in range(0, readers.number, _READERS_AT_ONCE):
        some = np.arange(first, min(first + _READERS_AT_ONCE, readers.number))
        owners = np.repeat(some, numbers_of_votes(len(some), rng))
        loyal = rng.random(len(owners)) < LOYALTY
        topics = np.where(loyal, readers.topics[owners], rng.choice(shelf.topics, len(owners)))
        # The last papers are no more popular than the first: the order within a topic is by chance.
        ranks = (rng.random(len(owners)) ** _SKEW * sizes[topics]).astype(np.int64)
        scattered = (ranks * 7_919) % np.maximum(sizes[topics], 1)
        keys = np.unique(owners * len(order) + order[starts[topics] + scattered])
        people, papers = np.divmod(keys, len(order))
        yield (
            people.astype(np.int32),
            papers.astype(np.int32),
            _times(readers, shelf.days[papers], readers.joined[people], rng),
        )


def _times(
    readers: Readers,
    days: npt.NDArray[np.float64],
    joined: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    later = rng.exponential(_DAYS_LATER * DAY.total_seconds(), len(days))
    at = np.maximum(days + _MAILED_AT_HOUR * 3_600, joined) + later
    lately = readers.now.timestamp() - 3_600 - rng.random(len(at)) * DAY.total_seconds() / 2
    times: npt.NDArray[np.float64] = np.minimum(at, np.maximum(lately, joined))
    return times


def _rows(
    people: Integers,
    papers: Integers,
    times: npt.NDArray[np.float64],
    values: npt.NDArray[np.int64],
) -> Iterator[npt.NDArray[np.void]]:
    for start in range(0, len(people), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        rows = records(_COLUMNS, len(people[part]))
        rows["id"] = np.arange(start, start + len(rows)) + 1
        rows["subscriber_id"] = people[part] + 1
        rows["paper_number"] = papers[part] + 1
        rows["value"] = values[part]
        rows["origin"] = b"link"
        rows["cast_at"] = ((times[part] - _EPOCH) * 1e6).astype(np.int64)
        rows["counts_at"] = rows["cast_at"] + _HELD
        yield rows
