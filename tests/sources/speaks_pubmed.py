"""eutils.ncbi.nlm.nih.gov: esearch and efetch of PubMed (https://www.ncbi.nlm.nih.gov/books/NBK25499).

The articles are invented.
"""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

from loopback_source import Told
from web_on_loopback import Question

MOST = 9_999
HEAD = (
    '<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC '
    '"-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n'
)
AUTHORS = (
    '<Author ValidYN="Y"><LastName>Lovelace</LastName><ForeName>Ada</ForeName>'
    "<Initials>A</Initials></Author>"
)
ABSTRACT = "<AbstractText>We invent an article.</AbstractText>"


def article(pmid: int, day: date, **parts: str) -> str:
    """An article that was entered on `day`; its parts are XML."""
    title = parts.get("title", f"Invented article {pmid}.")
    entered = f"<Year>{day.year}</Year><Month>{day.month}</Month><Day>{day.day}</Day>"
    entrez = parts.get("entrez", f'<PubMedPubDate PubStatus="entrez">{entered}</PubMedPubDate>')
    return f"""<PubmedArticle>
  <MedlineCitation Status="Publisher" Owner="NLM">
    <PMID Version="1">{pmid}</PMID>
    <Article PubModel="Print-Electronic">
      <Journal>
        <JournalIssue CitedMedium="Internet">
          <PubDate><MedlineDate>2026 Mar-Apr</MedlineDate></PubDate>
        </JournalIssue>
        <Title>Journal of invented medicine</Title>
      </Journal>
      <ArticleTitle>{title}</ArticleTitle>
      {parts.get("places", "")}
      <Abstract>{parts.get("abstract", ABSTRACT)}</Abstract>
      <AuthorList CompleteYN="Y">{parts.get("authors", AUTHORS)}</AuthorList>
    </Article>
  </MedlineCitation>
  <PubmedData>
    <History>
      <PubMedPubDate PubStatus="received"><Year>2025</Year><Month>1</Month><Day>9</Day>
      </PubMedPubDate>{entrez}
    </History>
    <ArticleIdList>
      <ArticleId IdType="pubmed">{pmid}</ArticleId>{parts.get("ids", "")}
    </ArticleIdList>
    <ReferenceList><Reference><ArticleIdList>
      <ArticleId IdType="doi">10.1000/what.it.cites</ArticleId>
    </ArticleIdList></Reference></ReferenceList>
  </PubmedData>
</PubmedArticle>"""


def book(pmid: int) -> str:
    """A chapter of one."""
    return f"""<PubmedBookArticle><BookDocument><PMID Version="1">{pmid}</PMID>
<ArticleTitle book="gene">A chapter</ArticleTitle></BookDocument></PubmedBookArticle>"""


@dataclass
class EUtilities:
    """`articles` by day of entry and PubMed id, whatever the search; `unknown` are its words that
    PubMed does not know. A search is kept under a name that may expire, and of what it found
    `withheld` are not given out."""

    articles: dict[date, dict[int, str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    error: str = ""
    expired: bool = False
    withheld: set[int] = field(default_factory=set)
    hosts: tuple[str, ...] = ("eutils.ncbi.nlm.nih.gov",)
    _kept: list[dict[int, str]] = field(default_factory=list)

    def answer(self, question: Question) -> Told | None:
        tool = question.path.removeprefix("/entrez/eutils/")
        if question.query.get("db") != "pubmed" or question.query.get("tool") != "paperpost":
            return None
        if question.query.get("api_key") == "wrong-key":
            told = {"error": "API key invalid", "api-key": "wrong-key", "type": "api key"}
            return _told(400, json.dumps(told))
        return {"esearch.fcgi": self._search, "efetch.fcgi": self._fetch}[tool](question.query)

    def _search(self, query: dict[str, str]) -> Told:
        assert (query["datetype"], query["usehistory"]) == ("edat", "y")
        day = date(*map(int, query["mindate"].split("/")))
        assert query["maxdate"] == query["mindate"]
        found = dict(sorted(self.articles.get(day, {}).items(), reverse=True))
        self._kept.append(found)
        result: dict[str, Any] = {
            "count": str(len(found)),
            "retmax": query["retmax"],
            "retstart": "0",
            "querykey": "1",
            "webenv": f"MCID_{len(self._kept) - 1}",
            "idlist": [str(pmid) for pmid in found][: min(int(query["retmax"]), MOST)],
            "translationset": [],
            "querytranslation": query["term"],
        }
        if self.unknown:
            result["errorlist"] = {"phrasesnotfound": self.unknown, "fieldsnotfound": []}
        if self.error:
            result = {"ERROR": self.error}
        header = {"type": "esearch", "version": "0.3"}
        return _told(200, json.dumps({"header": header, "esearchresult": result}))

    def _fetch(self, query: dict[str, str]) -> Told:
        assert (query["rettype"], query["retmode"], query["query_key"]) == ("abstract", "xml", "1")
        if self.expired:
            error = "Unable to obtain query #1"
            return _told(200, f"{HEAD}<eFetchResult><ERROR>{escape(error)}</ERROR></eFetchResult>")
        found = list(self._kept[int(query["WebEnv"].removeprefix("MCID_"))].items())
        start = int(query["retstart"])
        page = found[start : start + int(query["retmax"])]
        shown = "\n".join(text for pmid, text in page if pmid not in self.withheld)
        return _told(200, f"{HEAD}<PubmedArticleSet>\n{shown}\n</PubmedArticleSet>")


def _told(status: int, text: str) -> Told:
    return Told(status, text.encode(), {"Content-Type": "text/plain; charset=UTF-8"})
