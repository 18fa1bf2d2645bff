"""feedparser behind types: the entries of an RSS or Atom document, as the source wrote them.

feedparser has no types of its own, so this is the only module that imports it. It gets bytes and
nothing else: no address, so that it never reaches for the network itself.
"""

import io
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any

import feedparser
from feedparser.mixin import _FeedParserMixin

from paperpost.sources.errors import UnreadableFile

_LONGEST_WORD = 254  # letters of a name: an e-mail address has no more
_sync_author_detail = _FeedParserMixin._sync_author_detail


def _sync_author_of_words(parser: Any, key: str = "author") -> None:
    """feedparser looks for an e-mail address in every name, with a pattern that takes a word of a
    million letters hours."""
    told = parser._get_context().get(key) or ""
    if max(map(len, told.split()), default=0) <= _LONGEST_WORD:
        _sync_author_detail(parser, key)


_FeedParserMixin._sync_author_detail = _sync_author_of_words


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One item or entry. Texts are "" where the source has none; `published`, in UTC, is when it
    was changed where nothing else is told."""

    id: str
    title: str
    summary: str
    link: str
    published: datetime | None
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    announce_type: str
    comment: str
    doi: str
    identifier: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed's own title, and its entries in their order."""

    title: str
    description: str
    entries: Sequence[FeedEntry]


def parse_feed(data: bytes) -> Feed:
    """The feed in `data`. Raises UnreadableFile if feedparser cannot make anything of it.

    HTML stays as it is: feedparser's own sanitising takes `p<0.05` for a tag.
    """
    try:
        parsed = feedparser.parse(
            io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False
        )
        entries = [_entry(entry) for entry in parsed.entries]
        return Feed(_text(parsed.feed, "title"), _text(parsed.feed, "subtitle"), entries)
    except Exception as error:  # hostile feeds have brought it to raise all kinds of errors
        raise UnreadableFile(f"the feed cannot be parsed: {type(error).__name__}") from error


def _entry(entry: Any) -> FeedEntry:
    return FeedEntry(
        id=_text(entry, "id"),
        title=_text(entry, "title"),
        summary=_text(entry, "summary"),
        link=_text(entry, "link"),
        published=_moment(entry.get("published_parsed") or dict.get(entry, "updated_parsed")),
        authors=tuple(_text(author, "name") for author in entry.get("authors", ())),
        categories=_categories(entry),
        announce_type=_text(entry, "arxiv_announce_type"),
        comment=_text(entry, "arxiv_comment"),
        doi=_text(entry, "arxiv_doi") or _text(entry, "prism_doi"),
        identifier=_text(entry, "dc_identifier"),
    )


def _text(record: Any, field: str) -> str:
    value = record.get(field)
    return value if isinstance(value, str) else ""


def _moment(parsed: Any) -> datetime | None:
    """None also for a year that is none, and for those at whose ends other time zones have no
    date."""
    if not parsed or not MINYEAR < parsed[0] < MAXYEAR:
        return None
    return datetime.fromtimestamp(timegm(parsed), UTC)


def _categories(entry: Any) -> tuple[str, ...]:
    """The categories, the primary one first."""
    primary = _text(entry.get("arxiv_primary_category") or {}, "term")
    terms = [_text(tag, "term") for tag in entry.get("tags", ())]
    return tuple(dict.fromkeys(term for term in (primary, *terms) if term))
