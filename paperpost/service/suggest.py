"""Interests that a library suggests: its reader's own tags, and the authors they often collect."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from paperpost.service.wishes import InvalidWish, terms
from paperpost.sources.libraries.entry import LibraryEntry
from paperpost.store.author_names import author_key

MOST_KEYWORDS = 12
MOST_AUTHORS = 8
# So many tags and names are counted, of each work the first authors: what is frequent shows there.
MOST_COUNTED = 100_000
FIRST_AUTHORS = 20
# In so many entries before it says something of the reader.
KEYWORD_IN = 2
AUTHOR_IN = 3
# Tags about reading, not about what is read.
_CHORES = frozenset(
    {
        *("to read", "toread", "to-read", "unread", "read", "reading", "todo", "to do", "done"),
        *("important", "favorite", "favourite", "favorites", "favourites", "notion", "printed"),
        *("inbox", "new", "misc", "other", "paper", "papers", "article", "imported", "duplicate"),
    }
)
# arXiv's subjects as Zotero tags them: "Computer Science - Computation and Language".
_SUBJECT = re.compile(
    r"^(?:computer science|statistics|mathematics|physics|quantitative biology|economics"
    r"|electrical engineering and systems science|quantitative finance)\s+-\s+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Suggested:
    """Interests that a library suggests, the strongest first."""

    keywords: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()

    def without(self, known: Iterable[str]) -> "Suggested":
        """What is left of it for somebody who follows these already."""
        own = {value.casefold() for value in known}
        return Suggested(
            tuple(one for one in self.keywords if one.casefold() not in own),
            tuple(one for one in self.authors if one.casefold() not in own),
        )


def suggested(entries: Iterable[LibraryEntry]) -> Suggested:
    """Tags and authors that stand with several entries."""
    tags, authors = _Spellings(), _Spellings()
    counted = 0
    for entry in entries:
        first = entry.authors[:FIRST_AUTHORS]
        counted += len(entry.tags) + len(first)
        if counted > MOST_COUNTED:
            break
        tags.count({tag.casefold(): tag for tag in map(_topic, entry.tags) if tag})
        authors.count({key: name for name in first if (key := author_key(name))})
    return Suggested(
        tags.most_common(KEYWORD_IN, MOST_KEYWORDS), authors.most_common(AUTHOR_IN, MOST_AUTHORS)
    )


class _Spellings:
    """How many entries have something, in its most frequent spelling."""

    def __init__(self) -> None:
        self._entries: Counter[str] = Counter()
        self._spelt: dict[str, Counter[str]] = {}

    def count(self, spellings: dict[str, str]) -> None:
        """One more entry, with what it has by key."""
        self._entries.update(spellings.keys())
        for key, spelling in spellings.items():
            self._spelt.setdefault(key, Counter())[spelling] += 1

    def most_common(self, least: int, most: int) -> tuple[str, ...]:
        """What at least so many entries have."""
        ranked = sorted(self._entries.items(), key=lambda counted: (-counted[1], counted[0]))
        frequent = [key for key, number in ranked[:most] if number >= least]
        return tuple(self._spelt[key].most_common(1)[0][0] for key in frequent)


def _topic(tag: str) -> str:
    """A tag as a keyword; empty for one that is none."""
    topic = _SUBJECT.sub("", tag).replace("_", " ").strip()
    try:
        cleaned = terms(topic) or ()
    except InvalidWish:
        return ""
    is_topic = len(cleaned) == 1 and len(topic) > 1 and topic[0].isalnum()
    return cleaned[0] if is_topic and topic.casefold() not in _CHORES else ""
