"""A reader's own library as the start: what they collected before becomes votes.

Works that are stored here are voted for as they are. The others are kept as their reader's alone
(store/library.py), by what the library says of them, and by what arXiv says where that is little.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlmodel import Session

from paperpost.errors import PaperpostError
from paperpost.service.installation import Installation
from paperpost.service.shelf import Shelf
from paperpost.service.suggest import Suggested, suggested
from paperpost.service.wishes import MOST_TERMS, terms
from paperpost.sources.errors import UnreadableFile
from paperpost.sources.libraries.entry import LibraryEntry, NotRecognised
from paperpost.sources.libraries.formats import read_library
from paperpost.store import library, subscribers
from paperpost.store.database import in_chunks
from paperpost.store.tables import InterestKind

# One transaction each: other writers get their turn in between.
BATCH = 250
MOST_ENTRIES = 10_000
NOT_STORED = "it is not stored here, and nothing else is told of it"
NOT_AT_ARXIV = "arXiv has no paper with this id"

# Entries with the name of the file that they are from.
Entries = Iterable[tuple[str, LibraryEntry | NotRecognised]]


class LibraryIsFull(PaperpostError):
    """A reader's library became as many votes as anybody's may."""

    def __init__(self) -> None:
        super().__init__(
            f"your library became {MOST_ENTRIES:,} votes already: take them back first"
        )


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """What of a library is no vote: in which file and where, what it is called there, and why."""

    file: str
    place: str
    entry: str
    reason: str


@dataclass(slots=True)
class Taken:
    """What became of a library. Of the `recognised` entries `stored` are papers that a source has
    told of, and `already` those of which the reader had said something, or that came twice.
    `waiting` are arXiv ids of which nothing else is known, with what they are should arXiv not know
    them either."""

    recognised: int = 0
    stored: int = 0
    added_votes: int = 0
    already: int = 0
    unrecognised: list[Unrecognised] = field(default_factory=list)
    waiting: dict[str, Unrecognised] = field(default_factory=dict)
    suggested: Suggested = field(default_factory=Suggested)


def read(data: bytes, file: str) -> Iterator[tuple[str, LibraryEntry | NotRecognised]]:
    """The entries of a library, and what in it is none; a file that cannot be read is one such."""
    try:
        entries = iter(read_library(data))
        for entry in islice(entries, MOST_ENTRIES):
            yield file, entry
        rest = next(entries, None)
    except UnreadableFile as error:
        yield file, NotRecognised("", "the whole file", error.reason)
        return
    if rest is not None:
        reason = f"a library may have {MOST_ENTRIES:,} entries"
        yield file, NotRecognised(rest.place, "from here to the end of the file", reason)


def take_in(installation: Installation, subscriber_id: int, entries: Entries) -> Taken:
    """Vote for everything in a library, and tell what of it was not recognised. Raises
    LibraryIsFull."""
    if votes(installation, subscriber_id) >= MOST_ENTRIES:
        raise LibraryIsFull
    taken = Taken()
    recognised: list[LibraryEntry] = []
    for batch in in_chunks(entries, BATCH):
        with installation.database.writing() as session:
            now = installation.clock()
            recognised += _take_in(session, subscriber_id, batch, taken, now)
    with installation.database.reading() as session:
        own = subscribers.interests(session, [subscriber_id])[subscriber_id]
    known = (value for values in own.values() for value in values)
    taken.suggested = suggested(recognised).without(known)
    return taken


def _take_in(
    session: Session,
    subscriber_id: int,
    batch: Sequence[tuple[str, LibraryEntry | NotRecognised]],
    taken: Taken,
    now: datetime,
) -> list[LibraryEntry]:
    """The entries that were recognised."""
    library.take_turns(session, subscriber_id)
    works = [entry for _, entry in batch if isinstance(entry, LibraryEntry)]
    shelf = Shelf(session, subscriber_id, works, now)
    placed: list[tuple[str, LibraryEntry, str]] = []
    for file, entry in batch:
        place = shelf.place(entry) if isinstance(entry, LibraryEntry) else ""
        if isinstance(entry, LibraryEntry) and place:
            placed.append((file, entry, place))
        else:
            reason = entry.reason if isinstance(entry, NotRecognised) else NOT_STORED
            taken.unrecognised.append(Unrecognised(file, entry.place, entry.name, reason))
    numbers = shelf.numbers()
    cast = library.cast(session, subscriber_id, _collected(placed, numbers, now), now)
    taken.waiting |= {
        entry.ids[0]: Unrecognised(file, entry.place, entry.name, NOT_AT_ARXIV)
        for file, entry, place in placed
        if shelf.is_waiting(place)
    }
    taken.recognised += len(placed)
    taken.stored += sum(shelf.is_told(place) for _, _, place in placed)
    taken.added_votes += len(cast)
    taken.already += len(placed) - len(cast)
    return [entry for _, entry, _ in placed]


def _collected(
    placed: Iterable[tuple[str, LibraryEntry, str]], numbers: Mapping[str, int], now: datetime
) -> dict[int, datetime]:
    """When each paper was collected first; what is told of the future is now."""
    collected: dict[int, datetime] = {}
    for _, entry, place in placed:
        number = numbers[place]
        collected[number] = min(entry.added or now, collected.get(number, now))
    return collected


def follow(
    installation: Installation,
    subscriber_id: int,
    keywords: Collection[str],
    authors: Collection[str],
) -> Suggested:
    """Add interests, as many as there is room for; those that were added."""
    wanted = {InterestKind.KEYWORD: keywords, InterestKind.AUTHOR: authors}
    with installation.database.writing() as session:
        subscribers.take_turns(session, subscriber_id)
        own = subscribers.interests(session, [subscriber_id])[subscriber_id]
        added = {kind: _new(own.get(kind, ()), values) for kind, values in wanted.items()}
        changed = {kind: (*own.get(kind, ()), *new) for kind, new in added.items() if new}
        subscribers.set_interests(session, subscriber_id, changed)
    return Suggested(added[InterestKind.KEYWORD], added[InterestKind.AUTHOR])


def _new(own: Collection[str], values: Collection[str]) -> tuple[str, ...]:
    """The values that are not among one's own, whatever their case."""
    had = {value.casefold() for value in own}
    new = tuple(value for value in terms(list(values)) or () if value.casefold() not in had)
    return new[: max(0, MOST_TERMS - len(own))]


def take_back(installation: Installation, subscriber_id: int) -> int:
    """Undo everything that a library became, but for interests. How many votes that was."""
    with installation.database.writing() as session:
        library.take_turns(session, subscriber_id)
        return library.take_back(session, subscriber_id)


def votes(installation: Installation, subscriber_id: int) -> int:
    """How many votes a library became."""
    with installation.database.reading() as session:
        return library.count(session, subscriber_id)
