"""Bringing a library in from outside: from files, from zotero.org, or from what somebody has
published; with questions to arXiv, which take their time."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from paperpost.service import library
from paperpost.service.account import named
from paperpost.service.courtesy import polite_client
from paperpost.service.installation import Installation
from paperpost.service.library import MOST_ENTRIES, Taken
from paperpost.service.look_up import look_up, publications
from paperpost.service.suggest import Suggested
from paperpost.sources.client import PoliteClient
from paperpost.sources.libraries.entry import LibraryEntry, NotRecognised
from paperpost.sources.libraries.zotero_api import read_zotero
from paperpost.store import subscribers
from paperpost.store.subscribers import id_of

LARGEST_FILE = 64 * 1024 * 1024
ZOTERO, ARXIV = "zotero.org", "arXiv"
# For who asked for nothing yet, and did not ask for what a library suggests either.
FIRST_KEYWORDS = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a library is: files, one at zotero.org (`users/NUMBER`) with a key that may read it,
    and an author whose papers it is. `interests`: follow what it suggests; `network`: ask arXiv for
    works of which little is told."""

    files: Sequence[Path] = ()
    zotero: str = ""
    zotero_key: str = field(default="", repr=False)
    author: str = ""
    interests: bool = False
    network: bool = True


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a library, of how many works arXiv told more, and which interests were
    added."""

    taken: Taken
    looked_up: int
    followed: Suggested


def by_command(installation: Installation, email: str, wanted: Wanted) -> Brought:
    """Vote for a library. Raises UnknownSubscriber, LibraryIsFull, OSError and SourceError."""
    number = _number_of(installation, email)
    with closing(polite_client(installation)) as client:
        # All of it is read before anything is changed: half of a library would be a puzzle.
        entries = list(_entries(installation, client, wanted))
        taken = library.take_in(installation, number, entries)
        looked_up = 0
        if wanted.network:
            said = look_up(installation, client, subscriber_id=number, limit=MOST_ENTRIES)
            _settle(taken, said.found, said.unknown)
            looked_up = len(said.found)
    followed = _follow(installation, number, taken.suggested, everything=wanted.interests)
    return Brought(taken, looked_up, followed)


def published(installation: Installation, email: str, author: str) -> list[LibraryEntry]:
    """What an author has on arXiv, the newest first, for a subscriber to look at. Raises
    UnknownSubscriber and SourceError."""
    _number_of(installation, email)
    with closing(polite_client(installation)) as client:
        return publications(installation, client, author)


def take_back(installation: Installation, email: str) -> int:
    """Undo everything that a library became, but for interests. How many votes that was."""
    return library.take_back(installation, _number_of(installation, email))


def _number_of(installation: Installation, email: str) -> int:
    with installation.database.reading() as session:
        return id_of(named(session, email))


def _entries(
    installation: Installation, client: PoliteClient, wanted: Wanted
) -> Iterator[tuple[str, LibraryEntry | NotRecognised]]:
    for path in wanted.files:
        yield from _of_file(path)
    if wanted.zotero:
        installation.say(f"asking {ZOTERO} for {wanted.zotero}")
        for entry in read_zotero(client, wanted.zotero, wanted.zotero_key):
            yield ZOTERO, entry
    if wanted.author:
        for entry in publications(installation, client, wanted.author):
            yield ARXIV, entry


def _of_file(path: Path) -> Iterator[tuple[str, LibraryEntry | NotRecognised]]:
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        reason = f"it is larger than {LARGEST_FILE // 1024**2} MB"
        yield str(path), NotRecognised("", "the whole file", reason)
        return
    yield from library.read(data, str(path))


def _settle(taken: Taken, found: frozenset[str], unknown: frozenset[str]) -> None:
    """What waited for arXiv's answer has it; what that does not know was no paper."""
    for name in list(taken.waiting):
        if name in unknown:
            taken.unrecognised.append(taken.waiting[name])
            taken.recognised -= 1
            taken.added_votes -= 1
        if name in found or name in unknown:
            del taken.waiting[name]


def _follow(
    installation: Installation, number: int, suggested: Suggested, *, everything: bool
) -> Suggested:
    if everything:
        return library.follow(installation, number, suggested.keywords, suggested.authors)
    with installation.database.reading() as session:
        own = subscribers.interests(session, [number])[number]
    first = () if any(own.values()) else suggested.keywords[:FIRST_KEYWORDS]
    return library.follow(installation, number, first, ())
