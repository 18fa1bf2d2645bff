"""`pubmed:`: a saved search, asked again for each day of entry."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
import traps
from asked_by_days import AskedByDays
from hurried_client import hurried_client
from loopback_source import Told
from speaks_pubmed import HEAD, EUtilities, article, book
from web_on_loopback import WebOnLoopback

from paperpost.settings import load_settings
from paperpost.sources import catalogue
from paperpost.sources.errors import RequestFailed, UnknownSource
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.pubmed_articles import read_articles
from paperpost.sources.source import report_of

DAY = timedelta(days=1)
FRIDAY = date(2026, 4, 10)
SEARCH = "pubmed:deep+learning[tiab]+AND+mri"


@pytest.fixture
def api() -> EUtilities:
    return EUtilities()


@pytest.fixture
def web(api: EUtilities) -> Iterator[WebOnLoopback]:
    with WebOnLoopback(api) as running:
        yield running


@pytest.fixture
def asked(web: WebOnLoopback) -> Iterator[AskedByDays]:
    with hurried_client(web) as client:
        yield AskedByDays(client, SEARCH)


def articles(day: date, *pmids: int) -> dict[int, str]:
    return {pmid: article(pmid, day) for pmid in pmids}


def read(*found: str) -> list[FoundPaper | Rejected]:
    document = f"{HEAD}<PubmedArticleSet>{''.join(found)}</PubmedArticleSet>".encode()
    return [one.record for one in read_articles(document, entered=FRIDAY, today=FRIDAY)]


def paper(**parts: str) -> FoundPaper:
    (only,) = read(article(40000001, FRIDAY, **parts))
    assert isinstance(only, FoundPaper), only
    return only


def test_an_article_becomes_a_paper() -> None:
    assert paper() == FoundPaper(
        id="pmid:40000001",
        title="Invented article 40000001",
        abstract="We invent an article.",
        announced=FRIDAY,
        authors=("Ada Lovelace",),
        categories=(),
        comment="Journal of invented medicine",
        version=None,
        doi=None,
        url="https://pubmed.ncbi.nlm.nih.gov/40000001/",
        source="pubmed",
    )


def test_a_doi_is_a_better_name_and_those_of_references_are_not_its_own() -> None:
    found = paper(
        places='<ELocationID EIdType="doi" ValidYN="Y">10.1000/THIS</ELocationID>'
        '<ELocationID EIdType="doi" ValidYN="N">10.1000/wrong</ELocationID>',
        ids='<ArticleId IdType="doi">10.1000/this</ArticleId>'
        '<ArticleId IdType="pmc">PMC1234567</ArticleId>',
    )
    assert (found.id, found.doi) == ("doi:10.1000/this", "10.1000/this")
    assert found.also == ("pmid:40000001", "pmcid:PMC1234567")


def test_a_preprint_of_arxiv_has_its_id() -> None:
    found = paper(places='<ELocationID EIdType="pii" ValidYN="Y">arXiv:2604.00001v1</ELocationID>')
    assert (found.id, found.also) == ("2604.00001", ("pmid:40000001",))


def test_markup_is_left_out_of_titles_and_abstracts() -> None:
    found = paper(
        title="<i>E. coli</i> in H<sub>2</sub>O, p&lt;0.05: a trial.",
        abstract='<AbstractText Label="AIMS" NlmCategory="OBJECTIVE">To <b>see</b>\n it.'
        '</AbstractText><AbstractText Label="UNLABELLED">Seen.</AbstractText>'
        "<AbstractText>CO<sub>2</sub>.</AbstractText>"
        "<CopyrightInformation>© 2026 The Authors.</CopyrightInformation>",
    )
    assert found.title == "E. coli in H2O, p<0.05: a trial"
    assert found.abstract == "AIMS: To see it. Seen. CO2."


def test_authors_are_people_and_groups() -> None:
    found = paper(
        authors="<Author><LastName>Davis</LastName><ForeName>Sammy</ForeName><Suffix>Jr</Suffix>"
        "</Author><Author><CollectiveName>The Invention Study Group</CollectiveName></Author>"
        '<Author ValidYN="N"><LastName>Wrong</LastName></Author>'
        "<Author><LastName>Plato</LastName></Author>"
    )
    assert found.authors == ("Sammy Davis Jr", "The Invention Study Group", "Plato")


def test_a_title_in_another_language_stands_in_for_one_that_is_missing() -> None:
    (found,) = read(
        article(1, FRIDAY, title="").replace(
            "<AuthorList", "<VernacularTitle>Eine Erfindung.</VernacularTitle><AuthorList", 1
        )
    )
    assert isinstance(found, FoundPaper)
    assert found.title == "Eine Erfindung"


@pytest.mark.parametrize(
    "entrez",
    [
        "",
        '<PubMedPubDate PubStatus="entrez"><Year>2026</Year><Month>Apr</Month></PubMedPubDate>',
        '<PubMedPubDate PubStatus="entrez"><Year>2026</Year><Month>13</Month><Day>1</Day>'
        "</PubMedPubDate>",
    ],
)
def test_without_a_day_of_entry_it_is_the_one_that_was_asked_for(entrez: str) -> None:
    assert paper(entrez=entrez).announced == FRIDAY


def test_books_and_records_without_an_article_are_rejected_alone() -> None:
    empty = "<PubmedArticle><MedlineCitation><PMID>9</PMID></MedlineCitation></PubmedArticle>"
    deleted = "<DeleteCitation><PMID Version='1'>8</PMID></DeleteCitation>"
    chapter, none, article_after = read(book(7), empty, deleted, article(2, FRIDAY))
    assert chapter == Rejected(1, "a book, or a chapter of one")
    assert none == Rejected(2, "the record has no article")
    assert isinstance(article_after, FoundPaper)


def test_a_title_of_ten_kilobytes_loses_no_article() -> None:
    assert len(paper(title="long " * 2_000).title) <= 1_000


def test_an_entity_bomb_is_refused(api: EUtilities, web: WebOnLoopback, asked: AskedByDays) -> None:
    api.articles[FRIDAY] = articles(FRIDAY, 1)
    web.spring(lambda told: traps.entity_bomb(_without_head(told)), on="efetch")
    asked.on(FRIDAY)
    state, evidence = asked.told(FRIDAY)
    assert (state, "declares entities" in evidence) == ("broken", True)


def _without_head(told: Told) -> Told:
    """A document has one document type; here it is the bomb's."""
    return replace(told, body=told.body.replace(HEAD.encode(), b""))


