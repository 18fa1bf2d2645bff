"""Where a paper is, and which source told what of it and when, as its page shows it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote, urlsplit

from sqlmodel import Session

from paperpost.sources.identifiers import is_arxiv, page_of
from paperpost.store.records import Record, best_first
from paperpost.store.related import records_of
from paperpost.store.tables import Paper

DAILY_PAPERS = "hf-daily-papers"
# Kinds of sources as their readers call them.
NAMES = {
    "arxiv": "arXiv",
    "biorxiv": "bioRxiv",
    "medrxiv": "medRxiv",
    "pubmed": "PubMed",
    "openalex": "OpenAlex",
    DAILY_PAPERS: "Hugging Face Daily Papers",
    "import": "a file",
}


@dataclass(frozen=True, slots=True)
class Place:
    """An address where a paper, or what is said of it, can be read; `note` is what was counted
    there."""

    label: str
    address: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """What one source told on one day: a paper, or that a new version replaced it. `version` is
    None where the source numbers none."""

    source: str
    version: int | None
    day: date
    replaced: bool


@dataclass(frozen=True, slots=True)
class Origins:
    """The places of a paper, the best first, and what was told of it, the oldest first."""

    places: tuple[Place, ...]
    told: tuple[Telling, ...]


def origins(session: Session, paper: Paper) -> Origins:
    """Where a stored paper is from."""
    records = best_first(records_of(session, paper))
    told = {_telling(record): None for record in records}
    return Origins(
        tuple(_places(paper, records)),
        tuple(sorted(told, key=lambda one: (one.day, one.version or 0, one.source))),
    )


def _places(paper: Paper, records: Sequence[Record]) -> Iterator[Place]:
    names = list(dict.fromkeys([paper.id, *(name for one in records for name in one.names)]))
    addresses = set()
    for name in names:
        if address := page_of(name):
            addresses |= {address, unquote(address)}  # records of old hold DOIs as they are
            yield Place(_label(name), address)
    if is_arxiv(paper.id):
        yield Place("PDF", f"https://arxiv.org/pdf/{paper.id}")
        if paper.upvotes is not None or any(one.source == DAILY_PAPERS for one in records):
            address = f"https://huggingface.co/papers/{paper.id}"
            yield Place("Discussion on Hugging Face", address, _given(paper))
    for address in dict.fromkeys(one.url for one in records if one.url):
        if address not in addresses:
            yield Place((urlsplit(address).hostname or "").removeprefix("www."), address)


def _label(name: str) -> str:
    if is_arxiv(name):
        return f"arXiv {name}"
    scheme, _, rest = name.partition(":")
    return f"DOI {rest}" if scheme == "doi" else f"PubMed {rest}"


def _given(paper: Paper) -> str:
    """What its readers there gave it."""
    numbers = ((paper.upvotes or 0, "upvote"), (paper.discussed or 0, "comment"))
    return ", ".join(
        f"{count} {what}{'s' if count != 1 else ''}" for count, what in numbers if count
    )


def _telling(record: Record) -> Telling:
    day = record.revised or record.announced
    return Telling(_name(record.source), record.version, day, record.revised is not None)


def _name(source: str) -> str:
    """A source as a reader knows it; of a feed the host alone, as its address may hold a secret."""
    kind, _, rest = source.partition(":")
    if kind == "feed":
        return urlsplit(rest).hostname or "a feed"
    return NAMES.get(kind, kind)
