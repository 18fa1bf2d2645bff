"""RIS, as EndNote, Mendeley, Zotero, Web of Science and publishers write it.

Read here rather than by rispy, which loses a last record without its end, knows no line numbers,
and needs a minute for a field of a million lines.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from paperpost.sources.libraries.entry import Entries, LibraryEntry, NotRecognised, entry
from paperpost.sources.people import name_in_order

_LINE = re.compile(r"([A-Z][A-Z0-9])  ?-(?: (.*))?$")
_TITLES = ("TI", "T1", "CT", "BT")
_AUTHORS = ("AU", "A1")
_NAMED = ("DO", "UR", "L1", "L2", "LK")
# These hold whatever their program has no other field for, also words about other works.
_MAY_NAME = ("M3", "AN", "C1", "M1")
_REMARKS = ("N1", "AN", "C1", "C2", "M1", "M2", "M3", "JO", "JF", "T2", "PB", "RN")
_KEYWORDS = re.compile(r"[;\n]")

Fields = Mapping[str, list[str]]


def read_ris(text: str) -> Entries:
    """The entries of an RIS file: from each TY to its ER, or to where the next one begins."""
    for line, fields in _records(text):
        yield _entry(f"line {line}", fields)


def is_ris(line: str) -> bool:
    """Whether a line begins a record."""
    found = _LINE.match(line.rstrip())
    return found is not None and found[1] == "TY"


def _records(text: str) -> Iterator[tuple[int, Fields]]:
    """The line on which each record begins, and its fields: lines without a tag go on with the
    one before."""
    start = 0
    fields: dict[str, list[list[str]]] = defaultdict(list)
    latest: list[str] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line or line.isspace():
            continue
        found = _LINE.match(line.rstrip())
        tag = found[1] if found else ""
        if tag in ("TY", "ER"):
            if start:
                yield start, _joined(fields)
            fields.clear()
            start, latest = (number, None) if tag == "TY" else (0, None)
        elif start and found:
            latest = [found[2] or ""]
            fields[tag].append(latest)
        elif start and latest is not None:
            latest.append(line.strip())
    if start:
        yield start, _joined(fields)


def _joined(fields: Mapping[str, list[list[str]]]) -> Fields:
    return {tag: ["\n".join(lines).strip() for lines in told] for tag, told in fields.items()}


def _entry(place: str, fields: Fields) -> LibraryEntry | NotRecognised:
    return entry(
        place,
        key=_first(fields, "ID"),
        title=_first(fields, *_TITLES),
        abstract=_first(fields, "AB", "N2"),
        authors=[name_in_order(name) for tag in _AUTHORS for name in fields.get(tag, ())],
        tags=[tag for told in fields.get("KW", ()) for tag in _KEYWORDS.split(told)],
        named=[
            *_pubmed(fields),
            *(word for tag in _NAMED for word in _words(fields, tag)),
            *(told for tag in _MAY_NAME for told in fields.get(tag, ())),
        ],
        remarks=[told for tag in _REMARKS for told in fields.get(tag, ())],
    )


def _first(fields: Fields, *tags: str) -> str:
    return next((told for tag in tags for told in fields.get(tag, ()) if told), "")


def _words(fields: Fields, tag: str) -> list[str]:
    return [word for told in fields.get(tag, ())[:20] for word in told[:2_000].split()]


def _pubmed(fields: Fields) -> list[str]:
    """EndNote keeps PubMed's number as the accession number."""
    if any("pubmed" in told.lower() for tag in ("DB", "DP") for told in fields.get(tag, ())):
        return [f"pmid:{number}" for number in fields.get("AN", ())]
    return []