def test_the_first_time_the_last_days_are_read_under_their_own_dates(
    api: EUtilities, asked: AskedByDays
) -> None:
    for n in range(4):
        api.articles[FRIDAY - n * DAY] = articles(FRIDAY - n * DAY, n + 1)
    assert [one.announced for one in asked.on(FRIDAY)] == [FRIDAY - 2 * DAY, FRIDAY - DAY, FRIDAY]
    assert asked.told(FRIDAY) == ("partial", "PubMed has 1 article of Friday 10 April 2026 so far")
    assert asked.told(FRIDAY - 2 * DAY) == (
        "complete",
        "PubMed had 1 article of Wednesday 8 April 2026, 2 days later",
    )


def test_the_last_days_are_asked_for_again_until_no_more_comes(
    api: EUtilities, asked: AskedByDays
) -> None:
    api.articles[FRIDAY] = articles(FRIDAY, 1)
    asked.on(FRIDAY)
    api.articles[FRIDAY] = articles(FRIDAY, 1, 2)
    found = {one.id: one.announced for one in asked.on(FRIDAY + DAY)}
    assert found == {"pmid:1": FRIDAY, "pmid:2": FRIDAY}
    assert (asked.days[FRIDAY].state, asked.days[FRIDAY].papers) == ("partial", 2)
    assert asked.on(FRIDAY + 2 * DAY) == []
    assert asked.days[FRIDAY].state == "complete"


def test_articles_are_fetched_only_where_there_are_new_ones(
    api: EUtilities, web: WebOnLoopback, asked: AskedByDays
) -> None:
    api.articles[FRIDAY] = articles(FRIDAY, *range(1, 451))
    assert len(asked.on(FRIDAY, hour=12)) == 450
    assert [q.query["retstart"] for q in web.asked if "efetch" in q.path] == ["0", "200", "400"]
    web.forget()
    asked.on(FRIDAY, hour=13)
    assert [q.path.rpartition("/")[2] for q in web.asked] == ["esearch.fcgi"]
    web.forget()
    api.articles[FRIDAY] = articles(FRIDAY, *range(1, 452))  # the newest comes first
    assert len(asked.on(FRIDAY, hour=14)) == 200
    assert [q.query["retstart"] for q in web.asked if "efetch" in q.path] == ["0"]


def test_a_days_begins_at_midnight_in_new_york(api: EUtilities, asked: AskedByDays) -> None:
    asked.on(FRIDAY, hour=3)
    assert max(asked.days) == FRIDAY - DAY


