"""An entry of a reader's library, and the one place where what a file tells of it is checked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice

from paperpost.sources.cleaning import plain_text
from paperpost.sources.found import ABSTRACT_LIMIT, NAME_LIMIT, TITLE_LIMIT, FoundPaper
from paperpost.sources.libraries.naming import best_first, identifiers_in, stated

MOST_AUTHORS = 500
MOST_TAGS = 100
LONGEST_TAG = 100
LONGEST_NAME = 120
_OLDEST = datetime(1991, 1, 1, tzinfo=UTC)  # nothing here was collected before


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """One work of a library.

    `place` is where it stands ("line 12"), `name` what its reader knows it by; `ids` are its bare
    identifiers, the best first, `added` when it was collected, if that is told. It has a title or
    an identifier.
    """

    place: str
    name: str
    ids: tuple[str, ...]
    title: str = ""
    abstract: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    added: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotRecognised:
    """What no paper could be made of: where it stands, what it was called, and why."""

    place: str
    name: str
    reason: str


Entries = Iterator[LibraryEntry | NotRecognised]


def entry(
    place: str,
    *,
    key: str = "",
    title: str = "",
    abstract: str = "",
    authors: Iterable[str] = (),
    tags: Iterable[str] = (),
    named: Iterable[str] = (),
    remarks: Iterable[str] = (),
    added: str = "",
) -> LibraryEntry | NotRecognised:
    """An entry from what a file tells, cleaned and cut.

    `named` are fields that should hold an identifier or an address, `remarks` fields that may state
    one where those do not; `added` is a date or time in ISO 8601, ignored if it is none.
    """
    title = plain_text(title, TITLE_LIMIT)
    ids = best_first(identifiers_in(named) or stated(remarks))
    name = plain_text(title or key, LONGEST_NAME) or (ids[0] if ids else "")
    if not title and not ids:
        reason = "it has neither a title nor an arXiv id, DOI or PubMed id"
        return NotRecognised(place, name or "an entry without a name", reason)
    return LibraryEntry(
        place=place,
        name=name,
        ids=ids,
        title=title,
        abstract=plain_text(abstract, ABSTRACT_LIMIT),
        authors=_cleaned(authors, NAME_LIMIT, MOST_AUTHORS),
        tags=_cleaned(tags, LONGEST_TAG, MOST_TAGS),
        added=_moment(added),
    )


def entry_of(place: str, found: FoundPaper) -> LibraryEntry:
    """A paper that a source found, as an entry."""
    ids = [found.id, found.doi and f"doi:{found.doi}"]
    return LibraryEntry(
        place=place,
        name=plain_text(found.title, LONGEST_NAME),
        ids=tuple(dict.fromkeys(name for name in ids if name)),
        title=found.title,
        abstract=found.abstract,
        authors=found.authors[:MOST_AUTHORS],
        categories=found.categories,
    )


def _cleaned(texts: Iterable[str], limit: int, most: int) -> tuple[str, ...]:
    cleaned = (plain_text(text, limit) for text in islice(texts, most))
    return tuple(dict.fromkeys(text for text in cleaned if text))


def _moment(text: str) -> datetime | None:
    """When an entry was added; JabRef, BibDesk, Zotero and its CSV write it in four ways."""
    text = text.strip()[:40].replace(" +", "+").replace(" -", "-")
    try:
        moment = datetime.fromisoformat(text) if len(text) > 10 else _day(text)
    except ValueError:
        return None
    try:
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC) if moment >= _OLDEST else None
    except OverflowError:
        return None


def _day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(12), UTC)
