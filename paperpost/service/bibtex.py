"""Papers as BibTeX, which every reference manager reads.

Titles are what their authors wrote: LaTeX in them stays, and whatever would end the field does not.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import count

from bibtexparser.entrypoint import write_string
from bibtexparser.library import Library
from bibtexparser.model import Entry, Field
from bibtexparser.writer import BibtexFormat

from mailer.plain import readable
from paperpost.sources.identifiers import is_arxiv
from paperpost.store.database import printable
from paperpost.store.library import public_name
from paperpost.store.tables import NEVER_ANNOUNCED, Paper

LONGEST_FIELD = 20_000
# Fields that are taken as they stand (BibLaTeX's manual, section 3.1: "verbatim field"): without
# what would end them.
_VERBATIM = re.compile(r"[^\s{}\\]+")
_ARXIV_CATEGORY = re.compile(r"[a-z-]+(?:\.[A-Za-z-]{2,})?")
_DOLLAR = re.compile(r"(?<!\\)\$")
_MATH = re.compile(r"((?<!\\)\$[^$]*(?<!\\)\$)")
_ACTIVE = re.compile(r"(?<!\\)([%&#_])")
_JOINS_NAMES = re.compile(r",|\b(?:and|others)\b", re.IGNORECASE)
_WORD = re.compile(r"[a-z0-9]+")
_ONE_EMPTY_LINE = BibtexFormat()  # type: ignore[no-untyped-call]
_ONE_EMPTY_LINE.block_separator = "\n"
# Words that tell nothing of a title.
_SMALL = re.compile(
    "an?|and|are|as|at|by|can|do|does|for|from|how|in|into|is|it|of|on|or|the|to|towards|via|what"
    "|when|why|with"
)


def bibtex(papers: Sequence[Paper]) -> str:
    """A BibTeX file of the papers, in their order, each under a key of its own.

    They are preprints and notices of papers, so all are @misc: none says what a journal would.
    """
    keys: set[str] = set()
    library = Library()
    for paper in papers:
        key = _unused(_key(paper), keys)
        keys.add(key)
        fields = [Field(name, value) for name, value in _fields(paper) if value]
        library.add(Entry("misc", key, fields))
    return write_string(library, bibtex_format=_ONE_EMPTY_LINE)


def _fields(paper: Paper) -> Iterator[tuple[str, str]]:
    yield "author", " and ".join(_name(author) for author in paper.authors if author.strip())
    name = public_name(paper)
    yield "title", _latex(paper.title) or _latex(name)
    yield "year", _year(paper)
    scheme, _, rest = name.partition(":")
    if is_arxiv(name):
        yield "eprint", _verbatim(name)
        yield "archivePrefix", "arXiv"
        yield "primaryClass", _primary_class(paper)
    elif scheme == "doi":
        yield "doi", _verbatim(rest)
    elif scheme == "pmid":
        yield "eprint", _verbatim(rest)
        yield "eprinttype", "pubmed"
    if paper.url and paper.url.startswith(("https://", "http://")):
        yield "url", _verbatim(paper.url)


def _year(paper: Paper) -> str:
    """The year of its announcement; nothing for a work that only a reader's library tells of."""
    return "" if paper.announced == NEVER_ANNOUNCED else f"{paper.announced.year}"


def _latex(text: str) -> str:
    r"""The text as the value of a field: what BibTeX counts, braces, and what LaTeX acts on
    outside of mathematics are made harmless; everything else stays."""
    line = printable(text, LONGEST_FIELD)
    if not _is_balanced(line):
        line = line.replace("{", "").replace("}", "").strip()
    line = line.rstrip("\\")  # which might escape the closing brace
    if len(_DOLLAR.findall(line)) % 2:
        return _ACTIVE.sub(r"\\\1", _DOLLAR.sub(r"\\$", line))
    pieces = _MATH.split(line)  # text and mathematics, in turns
    pieces[::2] = [_ACTIVE.sub(r"\\\1", prose) for prose in pieces[::2]]
    return "".join(pieces)


def _is_balanced(text: str) -> bool:
    r"""Whether the braces pair up for every reader: to BibTeX \{ is one as well, to others it is
    none, and some of those take \\{ for the same."""
    readings = (text, re.sub(r"\\.", "", text), re.sub(r"\\[{}]", "", text))
    return all(map(_pairs_up, readings))


def _pairs_up(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return depth == 0


def _name(author: str) -> str:
    """A name; one that would be read as several is told to be one."""
    name = _latex(author)
    return f"{{{name}}}" if _JOINS_NAMES.search(name) else name


def _verbatim(text: str) -> str:
    return text if text.isprintable() and _VERBATIM.fullmatch(text) else ""


def _primary_class(paper: Paper) -> str:
    first = paper.categories[0] if paper.categories else ""
    return first if _ARXIV_CATEGORY.fullmatch(first) else ""


def _key(paper: Paper) -> str:
    """author2026word, in plain letters; a part that has none is left out. What has no part at all
    is called by its id."""
    names = _words(paper.authors[0]) if paper.authors else []
    telling = [word for word in _words(paper.title) if not _SMALL.fullmatch(word)]
    family, word = names[-1] if names else "paper", telling[0] if telling else ""
    by_id = "" if names or _year(paper) or word else "".join(_words(public_name(paper)))
    return f"{family}{_year(paper)}{word}{by_id}"


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", readable(text)).encode("ascii", "ignore").decode()
    return _WORD.findall(re.sub(r"['-]", "", folded.lower()))


def _unused(key: str, taken: set[str]) -> str:
    if key not in taken:
        return key
    return next(another for n in count(2) if (another := f"{key}-{n}") not in taken)
