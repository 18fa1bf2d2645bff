"""A plain list of arXiv ids, DOIs, PubMed ids and addresses, one on a line or several."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from paperpost.sources.cleaning import plain_text
from paperpost.sources.libraries.entry import Entries, LibraryEntry, NotRecognised
from paperpost.sources.libraries.naming import identifier_in

# A DOI may hold commas and semicolons, so that one parts two ids only where another id begins.
_SEPARATOR = re.compile(
    r"(?<![,;])[,;]++(?=$|10\.[0-9]{4,9}/|https?:|www\.|arxiv|doi|pmid|[0-9]{4}\.[0-9]{4}|[0-9]{6,9}(?:[,;]|$))"
    r"|(?<=[0-9])[,;]++(?=[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7})",
    re.IGNORECASE,
)
# What may hold an id: the shortest has six signs, and each has digits.
_WORD = re.compile(r"\S{6,}")
_DIGIT = re.compile(r"[0-9]")
MOST_WORDS = 100_000
# A number alone is PubMed's: arXiv's have a point or a slash, DOIs a slash.
_PUBMED = re.compile(r"[1-9][0-9]{5,8}")
_COMMENT = "#"


def read_id_list(text: str) -> Entries:
    """An entry for each id. Beside an id a line may hold other words; one without is told."""
    left = MOST_WORDS
    for number, line in enumerate(text.splitlines(), start=1):
        told = line.strip()
        if not told or told.startswith(_COMMENT):
            continue
        words = list(islice(filter(_DIGIT.search, _words(told)), left + 1))
        left -= len(words)
        if left < 0:
            reason = f"a list may have {MOST_WORDS:,} words with digits"
            yield NotRecognised(f"line {number}", "from here to the end of the file", reason)
            return
        found = _identifiers(words)
        for bare in found:
            yield LibraryEntry(f"line {number}", bare, (bare,))
        if not found:
            reason = "no arXiv id, DOI, PubMed id or address of a paper"
            yield NotRecognised(f"line {number}", plain_text(told, 80) or "no words", reason)


def _words(line: str) -> Iterator[str]:
    """The words of a line that may be ids."""
    for found in _WORD.finditer(line):
        begin, word = 0, found[0]
        for separator in _SEPARATOR.finditer(word):
            yield word[begin : separator.start()]
            begin = separator.end()
        yield word[begin:]


def _identifiers(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(bare for word in words if (bare := _identifier(word))))


def _identifier(word: str) -> str | None:
    word = word.strip("()[]<>\"'").rstrip(".,;")
    if _PUBMED.fullmatch(word):
        return f"pmid:{word}"
    return identifier_in(word)
