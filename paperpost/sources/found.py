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
ALSO_LIMIT = 20
MOST_COUNTED = 1_000_000  # upvotes, comments
_HIGHEST_VERSION = 9_999

_FIRST_DAY = date(1991, 1, 1)  # arXiv began that year
_AHEAD = timedelta(days=8)  # a week from tomorrow: announcement dates run ahead of UTC's day
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_FORMATTING = re.compile(
    r"\\(?:text[a-z]*|math[a-z]*|emph|operatorname|ensuremath|boldsymbol|bm|bf|it|rm|tt)(?![a-zA-Z])"
)
_DIACRITICS = re.compile("[\u0300-\u036f]")
# By how much a title has to say before two papers are one because of it.
_LEAST_WORDS = 3
_LEAST_LETTERS = 12
_GENERIC_TITLE = re.compile(
    r"\W*(?:(?:author |publisher )?correction(?: to\b|:)|corrigend(?:um|a)\b|errat(?:um|a)\b"
    r"|retracted\b|retraction(?: of\b| note\b|:)|expression of concern|comments? on\b"
    r"|(?:reply|response) to\b|(?:guest )?editorial\b|letters? to the editor|book reviews?\b"
    r"|in this issue|table of contents|research highlights|news in brief|in memoriam)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FoundPaper:
    """One paper of one source, checked and cleaned; `id` is None where the source tells none.

    `also` are other identifiers of the same work. `upvotes` and `discussed` are what readers of the
    source gave it, in upvotes and comments.

    `revised` is the day on which this version replaced an older one. A paper of the kinds
    `replace` and `replace-cross` is not news: it changes what is known, and is nothing of its own.
    """

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
    discussed: int | None = None
    revised: date | None = None
    also: tuple[str, ...] = ()


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


def is_telling(title: str) -> bool:
    """Whether papers of that title are likely to be one: not "Editorial", nor "Correction to" one
    and the same paper, which appear again and again, often of the same authors."""
    words, letters = len(_words(title)), len(normalise_title(title))
    long_enough = words >= _LEAST_WORDS and letters >= _LEAST_LETTERS
    return long_enough and not _GENERIC_TITLE.match(title)


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


def _words(title: str) -> list[str]:
    """Words as `normalise_title` sees them: a hyphen is as good as a space."""
    text = _FORMATTING.sub("", title)
    return "".join(one if _tells_titles_apart(one) else " " for one in text).split()


def _tells_titles_apart(letter: str) -> bool:
    return letter.isalnum() or letter in "+#" or unicodedata.category(letter)[0] == "M"


def checked(record: Mapping[str, object], *, source: str, today: date) -> FoundPaper:
    """A paper from a record's fields, which are named as in FoundPaper; others are ignored.

    `id` may be in any spelling, as those of `also`; `announced` and `revised` a date or
    "YYYY-MM-DD", `authors` a list or one string joined by "; ", `categories` a list or one string
    with spaces between. What is too long is cut, never a reason to lose the paper. Raises
    InvalidRecord.
    """
    title = plain_text(_text(record, "title"), TITLE_LIMIT)
    if not title:
        raise InvalidRecord("title is missing or empty")
    identifier = _identifier(record)
    bare = identifier.id if identifier else None
    return FoundPaper(
        id=bare,
        title=title,
        abstract=plain_text(_text(record, "abstract"), ABSTRACT_LIMIT),
        announced=_day(record, "announced", today),
        authors=_names(record, "authors", "; ", NAME_LIMIT)[:NAMES_LIMIT],
        categories=_names(record, "categories", None, CATEGORY_LIMIT)[:CATEGORIES_LIMIT],
        comment=plain_text(_text(record, "comment"), COMMENT_LIMIT) or None,
        version=_version(record) or (identifier and identifier.version),
        doi=_doi(record, bare),
        url=_url(record, bare),
        source=source,
        kind=_kind(record),
        upvotes=_count(record, "upvotes"),
        discussed=_count(record, "discussed"),
        revised=_revised(record, today),
        also=_also(record, bare),
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


def _day(record: Mapping[str, object], field: str, today: date) -> date:
    value = record.get(field)
    if value is None:
        raise InvalidRecord(f"{field} is missing")
    day = value if isinstance(value, date) else _date(value, field)
    if not _FIRST_DAY <= day <= today + _AHEAD:
        when = "before 1991" if day < _FIRST_DAY else "in the future"
        raise InvalidRecord(f"{field} is {when}: '{day}'")
    return day


def _date(value: object, field: str) -> date:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise InvalidRecord(f"{field} is not a date: {_shown(value)}")


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


def _count(record: Mapping[str, object], field: str) -> int | None:
    """What readers of the source gave the paper; a count that is none is no reason to lose it."""
    count = record.get(field)
    if not isinstance(count, int) or isinstance(count, bool):
        return None
    return count if 0 <= count <= MOST_COUNTED else None


def _also(record: Mapping[str, object], bare: str | None) -> tuple[str, ...]:
    """Other identifiers than the id, each once; what is none is left out."""
    told = record.get("also")
    texts = told if isinstance(told, list | tuple) else ()
    found = (identifiers.any_identifier(text) for text in texts if isinstance(text, str))
    return tuple(dict.fromkeys(one for one in found if one and one != bare))[:ALSO_LIMIT]


def _revised(record: Mapping[str, object], today: date) -> date | None:
    return None if record.get("revised") is None else _day(record, "revised", today)


def _version(record: Mapping[str, object]) -> int | None:
    """The version told; a number that is none is no reason to lose the paper."""
    version = record.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        return None
    return version if 0 < version <= _HIGHEST_VERSION else None


def _kind(record: Mapping[str, object]) -> AnnounceKind:
    for kind in get_args(AnnounceKind):
        if record.get("kind") == kind:
            return kind  # type: ignore[no-any-return]
    return "new"
