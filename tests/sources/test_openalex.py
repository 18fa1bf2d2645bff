"""`openalex:`: what was published, and when OpenAlex had it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import traps
from asked_by_days import AskedByDays
from hurried_client import hurried_client
from hypothesis import given
from hypothesis import strategies as st
from invented import Clock, with_settings
from loopback_source import Told
from speaks_openalex import KEY, OpenAlexApi, work
from stores import everything
from web_on_loopback import WebOnLoopback

from paperpost.service.fetch import fetch
from paperpost.service.installation import Installation
from paperpost.settings import Settings, load_settings
from paperpost.sources import catalogue
from paperpost.sources.errors import MissingKey, RequestFailed, UnknownSource
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.openalex_works import abstract_of, read_work
from paperpost.sources.source import report_of

DAY = timedelta(days=1)
FRIDAY = date(2026, 4, 10)
TOPIC = "openalex:primary_topic.id:T10181"


def settings(key: str | None = KEY) -> Settings:
    return load_settings(openalex_key=key)


@pytest.fixture
def api() -> OpenAlexApi:
    return OpenAlexApi()


@pytest.fixture
def web(api: OpenAlexApi) -> Iterator[WebOnLoopback]:
    with WebOnLoopback(api) as running:
        yield running


@pytest.fixture
def asked(web: WebOnLoopback) -> Iterator[AskedByDays]:
    with hurried_client(web) as client:
        yield AskedByDays(client, TOPIC, settings())


def read(**changes: Any) -> FoundPaper:
    found = read_work(1, work(1, FRIDAY, **changes), FRIDAY)
    assert isinstance(found, FoundPaper), found
    return found


def test_a_work_becomes_a_paper() -> None:
    assert read() == FoundPaper(
        id="doi:10.1000/work.1",
        title="Invented work 1 of 10 April",
        abstract="We invent it. We do.",
        announced=FRIDAY,
        authors=("Ada Lovelace", "Alan Turing"),
        categories=("Invention Studies",),
        comment="Journal of Inventions",
        version=None,
        doi="10.1000/work.1",
        url="https://doi.org/10.1000/work.1",
        source="openalex",
    )


def test_a_copy_on_arxiv_gives_the_id_and_the_others_stand_beside_it() -> None:
    pages = ["https://arxiv.org/abs/2604.00001v2", "https://arxiv.org/abs/2604.00009", None]
    paper = read(
        locations=[{"landing_page_url": page} for page in pages],
        ids={
            "pmid": "https://pubmed.ncbi.nlm.nih.gov/12345678",
            "pmcid": "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC7654321",
        },
    )
    assert (paper.id, paper.version) == ("2604.00001", None)
    assert paper.also == ("doi:10.1000/work.1", "pmid:12345678", "pmcid:PMC7654321")


def test_a_doi_of_arxiv_is_its_id() -> None:
    paper = read(doi="https://doi.org/10.48550/arXiv.2604.00001")
    assert (paper.id, paper.also) == ("2604.00001", ())


def test_a_work_without_an_identifier_is_known_by_its_title() -> None:
    page = {"landing_page_url": "https://journal.example/1"}
    paper = read(doi=None, ids={}, locations=[], primary_location=page)
    assert (paper.id, paper.url) == (None, "https://journal.example/1")


@pytest.mark.parametrize("value", [None, 7, "text", [], [None], {}, {"display_name": 7}])
def test_a_field_of_another_kind_loses_no_paper(value: object) -> None:
    names = ("ids", "authorships", "abstract_inverted_index", "primary_location")
    for name in (*names, "locations", "primary_topic"):
        assert read(**{name: value}).id == "doi:10.1000/work.1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"display_name": None}, "title is missing or empty"),
        ({"publication_date": "2026"}, "announced is not a date: '2026'"),
        ({"publication_date": "2026-13-01"}, "announced is not a date: '2026-13-01'"),
        ({"publication_date": "2099-01-01"}, "announced is in the future: '2099-01-01'"),
    ],
)
def test_a_work_without_a_title_or_a_date_is_rejected(changes: Any, reason: str) -> None:
    assert read_work(3, work(1, FRIDAY, **changes), FRIDAY) == Rejected(3, reason)


def test_no_work_at_all_is_rejected() -> None:
    assert read_work(1, ["work"], FRIDAY) == Rejected(1, "title is missing or empty")


def test_hostile_positions_cost_nothing() -> None:
    index = {"b": [10**30], "a": [0, -1, True, None, "2", 1.5], "c": "no list", "d": {}}
    assert abstract_of(index) == "a b"
    assert len(read(abstract_inverted_index={"long": list(range(100_000))}).abstract) <= 20_000


@given(st.lists(st.text("abc", min_size=1), max_size=30))
def test_an_inverted_abstract_is_the_abstract(words: list[str]) -> None:
    index: dict[str, list[int]] = {}
    for position, word in enumerate(words):
        index.setdefault(word, []).append(position)
    assert abstract_of(index) == " ".join(words)


def test_the_first_time_the_last_days_are_read_under_their_own_dates(
    api: OpenAlexApi, asked: AskedByDays
) -> None:
    api.works = [work(n, FRIDAY - n * DAY) for n in range(7)]
    assert [paper.announced for paper in asked.on(FRIDAY)] == [
        FRIDAY - n * DAY for n in (4, 3, 2, 1, 0)
    ]
    assert asked.told(FRIDAY) == (
        "partial",
        "OpenAlex has 1 work of Friday 10 April 2026 so far; some come in 4 days late",
    )
    assert asked.told(FRIDAY - 4 * DAY) == (
        "complete",
        "OpenAlex had 1 work of Monday 6 April 2026, 4 days later",
    )


def test_the_last_days_are_asked_for_again_until_no_more_comes(
    api: OpenAlexApi, asked: AskedByDays
) -> None:
    api.works = [work(1, FRIDAY)]
    asked.on(FRIDAY)
    api.works += [work(2, FRIDAY), work(3, FRIDAY + 2 * DAY)]
    found = {paper.doi: paper.announced for paper in asked.on(FRIDAY + 3 * DAY)}
    assert found == {
        "10.1000/work.1": FRIDAY,
        "10.1000/work.2": FRIDAY,
        "10.1000/work.3": FRIDAY + 2 * DAY,
    }
    assert (asked.days[FRIDAY].state, asked.days[FRIDAY].papers) == ("partial", 2)
    asked.on(FRIDAY + 4 * DAY)
    assert asked.days[FRIDAY].state == "complete"
    assert [paper.doi for paper in asked.on(FRIDAY + 7 * DAY)] == ["10.1000/work.3"]
    assert asked.on(FRIDAY + 8 * DAY) == []


def test_on_the_same_day_only_today_is_asked_for_again(
    api: OpenAlexApi, web: WebOnLoopback, asked: AskedByDays
) -> None:
    asked.on(FRIDAY, hour=8)
    web.forget()
    api.works = [work(1, FRIDAY)]
    assert [paper.announced for paper in asked.on(FRIDAY, hour=9)] == [FRIDAY]
    assert len(web.asked) == 1
    assert asked.days[FRIDAY].papers == 1


def test_a_long_day_is_read_page_by_page(
    api: OpenAlexApi, web: WebOnLoopback, asked: AskedByDays
) -> None:
    api.works = [work(n, FRIDAY) for n in range(250)]
    assert len({paper.id for paper in asked.on(FRIDAY)}) == 250
    of_today = [q.query for q in web.asked if f"to_publication_date:{FRIDAY}" in q.url]
    assert [query["cursor"] for query in of_today] == ["*", "IlsxN100", "IlsxN200"]
    assert of_today[0]["filter"] == (
        "from_publication_date:2026-04-10,to_publication_date:2026-04-10,"
        "primary_topic.id:T10181,type:article|preprint|review"
    )


def test_data_sets_and_errata_are_left_out_unless_they_are_asked_for(
    api: OpenAlexApi, asked: AskedByDays
) -> None:
    api.works = [work(1, FRIDAY, type="dataset")]
    assert asked.on(FRIDAY) == []
    sets = AskedByDays(asked.client, "openalex:type:dataset", asked.settings)
    assert len(sets.on(FRIDAY)) == 1


def test_words_are_searched_for(api: OpenAlexApi, asked: AskedByDays) -> None:
    api.works = [work(1, FRIDAY), work(2, FRIDAY, display_name="Protein folding, again")]
    search = AskedByDays(asked.client, "openalex:?search=protein+folding", asked.settings)
    assert [paper.title for paper in search.on(FRIDAY)] == ["Protein folding, again"]


def test_works_that_are_counted_and_not_given_make_the_day_partial(
    api: OpenAlexApi, web: WebOnLoopback, asked: AskedByDays
) -> None:
    api.works = [work(n, FRIDAY - 4 * DAY) for n in range(150)]
    empty = b'{"meta": {"count": 150, "next_cursor": null}, "results": []}'
    web.spring(traps.answers(200, empty), on="cursor=IlsxN100")
    asked.on(FRIDAY)
    assert asked.told(FRIDAY - 4 * DAY) == (
        "partial",
        "OpenAlex gave 100 works of Monday 6 April 2026 and counts 150",
    )


def test_a_count_that_is_none_ends_no_day_early(
    api: OpenAlexApi, web: WebOnLoopback, asked: AskedByDays
) -> None:
    api.works = [work(n, FRIDAY) for n in range(150)]
    web.spring(lambda told: replace(told, body=told.body.replace(b'"count"', b'"of"')), times=9)
    assert len(asked.on(FRIDAY)) == 150


def test_a_cursor_that_leads_nowhere_ends(web: WebOnLoopback, asked: AskedByDays) -> None:
    same = b'{"meta": {"count": 150, "next_cursor": "*"}, "results": [{}]}'
    web.spring(traps.answers(200, same), times=5)
    asked.on(FRIDAY)
    assert len(web.asked) == 5
    assert len(asked.rejected) == 5


def test_pages_that_come_again_end_the_day_and_count_once(
    api: OpenAlexApi, web: WebOnLoopback, asked: AskedByDays
) -> None:
    monday = FRIDAY - 4 * DAY
    works = [work(number, monday) for number in range(100)]
    cursors = iter(range(1_000_000))

    def again(told: Told) -> Told:
        meta = {"count": 150, "next_cursor": f"IlsxN{next(cursors)}"}
        return replace(told, body=json.dumps({"meta": meta, "results": works}).encode())

    web.spring(again, on=f"from_publication_date:{monday}", times=1_000)
    asked.on(FRIDAY)
    assert asked.told(monday) == (
        "partial",
        "OpenAlex gave 100 works of Monday 6 April 2026 and counts 150",
    )
    assert sum(f"to_publication_date:{monday}" in question.url for question in web.asked) == 2


@pytest.mark.parametrize(
    ("trap", "evidence"),
    [
        (traps.half_a_page, "the answer is no JSON, or ends in the middle"),
        (traps.answers(500), "api.openalex.org: HTTP 500"),
        (traps.cut_off, "api.openalex.org: "),
    ],
)
def test_what_goes_wrong_with_a_day_keeps_no_later_one_from_being_read(
    api: OpenAlexApi, web: WebOnLoopback, asked: AskedByDays, trap: traps.Trap, evidence: str
) -> None:
    api.works = [work(1, FRIDAY), work(2, FRIDAY - DAY)]
    web.spring(trap, on=f"from_publication_date:{FRIDAY - DAY}", times=99)
    assert [paper.doi for paper in asked.on(FRIDAY, hour=8)] == ["10.1000/work.1"]
    state, told = asked.told(FRIDAY - DAY)
    assert (state, told[: len(evidence)]) == ("broken", evidence)
    web.forget()
    assert len(asked.on(FRIDAY, hour=9)) == 2
    assert asked.days[FRIDAY - DAY].state == "partial"


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_refusal_ends_the_asking(web: WebOnLoopback, asked: AskedByDays, status: int) -> None:
    web.spring(traps.busy(status), times=99)
    with pytest.raises(RequestFailed, match=f"HTTP {status}"):
        asked.on(FRIDAY)
    assert len({question.query["filter"] for question in web.asked}) == 1


def test_a_host_that_gives_no_answer_is_asked_for_two_days(
    web: WebOnLoopback, asked: AskedByDays
) -> None:
    web.spring(traps.answers(500), times=99)
    with pytest.raises(RequestFailed, match="HTTP 500"):
        asked.on(FRIDAY)
    assert len({question.query["filter"] for question in web.asked}) == 2


def test_new_years_day_is_no_day_of_works(web: WebOnLoopback, asked: AskedByDays) -> None:
    new_year = date(2027, 1, 1)
    asked.on(new_year)
    assert asked.told(new_year) == (
        "holiday",
        "OpenAlex dates works to 1 January if it knows their year alone",
    )
    assert not any("2027-01-01" in question.url for question in web.asked)


def test_a_refusal_is_told_in_openalexs_words_and_never_with_the_key(
    web: WebOnLoopback, asked: AskedByDays
) -> None:
    asked.settings = settings(key="another-key-that-is-wrong")
    with pytest.raises(RequestFailed) as failed:
        asked.on(FRIDAY)
    report = report_of(failed.value, FRIDAY)
    assert report.state == "refused"
    assert report.evidence.startswith("api.openalex.org: HTTP 403: The API key ")
    assert report.evidence.endswith(" is invalid or missing")
    assert "another-key" not in report.evidence + str(failed.value)


def test_the_key_is_written_down_nowhere(
    api: OpenAlexApi, web: WebOnLoopback, installation: Installation, clock: Clock
) -> None:
    api.works = [work(1, clock.now.date())]
    here = {"sources": (TOPIC,), "source_mirror": web.url, "allow_private_sources": True}
    result = fetch(with_settings(installation, **here, openalex_key=KEY))
    assert (result.added, result.rejected) == (1, [])
    wrong = "another-key-that-is-wrong"
    (refused,) = fetch(with_settings(installation, **here, openalex_key=wrong)).rejected
    assert "is invalid or missing" in refused.reason
    files = [path for path in installation.settings.home.rglob("*") if path.is_file()]
    written = "".join([path.read_bytes().decode("latin-1") for path in files])
    stored = "".join(everything(installation.database))
    assert "is invalid or missing" in stored
    for key in (KEY, wrong):
        assert key not in written + stored
        assert key not in refused.reason


def test_a_filter_that_openalex_does_not_know_is_told(asked: AskedByDays) -> None:
    asked.spec = "openalex:colour:green"
    with pytest.raises(RequestFailed, match="HTTP 400: colour is no filter"):
        asked.on(FRIDAY)


def test_a_title_of_ten_kilobytes_loses_no_work() -> None:
    assert len(read(display_name="long " * 2_000).title) <= 1_000


def test_half_an_answer_and_a_login_page_are_errors(
    api: OpenAlexApi, web: WebOnLoopback, asked: AskedByDays
) -> None:
    for trap in (traps.half_a_page, traps.login_page, traps.error_feed):
        web.spring(trap, on=str(FRIDAY))
        asked.on(FRIDAY)
        assert asked.told(FRIDAY) == ("broken", "the answer is no JSON, or ends in the middle")
    moving = traps.answers(200, b'{"error": "try later", "message": "We are moving."}')
    web.spring(moving, on=str(FRIDAY))
    asked.on(FRIDAY)
    assert asked.told(FRIDAY) == ("broken", "the source reports an error: We are moving")


def test_no_key_is_one_clear_line() -> None:
    with pytest.raises(MissingKey, match="OpenAlex needs PAPERPOST_OPENALEX_KEY"):
        catalogue.parse(TOPIC, settings(key=None))


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("openalex:", "neither a filter nor a search"),
        ("openalex:?search=", "neither a filter nor a search"),
        ("openalex:T10181", "no filter like"),
        ("openalex:is_oa:true?sort=date", "search is the only option"),
    ],
)
def test_what_makes_no_sense_is_refused(spec: str, reason: str) -> None:
    with pytest.raises(UnknownSource, match=reason):
        catalogue.parse(spec, settings())
