"""arXiv's search API: single papers by their ids, and what one author has published.

https://info.arxiv.org/help/api/user-manual.html. It answers in Atom; `announced` is the day on
which the first version was submitted, so that nothing found here is ever news.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from urllib.parse import urlencode

from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import FeedError, RequestFailed, UnreadableFile
from paperpost.sources.explanations import raise_explanation
from paperpost.sources.feeds import read_feed
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.identifiers import is_arxiv, paper_identifier
from paperpost.sources.people import may_be_same, name_in_order, without_accents

API = "https://export.arxiv.org/api/query"
MOST_BY_AUTHOR = 300

_SLICE = 100
# Now and then a page comes empty, or half; the next time it does not.
_ASKED_AGAIN = 2
_NAME_LIMIT = 200

Records = list[FoundPaper | Rejected]


def papers_of(
    client: PoliteClient, ids: Sequence[str], today: date
) -> Iterator[FoundPaper | Rejected]:
    """The newest version of each paper of these arXiv ids, in any spelling, each once.

    What is no arXiv id, or not arXiv's, is rejected: `record` is its place in `ids`, from 1.
    Raises SourceError.
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
        found |= {one.id: one for one in page if isinstance(one, FoundPaper)}
        if len(page) < _SLICE:
            break
    by_author = (paper for paper in found.values() if _is_by(paper, name))
    # arXiv's own order has been wrong for weeks.
    return sorted(by_author, key=lambda paper: paper.announced, reverse=True)


def _is_by(paper: FoundPaper, author: str) -> bool:
    return any(may_be_same(author, name) for name in paper.authors)


def _slice_of(
    client: PoliteClient, ids: Sequence[str], places: Mapping[str, int], today: date
) -> Iterator[FoundPaper | Rejected]:
    """The papers of so many ids as fit into one request."""
    asked, page = list(ids), Records()
    while asked:
        try:
            page = _page(
                client, {"id_list": ",".join(asked), "max_results": str(len(asked))}, today
            )
            break
        except FeedError as error:
            # One id that arXiv does not like spoils the answer for all.
            wrong = [one for one in asked if one in error.message.split()]
            if not wrong:
                raise
            yield from (Rejected(places[one], f"arXiv says: {error.message}") for one in wrong)
            asked = [one for one in asked if one not in wrong]
    found = {one.id: one for one in page if isinstance(one, FoundPaper)}
    for one in asked:
        yield found.get(one) or Rejected(places[one], f"arXiv has no paper {one}")


def _page(client: PoliteClient, query: Mapping[str, str], today: date) -> Records:
    """The entries of one answer. Raises SourceError, FeedError for an error in a feed's clothes."""
    url = f"{API}?{urlencode(query)}"
    page, damage = Records(), None
    for _ in range(1 + _ASKED_AGAIN):
        page = list(read_feed(_ask(client, url, today), today=today))
        damage = next((one for one in page if isinstance(one, Rejected) and one.damage), None)
        if page and not damage:
            return page
    if damage:
        raise UnreadableFile(damage.reason)
    return page


def _ask(client: PoliteClient, url: str, today: date) -> bytes:
    """The answer's body. arXiv explains a bad request (HTTP 400) in a feed."""
    try:
        return client.get(url).body or b""
    except RequestFailed as failure:
        raise_explanation(failure, today)
        raise