def test_who_asks_is_told_to_ncbi(api: EUtilities, web: WebOnLoopback, asked: AskedByDays) -> None:
    asked.settings = load_settings(operator="me@example.org", pubmed_key="a-key-of-ncbi")
    api.articles[FRIDAY] = articles(FRIDAY, 1)
    asked.on(FRIDAY)
    for question in web.asked:
        told = (question.query[name] for name in ("tool", "email", "api_key"))
        assert tuple(told) == ("paperpost", "me@example.org", "a-key-of-ncbi")
    assert web.asked[0].query["term"] == "deep learning[tiab] AND mri"


def test_a_search_that_finds_more_than_pubmed_gives_out_is_partial(
    api: EUtilities, web: WebOnLoopback, asked: AskedByDays
) -> None:
    api.articles[FRIDAY - 2 * DAY] = {pmid: book(pmid) for pmid in range(10_500)}
    asked.on(FRIDAY)
    assert asked.told(FRIDAY - 2 * DAY) == (
        "partial",
        "PubMed has 10,500 articles of Wednesday 8 April 2026, and gives out 9,999 of them",
    )
    assert max(int(q.query.get("retstart", 0)) for q in web.asked) == 9_800


def test_a_search_that_gives_out_more_than_it_may_ends(
    web: WebOnLoopback, asked: AskedByDays
) -> None:
    found = {"count": "20000", "idlist": ["7"] * 20_000, "webenv": "MCID_0", "querykey": "1"}
    web.spring(traps.answers(200, json.dumps({"esearchresult": found}).encode()), times=99)
    asked.on(FRIDAY)
    assert len(web.asked) < 60


def test_half_a_page_is_told_and_fetched_again(
    api: EUtilities, web: WebOnLoopback, asked: AskedByDays
) -> None:
    api.articles[FRIDAY] = articles(FRIDAY, 1, 2, 3, 4)
    web.spring(traps.half_a_page, on="efetch")
    assert [one.id for one in asked.on(FRIDAY, hour=12)] == ["pmid:4"]
    assert asked.rejected[0].damage
    assert asked.told(FRIDAY) == (
        "partial",
        "PubMed has 4 articles of Friday 10 April 2026, and did not give 3 of them",
    )
    assert len(asked.on(FRIDAY, hour=13)) == 4


def test_articles_that_did_not_come_are_fetched_with_the_next_run_whatever_their_day(
    api: EUtilities, web: WebOnLoopback, asked: AskedByDays
) -> None:
    """A page that is shorter than what was asked for is whole XML nonetheless."""
    days = [FRIDAY - 2 * DAY, FRIDAY - DAY, FRIDAY]
    for n, day in enumerate(days):
        api.articles[day] = articles(day, *range(10 * n + 1, 10 * n + 4))
    api.withheld = {1, 21}
    assert len(asked.on(FRIDAY, hour=12)) == 7
    short = "PubMed has 3 articles of Wednesday 8 April 2026, and did not give 1 of them"
    assert asked.told(days[0]) == ("partial", short)
    assert asked.told(FRIDAY) == (
        "partial",
        "PubMed has 3 articles of Friday 10 April 2026, and did not give 1 of them",
    )
    api.withheld = set()
    web.forget()
    found = {one.id for one in asked.on(FRIDAY, hour=13)}
    assert {"pmid:1", "pmid:21"} <= found
    assert sum("efetch" in question.path for question in web.asked) == 2
    assert asked.days[days[0]].state == "complete"
    web.forget()
    asked.on(FRIDAY, hour=14)
    assert [q.path.rpartition("/")[2] for q in web.asked] == ["esearch.fcgi"]


def test_books_that_are_left_out_came_all_the_same(api: EUtilities, asked: AskedByDays) -> None:
    api.articles[FRIDAY - 2 * DAY] = {1: book(1), 2: article(2, FRIDAY, title="")}
    asked.on(FRIDAY)
    assert asked.days[FRIDAY - 2 * DAY].state == "complete"


def test_articles_that_never_come_are_given_up_after_days(
    api: EUtilities, asked: AskedByDays
) -> None:
    api.articles[FRIDAY] = articles(FRIDAY, 1, 2)
    api.withheld = {2}
    for n in range(4):
        asked.on(FRIDAY + n * DAY)
        assert asked.days[FRIDAY].state == "partial"
    asked.on(FRIDAY + 4 * DAY)
    assert asked.told(FRIDAY) == (
        "complete",
        "PubMed had 2 articles of Friday 10 April 2026, and in 4 days did not give 1 of them",
    )


