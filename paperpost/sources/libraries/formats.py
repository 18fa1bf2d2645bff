"""A library, whatever its format: told by its content, never by its name."""

import json
import re
from typing import Any

from paperpost.sources.errors import UnreadableFile
from paperpost.sources.libraries import bibtex, id_list, ris, zotero, zotero_rdf
from paperpost.sources.libraries.entry import Entries
from paperpost.sources.xml_documents import UTF8_MARK, root_name

_HEAD = 64 * 1024
_BIBTEX = re.compile(r"^[^\S\n]*@\s*[A-Za-z]+\s*[{(]", re.MULTILINE)
# What begins a tag or an entity: each costs a microsecond to clean, and abstracts have few.
MOST_MARKUP = 300_000
_NOT_TEXT = {
    b"\x1f\x8b": "the file is compressed; unpack it first",
    b"PK": "the file is an archive; unpack it first",
    b"%PDF": "the file is a PDF, not a list of works",
    b"\xff\xfe": "the text is UTF-16; save it as UTF-8",
    b"\xfe\xff": "the text is UTF-16; save it as UTF-8",
}


def read_library(data: bytes) -> Entries:
    """The entries of a library, and what in it is none.

    Formats: BibTeX, RIS, Zotero (RDF, JSON, CSV), CSL JSON, and lists of arXiv ids, DOIs, PubMed
    ids and addresses. Raises UnreadableFile for anything else.
    """
    for mark, reason in _NOT_TEXT.items():
        if data.startswith(mark):
            raise UnreadableFile(reason)
    data = data.removeprefix(UTF8_MARK)
    is_rdf = root_name(data[:_HEAD].lstrip()) == zotero_rdf.ROOT
    markup = data.count(b"&") + (0 if is_rdf else data.count(b"<"))
    if markup > max(MOST_MARKUP, len(data) // 20):
        raise UnreadableFile("there is more markup than text in it")
    if is_rdf:
        return zotero_rdf.read_zotero_rdf(data.lstrip())
    return _read_text(_decoded(data))


def _decoded(data: bytes) -> str:
    """UTF-8, else what older programs on Windows wrote."""
    if b"\0" in data:
        raise UnreadableFile("the file is not text")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _read_text(text: str) -> Entries:
    lines = [line for line in text[:_HEAD].splitlines() if line.strip()]
    if not lines:
        raise UnreadableFile("there is nothing in it")
    if lines[0].lstrip()[0] in "[{":
        return zotero.read_items(_items(text))
    if any(map(ris.is_ris, lines)):
        return ris.read_ris(text)
    if _BIBTEX.search(text):
        return bibtex.read_bibtex(text)
    if zotero.is_csv(lines[0]):
        return zotero.read_csv(text.lstrip())
    if lines[0].lstrip().startswith("<"):
        raise UnreadableFile("XML or HTML, but not Zotero RDF")
    return id_list.read_id_list(text)


def _items(text: str) -> list[Any]:
    """The items of a JSON document: a list, or an object that has one."""
    try:
        # Python reads no number of more than 4,300 digits; as a text it costs no other entry.
        document = json.loads(text, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"the JSON is broken: {str(error)[:100]}") from error
    if isinstance(document, dict):
        document = document.get("items", [document])
    if not isinstance(document, list):
        raise UnreadableFile("the JSON is no list of works")
    return document
