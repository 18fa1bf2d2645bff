"""Zotero RDF, the format that Zotero's export proposes first."""

from collections.abc import Iterator
from io import BytesIO
from xml.etree.ElementTree import Element

from paperpost.sources.libraries.entry import Entries, LibraryEntry, NotRecognised, entry
from paperpost.sources.xml_documents import Damage, elements, local_name

ROOT = "RDF"
# What Zotero's kinds of works are written as; conference papers and preprints are `Description`.
_WORKS = frozenset(
    {
        *("Article", "Book", "BookSection", "Description", "Document", "Manuscript", "Report"),
        *("Thesis", "Patent", "Letter", "Data", "Recording", "MotionPicture", "Legislation"),
    }
)


def read_zotero_rdf(data: bytes) -> Entries:
    """The works of an export. Raises UnreadableFile where the XML declares entities."""
    number = 0
    for found in elements(BytesIO(data), _WORKS):
        if isinstance(found, Damage):
            yield NotRecognised(f"line {found.line}", "the rest of the file", found.reason)
        elif _children(found, "title"):
            number += 1
            yield _entry(f"entry {number}", found)


def _entry(place: str, work: Element) -> LibraryEntry | NotRecognised:
    return entry(
        place,
        title=_first(work, "title"),
        abstract=_first(work, "abstract"),
        authors=_authors(work),
        tags=[_all_text(tag) for tag in _children(work, "subject")],
        named=_identifiers(work),
        remarks=[_all_text(remark) for remark in _children(work, "description")],
    )


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if local_name(child) == name]


def _first(element: Element, name: str) -> str:
    return next(map(_all_text, _children(element, name)), "")


def _all_text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _authors(work: Element) -> Iterator[str]:
    for authors in _children(work, "authors"):
        for person in authors.iter():
            if local_name(person) == "Person":
                yield f"{_first(person, 'givenName')} {_first(person, 'surname')}".strip()


def _identifiers(work: Element) -> Iterator[str]:
    """What the work is called, as "DOI 10.1000/x" or an address; an article's DOI stands with its
    journal, where that is written inside of it."""
    for element in work.iter():
        if local_name(element) == "identifier":
            yield _all_text(element).removeprefix("DOI ")
