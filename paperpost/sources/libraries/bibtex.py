"""BibTeX and BibLaTeX, as JabRef, Mendeley, Zotero, BibDesk, DBLP and Google Scholar write them."""

import logging
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from bibtexparser.entrypoint import parse_string
from bibtexparser.library import Library
from bibtexparser.middlewares.enclosing import RemoveEnclosingMiddleware
from bibtexparser.middlewares.names import (
    parse_single_name_into_parts,
    split_multiple_persons_names,
)
from bibtexparser.model import (
    Block,
    DuplicateBlockKeyBlock,
    DuplicateFieldKeyBlock,
    Entry,
    ImplicitComment,
    ParsingFailedBlock,
)

from paperpost.sources.cleaning import plain_text
from paperpost.sources.errors import UnreadableFile
from paperpost.sources.libraries.entry import Entries, LibraryEntry, NotRecognised, entry
from paperpost.sources.libraries.latex import plain
from paperpost.sources.people import name_in_order

# Broken blocks are told to their reader, not to the log.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

# What the parser may be asked for: it reads all blocks before it gives the first, and stops at each
# of these signs. A work with its abstract has some eighty.
MOST_BLOCKS = 12_000
MOST_SIGNS = 1_000_000
LONGEST_FIELD = 50_000
# Left out by the parser for an entry that stands under another's key, or has a field twice.
_WITHOUT_BRACES = RemoveEnclosingMiddleware()
_BLOCK = re.compile(r"@\w*[ \t]*[{(]")
_SIGNS = '{}",=\n'
_SEPARATOR = re.compile(r"[;,]")
_NAMED = ("arxivid", "arxiv", "doi", "pmid", "url", "ee", "bdsk-url-1", "link", "howpublished")
_REMARKS = (
    "note",
    "journal",
    "journaltitle",
    "volume",
    "annote",
    "extra",
    "howpublished",
    "number",
)
_ADDED = ("date-added", "creationdate", "timestamp", "added-at", "dateadded")
_OF_ARXIV = ("", "arxiv")
_OF_PUBMED = ("pubmed", "pmid", "medline")


def read_bibtex(text: str) -> Entries:
    """The entries of a BibTeX file; blocks that are broken are told, and cost no other one."""
    beginning = _beginning_of(text)
    if sum(map(beginning.count, _SIGNS)) > max(MOST_SIGNS, len(beginning) // 5):
        raise UnreadableFile("there is more punctuation than text in this BibTeX")
    for block in parse_string(beginning).blocks:
        yield from _read(block)
    if len(beginning) < len(text):
        line = beginning.count("\n") + 1
        reason = f"a file may have {MOST_BLOCKS:,} entries, strings and comments"
        yield NotRecognised(f"line {line}", "from here to the end of the file", reason)


def _beginning_of(text: str) -> str:
    """As many blocks as are read."""
    after = next(islice(_BLOCK.finditer(text), MOST_BLOCKS, None), None)
    return text[: after.start()] if after else text


def _read(block: Block) -> Iterator[LibraryEntry | NotRecognised]:
    place = f"line {(block.start_line or 0) + 1}"
    if isinstance(block, DuplicateBlockKeyBlock | DuplicateFieldKeyBlock):
        # Two entries under one key are two works, often enough; of a field told twice one counts.
        whole = block.ignore_error_block
        if isinstance(whole, Entry):
            yield _entry(place, _WITHOUT_BRACES.transform_entry(whole, Library()))
    elif isinstance(block, Entry):
        yield _entry(place, block)
    elif isinstance(block, ParsingFailedBlock):
        yield NotRecognised(place, _beginning(block.raw), "the BibTeX is broken here")
    elif isinstance(block, ImplicitComment) and block.comment.lstrip().startswith("@"):
        yield NotRecognised(place, _beginning(block.comment), "the BibTeX is broken here")


def _beginning(raw: str | None) -> str:
    return plain_text((raw or "")[:200], 60)


def _entry(place: str, found: Entry) -> LibraryEntry | NotRecognised:
    fields = {field.key.lower(): str(field.value)[:LONGEST_FIELD] for field in found.fields}
    return entry(
        place,
        key=found.key,
        title=plain(fields.get("title", "")),
        abstract=fields.get("abstract", ""),
        authors=_names(fields.get("author", "")),
        tags=_tags(fields),
        named=[*_eprint(fields), *(plain(fields.get(name, "")) for name in _NAMED)],
        remarks=[fields.get(name, "") for name in _REMARKS],
        added=next((fields[name] for name in _ADDED if name in fields), ""),
    )


def _eprint(fields: Mapping[str, str]) -> list[str]:
    """The e-print, if it is one of arXiv or PubMed. BibLaTeX calls the archive `eprinttype`."""
    told = fields.get("archiveprefix") or fields.get("eprinttype") or ""
    archive, eprint = told.strip().lower(), fields.get("eprint", "").strip()
    if archive in _OF_ARXIV:
        return [eprint]
    return [f"pmid:{eprint}"] if archive in _OF_PUBMED else []


def _names(text: str) -> Iterator[str]:
    """Names in the order of speech: "Gödel, Kurt and others" is Kurt Gödel."""
    text = " ".join(text.split())
    for name in split_multiple_persons_names(text) if "{" in text else text.split(" and "):
        if name.lower() != "others":
            yield plain(_in_order(name)).replace("~", " ")


def _in_order(name: str) -> str:
    """ "{World Health Organization}" and "Doe, Jr, Jane" are for the library, which is slow."""
    if "{" not in name and name.count(",") < 2:
        return name_in_order(name)
    return parse_single_name_into_parts(name, strict=False).merge_first_name_first


def _tags(fields: Mapping[str, str]) -> list[str]:
    told = (fields.get(name, "") for name in ("keywords", "mendeley-tags", "groups"))
    return [plain(tag) for text in told for tag in _SEPARATOR.split(text)]
