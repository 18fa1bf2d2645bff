"""RSS and Atom: arXiv's daily feeds, the Atom of its API, and other publishers' feeds.

https://info.arxiv.org/help/rss.html, https://info.arxiv.org/help/api/user-manual.html
"""

import io
import re
from datetime import date
from itertools import islice
from urllib.parse import unquote

from paperpost.sources.arxiv_days import EASTERN
from paperpost.sources.errors import FeedError, UnreadableFile
from paperpost.sources.feedparsing import FeedEntry, parse_feed
from paperpost.sources.found import FoundPaper, InvalidRecord, Records, Rejected, checked
from paperpost.sources.identifiers import is_arxiv, paper_identifier
from paperpost.sources.people import names_in_line
from paperpost.sources.xml_documents import UTF8_MARK, Outline, outline, root_name, root_start

ARXIV = "arxiv"
OTHER = "import"
ITEMS = {"rss": "item", "RDF": "item", "feed": "entry"}
SIZE_LIMIT = 64 * 1024 * 1024
ITEMS_LIMIT = 20_000  # arXiv's own limit is a tenth of it; feedparser needs half a millisecond each

# Whatever its root is, feedparser takes both for papers.
_ITEM = re.compile(rb"<(?:[^\s<>/:]+:)?(?:item|entry)[\s/>]")
_ERROR_TITLE = "feed error for query"
_ERROR_ID = "arxiv.org/api/errors"
_DESCRIPTION = re.compile(
    r"\s*arXiv:(?P<id>\S+)\s+Announce Type:\s*(?P<kind>[a-z-]+)\s*(?:Abstract:\s*)?", re.IGNORECASE
)
# Publishers' pages with the DOI in their path: https://journal.example/doi/abs/10.1000/x
_DOI_PATH = re.compile(r"https?://[^/]+/doi/(?:abs/|full/|pdf/|epdf/)?(10\..+)", re.IGNORECASE)
_ARXIV_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)?(?:\.[A-Za-z]+(?:-[a-z]+)?)?")


def read_feed(data: bytes, *, today: date, undated: date | None = None) -> Records:
    """The feed's papers; of a damaged one those that are whole, and a rejection that says so.

    A paper that has no date, or one that has not come, counts for the day `undated`; without such
    a day it is rejected. Raises FeedError for an error in a feed's clothes,
    UnreadableFile for what is no feed.
    """
    data = data.removeprefix(UTF8_MARK).lstrip()
    whole = _checked_outline(data)
    feed = parse_feed(_with_short_prolog(data))
    if feed.title.strip().lower().startswith(_ERROR_TITLE):
        raise FeedError(feed.description or feed.title)
    # What stands before a cut is whole. Elsewhere a damaged feed is read as far as feedparser can.
    cut = whole.damage and whole.damage.cut
    entries = feed.entries[: whole.items] if cut else feed.entries
    for number, entry in enumerate(entries, start=1):
        yield _read_entry(number, entry, today, undated)
    if whole.damage:
        yield Rejected(whole.items + 1, whole.damage.reason, damage=True)


def _checked_outline(data: bytes) -> Outline:
    item = ITEMS.get(root_name(data))
    if item is None:
        raise UnreadableFile("neither RSS nor Atom")
    if any(islice(_ITEM.finditer(data), ITEMS_LIMIT, None)):
        raise UnreadableFile(f"a feed of more than {ITEMS_LIMIT:,} items")
    return outline(io.BytesIO(data), item)


def _with_short_prolog(data: bytes) -> bytes:
    """feedparser looks for declarations before the root, and for an encoding in the first line,
    with patterns that take minutes for much white space there, or for a long line."""
    root = root_start(data)
    return b" ".join(data[:root].split()).replace(b"?>", b"?>\n") + data[root:]


def _read_entry(
    number: int, entry: FeedEntry, today: date, undated: date | None
) -> FoundPaper | Rejected:
    if _ERROR_ID in entry.id.lower():
        raise FeedError(entry.summary or entry.title)
    try:
        return _paper(entry, today, undated)
    except InvalidRecord as invalid:
        return Rejected(number, str(invalid))


def _paper(entry: FeedEntry, today: date, undated: date | None) -> FoundPaper:
    names = _names(entry)
    day = entry.published.date() if entry.published else None
    if undated is not None:
        day = min(day or undated, undated)
    record: dict[str, object] = {
        "id": names[0] if names else None,
        "also": [name for name in names[1:] if name != f"doi:{entry.doi}"],
        "title": entry.title,
        "abstract": entry.summary,
        "announced": day,
        "authors": entry.authors,
        "categories": entry.categories,
        "comment": entry.comment,
        "doi": entry.doi,
        "url": entry.link,
    }
    named = paper_identifier(names[0]) if names else None
    if named is not None and is_arxiv(named.id):
        return checked(record | _arxiv_fields(entry), source=ARXIV, today=today)
    return checked(record, source=OTHER, today=today)


def _names(entry: FeedEntry) -> list[str]:
    """What the paper is called, the best name first; none where a publisher gives none.

    An entry of arXiv whose id cannot be read is not taken under its title: it keeps its bad id
    and is rejected for it.
    """
    told = [text for text in (entry.id, entry.link, entry.identifier, entry.doi) if text]
    names = [name for name in map(_spelling, told) if paper_identifier(name)]
    return sorted(names, key=_rank) or [text for text in told if "arxiv.org" in text.lower()][:1]


def _spelling(text: str) -> str:
    """A publisher's way to write an identifier, as `identifiers` knows it."""
    text = text.strip()
    if text.startswith("10."):
        return f"doi:{text}"
    if text.lower().startswith("pubmed:"):  # in the feeds of PubMed's own searches
        return f"pmid:{text[7:]}"
    if text.lower().startswith(("http://", "https://")):
        page = re.split("[?#]", text, maxsplit=1)[0]
        in_path = _DOI_PATH.fullmatch(page)
        return f"doi:{unquote(in_path[1])}" if in_path else page
    return text


def _rank(name: str) -> int:
    """arXiv's ids, which have no prefix, before DOIs before PubMed's before keys of titles."""
    found = paper_identifier(name)
    scheme = found.id.partition(":")[0] if found else ""
    return {"doi": 1, "pmid": 2, "hf": 3}.get(scheme, 0)


def _arxiv_fields(entry: FeedEntry) -> dict[str, object]:
    """What arXiv's entries say in their own way; the daily feeds more so than the API."""
    fields: dict[str, object] = {
        "categories": [term for term in entry.categories if _ARXIV_CATEGORY.fullmatch(term)]
    }
    described = _DESCRIPTION.match(entry.summary)
    if described is None and not entry.announce_type:
        return fields  # the API: `published` is the day of the first version, names are separate
    authors = [name for line in entry.authors for name in names_in_line(line)]
    fields |= {"authors": authors, "kind": entry.announce_type.strip().lower()}
    if entry.published:
        fields["announced"] = entry.published.astimezone(EASTERN).date()
    if described:
        fields["abstract"] = entry.summary[described.end() :]
        fields["kind"] = fields["kind"] or described["kind"].lower()
    return fields
