"""arXiv's search API: single papers by their ids, and what one author has published.

https://info.arxiv.org/help/api/user-manual.html. It answers in Atom; `announced` is the day on
which the first version was submitted, so that nothing found here is ever news.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode

from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import FeedError, RequestFailed, UnreadableFile
from paperpost.sources.explanations import raise_explanation
from paperpost.sources.feeds import read_feed
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.identifiers import is_arxiv, paper_identifier
from paperpost.sources.people import may_be_same, name_in_order, without_accents
from paperpost.sources.xml_documents import Damage, elements

API = "https://export.arxiv.org/api/query"
MOST_BY_AUTHOR = 300

_SLICE = 100
# Now and then a page comes empty, or half; the next time it does not.
_ASKED_AGAIN = 2
_NAME_LIMIT = 200


class Page(NamedTuple):
    """The entries of an answer, and whether they are as many as it counts."""

    entries: list[FoundPaper | Rejected]
    is_whole: bool


def papers_of(
    client: PoliteClient, ids: Sequence[str], today: date
) -> Iterator[FoundPaper | Rejected]:
    """The newest version of each paper of these arXiv ids, in any spelling, each once.

    What is no arXiv id, or not arXiv's, is rejected: `record` is its place in `ids`, from 1. Of
    what arXiv did not answer, though asked again, there is nothing. Raises SourceError.
    """
    places: dict[str, int] = {}
    for place, text in enumerate(ids, start=1):
        identifier = paper_identifier(text)
        if identifier is None or not is_arxiv(identifier.id):
            yield Rejected(place, f"{text[:80]!a} is no arXiv id")
        else:
            places.setdefault(identifier.id, place)
    wanted = list(places)
    for start in range(0, len(wanted), _SLICE):
        yield from _slice_of(client, wanted[start : start + _SLICE], places, today)


def papers_by(client: PoliteClient, author: str, today: date) -> list[FoundPaper]:
    """What that author has on arXiv, the newest first, at most 300 papers.

    arXiv finds names that hold the words; papers of which no author's name may be the same one
    (initials, accents) are left out. Raises SourceError.
    """
    name = " ".join(name_in_order(author[:_NAME_LIMIT]).replace('"', " ").split())
    if not name:
        return []
    spellings = dict.fromkeys((name, without_accents(name)))
    query = {
        "search_query": " OR ".join(f'au:"{spelling}"' for spelling in spellings),
        "sortBy": "submittedDate",
        "sortOrder": "descending",
    }
    found: dict[str | None, FoundPaper] = {}
    for start in range(0, MOST_BY_AUTHOR, _SLICE):
        page = _page(client, query | {"start": str(start), "max_results": str(_SLICE)}, today)
        found |= _by_id(page)
        if not page.entries or (page.is_whole and len(page.entries) < _SLICE):
            break
    by_author = (paper for paper in found.values() if _is_by(paper, name))
    # arXiv's own order has been wrong for weeks.
    return sorted(by_author, key=lambda paper: paper.announced, reverse=True)


def _is_by(paper: FoundPaper, author: str) -> bool:
    return any(may_be_same(author, name) for name in paper.authors)


def _slice_of(
    client: PoliteClient, ids: Sequence[str], places: Mapping[str, int], today: date
) -> Iterator[FoundPaper | Rejected]:
    """The papers of so many ids as fit into one request. What is not among them is asked for once
    more by itself: only what is missing in two answers that are whole is not arXiv's."""
    asked, page = list(ids), Page([], is_whole=True)
    for _ in range(2):
        if asked and page.is_whole:
            page, asked, disliked = _papers(client, asked, today)
            yield from (Rejected(places[one], reason) for one, reason in disliked.items())
            found = _by_id(page)
            yield from (found[one] for one in asked if one in found)
            asked = [one for one in asked if one not in found]
    if page.is_whole:
        yield from (Rejected(places[one], f"arXiv has no paper {one}") for one in asked)


def _papers(
    client: PoliteClient, ids: Sequence[str], today: date
) -> tuple[Page, list[str], dict[str, str]]:
    """What arXiv has of some ids, those that it was asked for in the end, and why not the others:
    one id that it does not like spoils the answer for all."""
    asked, disliked = list(ids), dict[str, str]()
    while asked:
        query = {"id_list": ",".join(asked), "max_results": str(len(asked))}
        try:
            return _page(client, query, today), asked, disliked
        except FeedError as error:
            wrong = [one for one in asked if one in error.message.split()]
            if not wrong:
                raise
            disliked |= dict.fromkeys(wrong, f"arXiv says: {error.message}")
            asked = [one for one in asked if one not in wrong]
    return Page([], is_whole=True), asked, disliked


def _by_id(page: Page) -> dict[str | None, FoundPaper]:
    return {one.id: one for one in page.entries if isinstance(one, FoundPaper)}


def _page(client: PoliteClient, query: Mapping[str, str], today: date) -> Page:
    """One answer, asked for again as long as it is not whole, twice at most. Raises SourceError,
    FeedError for an error in a feed's clothes."""
    url = f"{API}?{urlencode(query)}"
    page, damage = Page([], is_whole=False), None
    for _ in range(1 + _ASKED_AGAIN):
        body = _ask(client, url, today)
        entries = list(read_feed(body, today=today))
        damage = next((one for one in entries if isinstance(one, Rejected) and one.damage), None)
        page = Page(entries, is_whole=not damage and len(entries) >= _expected(body, query))
        if page.is_whole:
            return page
    if damage:
        raise UnreadableFile(damage.reason)
    return page


def _expected(body: bytes, query: Mapping[str, str]) -> int:
    """How many entries an answer should have by its own count of all; one if it does not count."""
    size, start = int(query["max_results"]), int(query.get("start", "0"))
    counted = next(elements(io.BytesIO(body), {"totalResults"}), None)
    told = "" if counted is None or isinstance(counted, Damage) else (counted.text or "").strip()
    return min(size, max(int(told) - start, 0)) if re.fullmatch("[0-9]{1,9}", told) else 1


def _ask(client: PoliteClient, url: str, today: date) -> bytes:
    """The answer's body. arXiv explains a bad request (HTTP 400) in a feed."""
    try:
        return client.get(url).body or b""
    except RequestFailed as failure:
        raise_explanation(failure, today)
        raise
