"""Zotero's own formats: items as JSON (its web API, Better BibTeX JSON), CSL JSON, and CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from paperpost.sources.errors import UnreadableFile
from paperpost.sources.libraries.entry import Entries, LibraryEntry, NotRecognised, entry
from paperpost.sources.people import name_in_order

_CSV_NAMED = ("doi", "url", "archive location", "number", "pmid", "arxiv")
_BESIDE_A_TITLE = ("doi", "url", "key", "item type", "author", "authors")
# Parts of other items, not works.
_PARTS = frozenset({"attachment", "note", "annotation"})


def read_items(items: Iterable[object]) -> Entries:
    """Items as Zotero's web API gives them (https://www.zotero.org/support/dev/web_api/v3), or as
    CSL JSON (https://docs.citationstyles.org), which name their fields in two ways."""
    for number, item in enumerate(items, start=1):
        place = f"entry {number}"
        if not isinstance(item, dict):
            yield NotRecognised(place, "an entry without a name", "it is not an object")
            continue
        fields = item["data"] if isinstance(item.get("data"), dict) else item
        if _text(fields, "itemType") not in _PARTS:
            yield _item(place, fields)


def _item(place: str, item: Mapping[str, Any]) -> LibraryEntry | NotRecognised:
    named = ("DOI", "url", "URL", "archiveID", "number", "archive_location")
    return entry(
        place,
        key=_text(item, "key") or _text(item, "id"),
        title=_text(item, "title"),
        abstract=_text(item, "abstractNote") or _text(item, "abstract"),
        authors=_people(item),
        tags=_tags(item),
        named=[*(_text(item, name) for name in named), _pubmed(item)],
        remarks=[_text(item, name) for name in ("extra", "note", "archiveID", "number")],
        added=_text(item, "dateAdded"),
    )


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _pubmed(item: Mapping[str, Any]) -> str:
    number = item.get("PMID")
    return f"pmid:{number}" if isinstance(number, str | int) and number else ""


def _people(item: Mapping[str, Any]) -> Iterator[str]:
    """The authors: Zotero's creators with their parts, CSL's with theirs."""
    for person in _dicts(item.get("creators")):
        if person.get("creatorType", "author") in ("author", "presenter", "inventor"):
            whole = f"{_text(person, 'firstName')} {_text(person, 'lastName')}".strip()
            yield _text(person, "name") or whole
    for person in _dicts(item.get("author")):
        particle = _text(person, "non-dropping-particle")
        parts = (_text(person, "given"), particle, _text(person, "family"))
        yield _text(person, "literal") or " ".join(part for part in parts if part)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _tags(item: Mapping[str, Any]) -> list[str]:
    told = item.get("tags")
    tags = told if isinstance(told, list) else []
    named = [tag.get("tag") if isinstance(tag, dict) else tag for tag in tags]
    return [*(tag for tag in named if isinstance(tag, str)), *_text(item, "keyword").split(",")]


def read_csv(text: str) -> Entries:
    """Zotero's CSV, and any other with a column for the title and one for the DOI or address."""
    rows = csv.DictReader(io.StringIO(text, newline=None))
    try:
        rows.fieldnames = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    except csv.Error as error:
        raise UnreadableFile(f"the CSV is broken in its first line: {error}") from error
    while True:
        place = f"line {rows.reader.line_num + 1}"
        try:
            yield _row(place, next(rows))
        except StopIteration:
            return
        except csv.Error as error:  # the next row begins with the next line
            yield NotRecognised(place, "a row", f"the CSV is broken here: {error}")


def _row(place: str, row: Mapping[str, str | None]) -> LibraryEntry | NotRecognised:
    def told(*names: str) -> str:
        values = (row.get(name) for name in names)
        return next((value for value in values if isinstance(value, str) and value), "")

    tags = (told("manual tags"), told("automatic tags"), told("tags", "keywords"))
    return entry(
        place,
        key=told("key"),
        title=told("title"),
        abstract=told("abstract note", "abstract"),
        authors=[name_in_order(name) for name in told("author", "authors").split(";")],
        tags=[tag for text in tags for tag in text.split(";")],
        named=[told(name) for name in _CSV_NAMED],
        remarks=[told(name) for name in ("extra", "notes", "publication title", "number")],
        added=told("date added"),
    )


def is_csv(line: str) -> bool:
    """Whether a first line names the columns that are needed."""
    names = {name.strip().strip('"').lower() for name in line.split(",")}
    return "title" in names and not names.isdisjoint(_BESIDE_A_TITLE)
