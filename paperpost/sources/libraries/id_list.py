"""A plain list of arXiv ids, DOIs, PubMed ids and addresses, one on a line or several."""

import re

from paperpost.sources.cleaning import plain_text
from paperpost.sources.libraries.entry import Entries, LibraryEntry, NotRecognised
from paperpost.sources.libraries.naming import identifier_in

# A DOI may hold commas and semicolons, so that one parts two ids only where another id begins.
_SEPARATOR = re.compile(
    r"[,;]+(?=$|10\.[0-9]{4,9}/|https?:|www\.|arxiv|doi|pmid|[0-9]{4}\.[0-9]{4}|[0-9]{6,9}(?:[,;]|$))"
    r"|(?<=[0-9])[,;]+(?=[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7})",
    re.IGNORECASE,
)
# A number alone is PubMed's: arXiv's have a point or a slash, DOIs a slash.
_PUBMED = re.compile(r"[1-9][0-9]{5,8}")
_COMMENT = "#"


def read_id_list(text: str) -> Entries:
    """An entry for each id. Beside an id a line may hold other words; one without is told."""
    for number, line in enumerate(text.splitlines(), start=1):
        told = line.strip()
        if not told or told.startswith(_COMMENT):
            continue
        found = _identifiers(told)
        for bare in found:
            yield LibraryEntry(f"line {number}", bare, (bare,))
        if not found:
            reason = "no arXiv id, DOI, PubMed id or address of a paper"
            yield NotRecognised(f"line {number}", plain_text(told, 80) or "no words", reason)


def _identifiers(line: str) -> list[str]:
    pieces = (piece for word in line.split() for piece in _SEPARATOR.split(word))
    return list(dict.fromkeys(bare for piece in pieces if (bare := _identifier(piece))))


def _identifier(word: str) -> str | None:
    word = word.strip("()[]<>\"'").rstrip(".,;")
    if _PUBMED.fullmatch(word):
        return f"pmid:{word}"
    return identifier_in(word)
