"""Works as OpenAlex tells them: https://developers.openalex.org/api-reference/works"""

from collections.abc import Iterator, Mapping
from datetime import date

from paperpost.sources.found import ABSTRACT_LIMIT, FoundPaper, InvalidRecord, Rejected, checked
from paperpost.sources.identifiers import is_arxiv, paper_identifier

SOURCE = "openalex"
# What is read of a work, and therefore all that is asked for.
FIELDS = (
    "id,doi,ids,display_name,publication_date,authorships,abstract_inverted_index,"
    "primary_location,locations,primary_topic"
)

_MOST_LOCATIONS = 100


def read_work(number: int, work: object, today: date) -> FoundPaper | Rejected:
    """One of an answer's results."""
    try:
        return checked(_record(_mapping(work)), source=SOURCE, today=today)
    except InvalidRecord as invalid:
        return Rejected(number, str(invalid))


def abstract_of(index: object) -> str:
    """The abstract whose words OpenAlex gives with their positions. What is no position is left
    out; the others need not follow one another, so a huge one costs nothing."""
    placed = [
        (position, word)
        for word, positions in _mapping(index).items()
        for position in _items(positions)
        if isinstance(position, int) and not isinstance(position, bool) and position >= 0
    ]
    return " ".join(word for _, word in sorted(placed)[:ABSTRACT_LIMIT])


def _record(work: Mapping[str, object]) -> dict[str, object]:
    names = list(_names(work))
    place = _mapping(work.get("primary_location"))
    topic = _text(_mapping(work.get("primary_topic")).get("display_name"))
    return {
        "id": names[0] if names else None,
        "also": [*names[1:], _mapping(work.get("ids")).get("pmcid")],
        "title": work.get("display_name"),
        "abstract": abstract_of(work.get("abstract_inverted_index")),
        "announced": work.get("publication_date"),
        "authors": list(_authors(work)),
        "categories": [topic] if topic else [],
        "comment": _text(_mapping(place.get("source")).get("display_name")),
        "url": _text(place.get("landing_page_url")),
    }


def _names(work: Mapping[str, object]) -> Iterator[str]:
    """Its arXiv id, which stands in the addresses of its copies, its DOI, its PubMed id.

    One arXiv id at most: two are two papers, whatever OpenAlex has made one of.
    """
    doi = _bare(work.get("doi"))
    places = [work.get("primary_location"), *_items(work.get("locations"))[:_MOST_LOCATIONS]]
    pages = (_bare(_mapping(place).get("landing_page_url")) for place in places)
    arxiv = (name for name in (doi, *pages) if name and is_arxiv(name))
    names = (next(arxiv, ""), doi, _bare(_mapping(work.get("ids")).get("pmid")))
    yield from dict.fromkeys(name for name in names if name)


def _bare(text: object) -> str:
    """The identifier in a text without its version, which says nothing of OpenAlex's text."""
    found = paper_identifier(_text(text))
    return found.id if found else ""


def _authors(work: Mapping[str, object]) -> Iterator[str]:
    for authorship in map(_mapping, _items(work.get("authorships"))):
        name = _text(_mapping(authorship.get("author")).get("display_name"))
        yield name or _text(authorship.get("raw_author_name"))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
