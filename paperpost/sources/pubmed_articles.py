"""Articles as PubMed's efetch gives them: https://dtd.nlm.nih.gov/ncbi/pubmed/doc/out/250101/

Their texts hold inline markup and are made plain by leaving it out. Dates of issues come in every
shape (`<MedlineDate>2026 Mar-Apr</MedlineDate>`); what counts here is the day of entry, which is
always a number for each of year, month and day.
"""

import io
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple
from xml.etree.ElementTree import Element

from paperpost.sources.errors import FeedError, UnreadableFile
from paperpost.sources.found import FoundPaper, InvalidRecord, Rejected, checked
from paperpost.sources.xml_documents import Damage, elements, local_name, root_name

SOURCE = "pubmed"

_ROOTS = ("PubmedArticleSet", "eFetchResult")
_NO_LABEL = "UNLABELLED"


class Article(NamedTuple):
    """A record of an answer, and its PubMed id; that is empty where the answer is damaged."""

    pmid: str
    record: FoundPaper | Rejected


def read_articles(data: bytes, *, entered: date, today: date) -> Iterator[Article]:
    """The articles of an answer; books and what else has no article are rejected.

    `entered` is the day of entry of an article that does not tell its own. Raises FeedError for an
    error in place of articles, UnreadableFile for what is no answer.
    """
    if root_name(data) not in _ROOTS:
        raise UnreadableFile("the answer holds no articles of PubMed")
    number = 0
    for found in elements(io.BytesIO(data), {"PubmedArticle", "PubmedBookArticle", "ERROR"}):
        if isinstance(found, Damage):
            yield Article("", Rejected(number + 1, found.reason, damage=True))
        elif local_name(found) == "ERROR":
            raise FeedError(_plain(found) or "no reason is given")
        else:
            number += 1
            yield Article(_pmid(found), _read_article(number, found, entered, today))


def _read_article(number: int, found: Element, entered: date, today: date) -> FoundPaper | Rejected:
    if local_name(found) == "PubmedBookArticle":
        return Rejected(number, "a book, or a chapter of one")
    try:
        return checked(_record(found, entered), source=SOURCE, today=today)
    except InvalidRecord as invalid:
        return Rejected(number, str(invalid))


def _record(found: Element, entered: date) -> dict[str, object]:
    article = found.find("MedlineCitation/Article")
    if article is None:
        raise InvalidRecord("the record has no article")
    names = list(_names(found, article))
    return {
        "id": names[0] if names else None,
        "also": [*names[1:], _plain(found.find("PubmedData/ArticleIdList/*[@IdType='pmc']"))],
        "title": _title(article),
        "abstract": " ".join(_sections(article)),
        "announced": _day(found.find("PubmedData/History/PubMedPubDate[@PubStatus='entrez']"))
        or entered,
        "authors": list(_authors(article)),
        "comment": _plain(article.find("Journal/Title")),
    }


def _title(article: Element) -> str:
    """A translated title stands in brackets; in place of one that is missing, that in its own
    language."""
    title = _plain(article.find("ArticleTitle")) or _plain(article.find("VernacularTitle"))
    return title.removesuffix(".")


def _names(found: Element, article: Element) -> Iterator[str]:
    """The id of an arXiv preprint, the DOI, the PubMed id: the best first.

    The lists of references hold ids as well, of other articles.
    """
    places = article.findall("ELocationID[@ValidYN='Y']")
    pairs = [(one.get("EIdType"), _plain(one)) for one in places]
    pairs += [
        (one.get("IdType"), _plain(one)) for one in found.iterfind("PubmedData/ArticleIdList/*")
    ]
    yield from (text for kind, text in pairs if kind == "pii" and text.startswith("arXiv:"))
    yield from dict.fromkeys(f"doi:{text.lower()}" for kind, text in pairs if kind == "doi")
    if pmid := _pmid(found):
        yield f"pmid:{pmid}"


def _pmid(found: Element) -> str:
    """A record's own; those of comments and corrections stand deeper."""
    return _plain(found.find("*/PMID"))


def _sections(article: Element) -> Iterator[str]:
    """The abstract's parts, each with its label."""
    for section in article.iterfind("Abstract/AbstractText"):
        label = section.get("Label", "")
        yield f"{label}: {_plain(section)}" if label not in ("", _NO_LABEL) else _plain(section)


def _authors(article: Element) -> Iterator[str]:
    for author in article.iterfind("AuthorList/Author"):
        parts = [_plain(author.find(part)) for part in ("ForeName", "LastName", "Suffix")]
        if author.get("ValidYN") != "N":  # a name that was corrected stands beside its correction
            yield _plain(author.find("CollectiveName")) or " ".join(filter(None, parts))


def _day(found: Element | None) -> date | None:
    if found is None:
        return None
    try:
        return date(*(int(_plain(found.find(part))) for part in ("Year", "Month", "Day")))
    except (ValueError, OverflowError):
        return None


def _plain(element: Element | None) -> str:
    """An element's text without its markup, on one line."""
    return "" if element is None else " ".join("".join(element.itertext()).split())
