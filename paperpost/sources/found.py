"""A paper as a source tells it, and the one place where what it tells is checked."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args
from urllib.parse import urlsplit

from paperpost.sources import identifiers
from paperpost.sources.cleaning import plain_text

AnnounceKind = Literal["new", "cross", "replace", "replace-cross"]

TITLE_LIMIT = 1_000
ABSTRACT_LIMIT = 20_000
COMMENT_LIMIT = 2_000
NAME_LIMIT = 300
NAMES_LIMIT = 5_000
CATEGORY_LIMIT = 100
CATEGORIES_LIMIT = 100
MOST_UPVOTES = 1_000_000

_FIRST_DAY = date(1991, 1, 1)  # arXiv began that year
_AHEAD = timedelta(days=8)  # a week from tomorrow: announcement dates run ahead of UTC's day
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_FORMATTING = re.compile(
    r"\\(?:text[a-z]*|math[a-z]*|emph|operatorname|ensuremath|boldsymbol|bm|bf|it|rm|tt)(?![a-zA-Z])"
)
_DIACRITICS = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True, slots=True)
class FoundPaper:
    """One paper of one source, checked and cleaned; `id` is None where the source tells none."""

    id: str | None
    title: str
    abstract: str
    announced: date
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    comment: str | None
    version: int | None
    doi: str | None
    url: str | None
    source: str
    kind: AnnounceKind = "new"
    upvotes: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that is no paper: its number (from 1; the line in JSON lines) and the reason.

    With `damage` the data itself is broken there, and papers may be missing.
    """

    record: int
    reason: str
    damage: bool = False


Records = Iterator[FoundPaper | Rejected]


class InvalidRecord(ValueError):
    """A record cannot become a paper; its text is the reason. Never leaves this package."""


def identity(found: FoundPaper) -> str:
    """The id a paper is stored under: its own, else the key of its title."""
    return found.id or title_key(found.title)


def title_key(title: str) -> str:
    """`hf:` and 20 hexadecimal digits of the normalised title's SHA-256."""
    return "hf:" + hashlib.sha256(normalise_title(title).encode()).hexdigest()[:20]


def normalise_title(title: str) -> str:
    """What stays the same between two spellings of one title.

    NFKC, case, accents, white space, punctuation and LaTeX's marks are dropped; the names of its
    symbols stay, because Daily Papers prints `$\\alpha$` as "alpha". So do `+` and `#`: C, C++
    and C# are three languages. A title of nothing else is itself.
    """
    text = unicodedata.normalize("NFKC", _FORMATTING.sub("", title)).casefold()
    text = _DIACRITICS.sub("", unicodedata.normalize("NFKD", text))
    kept = "".join(letter for letter in text if _tells_titles_apart(letter))
    return unicodedata.normalize("NFC", kept) or " ".join(title.split())


def _tells_titles_apart(letter: str) -> bool:
    return letter.isalnum() or letter in "+#" or unicodedata.category(letter)[0] == "M"


def checked(record: Mapping[str, object], *, source: str, today: date) -> FoundPaper:
    """A paper from a record's fields, which are named as in FoundPaper; others are ignored.

    `id` may be in any spelling, `announced` a date or "YYYY-MM-DD", `authors` a list or one
    string joined by "; ", `categories` a list or one string with spaces between. What is too long
    is cut, never a reason to lose the paper. Raises InvalidRecord.
    """
    title = plain_text(_text(record, "title"), TITLE_LIMIT)
    if not title:
        raise InvalidRecord("title is missing or empty")
    identifier = _identifier(record)
    bare = identifier.id if identifier else None
    version = record.get("version")
    return FoundPaper(
        id=bare,
        title=title,
        abstract=plain_text(_text(record, "abstract"), ABSTRACT_LIMIT),
        announced=_announced(record, today),
        authors=_names(record, "authors", "; ", NAME_LIMIT)[:NAMES_LIMIT],
        categories=_names(record, "categories", None, CATEGORY_LIMIT)[:CATEGORIES_LIMIT],
        comment=plain_text(_text(record, "comment"), COMMENT_LIMIT) or None,
        version=version if isinstance(version, int) else identifier and identifier.version,
        doi=_doi(record, bare),
        url=_url(record, bare),
        source=source,
        kind=_kind(record),
        upvotes=_upvotes(record),
    )


def _text(record: Mapping[str, object], field: str) -> str:
    value = record.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidRecord(f"{field} is not text: {_shown(value)}")
    return value


def _shown(value: object) -> str:
    """A foreign value as one short printable line, for a reason."""
    shown = ascii(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _identifier(record: Mapping[str, object]) -> identifiers.PaperIdentifier | None:
    if record.get("id") is None:
        return None
    text = _text(record, "id")
    identifier = identifiers.paper_identifier(text)
    if identifier is None:
        raise InvalidRecord(f"id is no arXiv id, doi: or pmid: {_shown(text)}")
    return identifier


def _announced(record: Mapping[str, object], today: date) -> date:
    value = record.get("announced")
    if value is None:
        raise InvalidRecord("announced is missing")
    announced = value if isinstance(value, date) else _date(value)
    if not _FIRST_DAY <= announced <= today + _AHEAD:
        when = "before 1991" if announced < _FIRST_DAY else "in the future"
        raise InvalidRecord(f"announced is {when}: '{announced}'")
    return announced


def _date(value: object) -> date:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise InvalidRecord(f"announced is not a date: {_shown(value)}")


def _names(
    record: Mapping[str, object], field: str, separator: str | None, limit: int
) -> tuple[str, ...]:
    value = record.get(field)
    if isinstance(value, str):
        value = value.split(separator)
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise InvalidRecord(f"{field} is not a list of strings: {_shown(value)}")
    names = (plain_text(name, limit) for name in value)
    return tuple(name for name in names if name)


def _doi(record: Mapping[str, object], bare: str | None) -> str | None:
    """The DOI told, else the id's own; one that is misspelt is no reason to lose the paper."""
    if bare and bare.startswith("doi:"):
        return bare.removeprefix("doi:")
    return identifiers.bare_doi(_text(record, "doi"))


def _url(record: Mapping[str, object], bare: str | None) -> str | None:
    """The paper's page, from its id if it has one: a link from outside may lead anywhere."""
    if bare and (page := identifiers.page_of(bare)):
        return page
    url = _text(record, "url").strip()
    return url if len(url) <= 2_000 and _is_web_address(url) else None


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # http://[journal]/x
        return False
    return named and url.isprintable() and " " not in url


def _upvotes(record: Mapping[str, object]) -> int | None:
    """What readers of the source gave the paper; a count that is none is no reason to lose it."""
    count = record.get("upvotes")
    if not isinstance(count, int) or isinstance(count, bool):
        return None
    return count if 0 <= count <= MOST_UPVOTES else None


def _kind(record: Mapping[str, object]) -> AnnounceKind:
    for kind in get_args(AnnounceKind):
        if record.get("kind") == kind:
            return kind  # type: ignore[no-any-return]
    return "new"