def test_a_broken_answer_for_a_day_keeps_no_later_one_from_being_read(
    api: EUtilities, web: WebOnLoopback, asked: AskedByDays
) -> None:
    for day in (FRIDAY - DAY, FRIDAY):
        api.articles[day] = articles(day, day.day)
    web.spring(traps.half_a_page, on="mindate=2026/04/09")
    assert [one.id for one in asked.on(FRIDAY, hour=8)] == ["pmid:10"]
    assert asked.told(FRIDAY - DAY) == ("broken", "the answer is no JSON, or ends in the middle")
    assert [one.id for one in asked.on(FRIDAY, hour=9)] == ["pmid:9"]
    assert asked.days[FRIDAY - DAY].state == "partial"


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_refusal_ends_the_asking(web: WebOnLoopback, asked: AskedByDays, status: int) -> None:
    web.spring(traps.busy(status), times=99)
    with pytest.raises(RequestFailed, match=f"HTTP {status}"):
        asked.on(FRIDAY)
    assert len({question.query["mindate"] for question in web.asked}) == 1


def test_a_search_that_ncbi_has_forgotten_is_an_error(api: EUtilities, asked: AskedByDays) -> None:
    api.articles[FRIDAY] = articles(FRIDAY, 1)
    api.expired = True
    asked.on(FRIDAY)
    error = "the source reports an error: Unable to obtain query #1"
    assert asked.told(FRIDAY) == ("broken", error)


def test_words_that_pubmed_does_not_know_are_told(api: EUtilities, asked: AskedByDays) -> None:
    api.unknown = ["deap lerning[tiab]"]
    asked.on(FRIDAY)
    error = "the source reports an error: it does not know “deap lerning[tiab]”"
    assert asked.told(FRIDAY) == ("broken", error)
    for n in range(3):
        api.articles[FRIDAY - n * DAY] = articles(FRIDAY - n * DAY, n + 1)
    asked.on(FRIDAY)
    assert asked.told(FRIDAY)[1].endswith(" so far; it does not know “deap lerning[tiab]”")


def test_an_error_that_calls_itself_a_success_is_one(
    api: EUtilities, web: WebOnLoopback, asked: AskedByDays
) -> None:
    api.error = "Search Backend failed: down for maintenance"
    asked.on(FRIDAY)
    assert asked.told(FRIDAY) == ("broken", f"the source reports an error: {api.error}")
    web.spring(traps.login_page, times=3)
    asked.on(FRIDAY)
    assert asked.told(FRIDAY) == ("broken", "the answer is no JSON, or ends in the middle")


@pytest.mark.parametrize("trap", [traps.login_page, traps.error_feed, traps.answers(200, b"")])
def test_what_holds_no_articles_is_no_answer(
    api: EUtilities, web: WebOnLoopback, asked: AskedByDays, trap: traps.Trap
) -> None:
    api.articles[FRIDAY] = articles(FRIDAY, 1)
    web.spring(trap, on="efetch")
    asked.on(FRIDAY)
    assert asked.told(FRIDAY) == ("broken", "the answer holds no articles of PubMed")


def test_an_answer_without_the_articles_that_were_found_is_asked_for_again(
    api: EUtilities, web: WebOnLoopback, asked: AskedByDays
) -> None:
    api.articles[FRIDAY] = articles(FRIDAY, 1)
    empty = f"{HEAD}<PubmedArticleSet></PubmedArticleSet>".encode()
    web.spring(traps.answers(200, empty), on="efetch")
    assert asked.on(FRIDAY, hour=12) == []
    assert asked.told(FRIDAY) == (
        "partial",
        "PubMed has 1 article of Friday 10 April 2026, and did not give 1 of them",
    )
    assert len(asked.on(FRIDAY, hour=13)) == 1


def test_a_key_that_ncbi_refuses_is_told_without_the_key(asked: AskedByDays) -> None:
    asked.settings = load_settings(pubmed_key="wrong-key")
    with pytest.raises(RequestFailed) as failed:
        asked.on(FRIDAY)
    report = report_of(failed.value, FRIDAY)
    assert (report.state, report.evidence) == (
        "broken",
        "eutils.ncbi.nlm.nih.gov: HTTP 400: API key invalid",
    )
    assert "wrong-key" not in str(failed.value)


@pytest.mark.parametrize("spec", ["pubmed:", "pubmed:+%20"])
def test_a_search_without_words_is_refused(spec: str) -> None:
    with pytest.raises(UnknownSource, match="no words to search for"):
        catalogue.parse(spec, load_settings())
