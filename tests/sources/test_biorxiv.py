"""`biorxiv` and `medrxiv`: what is posted there, day by day."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import traps
from asked_by_days import AskedByDays
from hurried_client import hurried_client
from loopback_source import Told
from speaks_biorxiv import PreprintApi, post
from web_on_loopback import WebOnLoopback

from paperpost.settings import load_settings
from paperpost.sources import catalogue
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import RequestFailed, UnknownSource
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.source import Batch, DayReport, DayState, Wanted

DAY = timedelta(days=1)
WEDNESDAY = date(2026, 6, 3)
TUESDAY = WEDNESDAY - DAY
KNOWN = DayReport(TUESDAY, DayState.PARTIAL, "", 0, ())


@pytest.fixture
def api() -> PreprintApi:
    """Seventy preprints on Tuesday, three so far on Wednesday, one on medRxiv."""
    tuesday = [post(number, TUESDAY) for number in range(70)]
    wednesday = [post(number, WEDNESDAY) for number in range(3)]
    medical = post(1, TUESDAY, category="oncology", server="medRxiv")
    return PreprintApi({"biorxiv": tuesday + wednesday, "medrxiv": [medical]})


@pytest.fixture
def web(api: PreprintApi) -> Iterator[WebOnLoopback]:
    with WebOnLoopback(api) as running:
        yield running


@pytest.fixture
def client(web: WebOnLoopback) -> Iterator[PoliteClient]:
    with hurried_client(web) as asking:
        yield asking


def ask(
    client: PoliteClient,
    *days: date,
    spec: str = "biorxiv",
    before: DayReport | None = KNOWN,
    today: date = WEDNESDAY,
) -> list[Batch]:
    source = catalogue.parse(spec, load_settings())
    now = datetime.combine(today, time(12), UTC)
    return list(source.batches(client, Wanted(now, source.today(now), days, before)))


def reports(batches: list[Batch]) -> dict[date, DayReport]:
    return {report.day: report for batch in batches for report in batch.days}


def papers(batches: list[Batch]) -> list[FoundPaper]:
    return [one for batch in batches for one in batch.records if isinstance(one, FoundPaper)]


def only(client: PoliteClient, api: PreprintApi, **changes: Any) -> FoundPaper:
    """The one preprint of Wednesday."""
    api.posts["biorxiv"] = [post(1, WEDNESDAY) | changes]
    (paper,) = papers(ask(client, WEDNESDAY))
    return paper


def paths(web: WebOnLoopback) -> list[str]:
    return [question.path.removeprefix("/details/") for question in web.asked]


def test_a_day_that_is_over_is_read_to_its_empty_page(
    client: PoliteClient, web: WebOnLoopback, api: PreprintApi
) -> None:
    api.total = 31
    batches = ask(client, TUESDAY, WEDNESDAY)
    assert len({paper.id for paper in papers(batches)}) == 73
    pages = [path for path in paths(web) if str(TUESDAY) in path]
    assert pages == [f"biorxiv/{TUESDAY}/{TUESDAY}/{cursor}/json" for cursor in (0, 30, 60, 70)]
    assert reports(batches)[TUESDAY].papers == 70


def test_papers_are_expected_for_two_days_after_theirs(
    client: PoliteClient, web: WebOnLoopback, api: PreprintApi
) -> None:
    asked = AskedByDays(client, "biorxiv")
    asked.on(WEDNESDAY)
    posted = "bioRxiv posted 70 new papers on Tuesday 2 June 2026"
    assert asked.told(TUESDAY) == ("partial", f"{posted}; some are added up to 2 days late")
    api.posts["biorxiv"].insert(0, post(99, TUESDAY))
    web.forget()
    asked.on(WEDNESDAY, hour=13)
    assert {path.split("/")[1] for path in paths(web)} == {str(WEDNESDAY)}
    late = asked.on(WEDNESDAY + DAY)
    assert "doi:10.64898/2026.06.02.000099" in [paper.id for paper in late]
    assert asked.told(TUESDAY) == ("complete", posted.replace("70", "71") + ", 2 days later")
    asked.on(WEDNESDAY + 2 * DAY)
    assert asked.days[WEDNESDAY].state is DayState.COMPLETE


def test_pages_that_are_all_the_first_are_read_twice_and_no_more(
    client: PoliteClient, web: WebOnLoopback, api: PreprintApi
) -> None:
    monday = TUESDAY - DAY
    api.posts["biorxiv"] = [post(number, monday) for number in range(70)]
    api.pages = False
    report = reports(ask(client, monday, WEDNESDAY))[monday]
    assert (report.state, report.papers) == (DayState.PARTIAL, 30)
    assert report.evidence == (
        "bioRxiv posted 30 new papers on Monday 1 June 2026, and then gave the same ones again"
    )
    assert sum(str(monday) in path for path in paths(web)) == 2


def test_a_day_that_could_not_be_read_is_asked_for_again_with_the_next_run(
    client: PoliteClient, web: WebOnLoopback
) -> None:
    asked = AskedByDays(client, "biorxiv")
    web.spring(traps.half_a_page, on=f"{TUESDAY}/0/json")
    asked.on(WEDNESDAY, hour=8)
    assert asked.days[TUESDAY].state is DayState.BROKEN
    assert asked.days[WEDNESDAY].papers == 3
    assert len(asked.on(WEDNESDAY, hour=9)) == 73
    assert (asked.days[TUESDAY].state, asked.days[WEDNESDAY].papers) == (DayState.PARTIAL, 3)


def test_of_today_only_what_came_since_is_asked_for(
    client: PoliteClient, web: WebOnLoopback, api: PreprintApi
) -> None:
    first = reports(ask(client, WEDNESDAY))[WEDNESDAY]
    assert (first.state, first.papers) == (DayState.PARTIAL, 3)
    assert first.evidence == "bioRxiv posted 3 new papers on Wednesday 3 June 2026 so far"
    api.posts["biorxiv"].append(post(9, WEDNESDAY))
    web.forget()
    batches = ask(client, WEDNESDAY, before=first)
    assert [paper.id for paper in papers(batches)] == ["doi:10.64898/2026.06.03.000009"]
    assert [path.split("/")[3] for path in paths(web)] == ["3", "4"]
    assert reports(batches)[WEDNESDAY].papers == 4


def test_a_day_that_was_read_while_it_went_on_is_read_again_from_its_beginning(
    client: PoliteClient, api: PreprintApi
) -> None:
    before = reports(ask(client, WEDNESDAY))[WEDNESDAY]
    api.posts["biorxiv"].insert(0, post(9, WEDNESDAY))
    thursday = WEDNESDAY + DAY
    batches = ask(client, WEDNESDAY, thursday, before=before, today=thursday)
    assert "doi:10.64898/2026.06.03.000009" in [paper.id for paper in papers(batches)]
    assert reports(batches)[WEDNESDAY].papers == 4


def test_the_two_last_days_are_asked_for_again_when_a_day_has_ended(
    client: PoliteClient, web: WebOnLoopback
) -> None:
    ask(client, TUESDAY, WEDNESDAY)
    days = list(dict.fromkeys(path.split("/")[1] for path in paths(web)))
    assert days == ["2026-06-01", str(TUESDAY), str(WEDNESDAY)]


def test_a_row_becomes_a_paper(client: PoliteClient, api: PreprintApi) -> None:
    abstract = (
        "<jats:p>Neurons &amp; glia: <italic>in vivo</italic>, p<0.05.</jats:p>"
        "<sec><title>Results</title><p>H<sub>2</sub>O</p></sec>"
    )
    paper = only(client, api, abstract=abstract, category="Cell_Biology")
    assert paper.id == "doi:10.64898/2026.06.03.000001"
    assert paper.url == "https://doi.org/10.64898/2026.06.03.000001"
    assert paper.abstract == "Neurons & glia: in vivo, p<0.05. Results H2O"
    assert paper.authors == ("A. Lovelace", "A. M. Turing")
    assert (paper.announced, paper.categories) == (WEDNESDAY, ("cell biology",))
    assert (paper.version, paper.kind, paper.also) == (1, "new", ())
    assert paper.source == "biorxiv"


def test_the_journals_doi_is_another_identifier(client: PoliteClient, api: PreprintApi) -> None:
    paper = only(client, api, published="10.1016/J.CELL.2026.05.001")
    assert (paper.doi, paper.also) == (
        "10.64898/2026.06.03.000001",
        ("doi:10.1016/j.cell.2026.05.001",),
    )


def test_a_later_version_is_a_replacement_and_no_news(
    client: PoliteClient, api: PreprintApi
) -> None:
    paper = only(client, api, version="3")
    assert (paper.version, paper.kind, paper.revised) == (3, "replace", WEDNESDAY)
    assert reports(ask(client, WEDNESDAY))[WEDNESDAY].papers == 0


@pytest.mark.parametrize(
    "changes", [{"type": "WITHDRAWN"}, {"title": "WITHDRAWN: Invented preprint 1"}]
)
def test_a_withdrawal_is_no_news(
    client: PoliteClient, api: PreprintApi, changes: dict[str, str]
) -> None:
    assert only(client, api, **changes).kind == "replace"


def test_only_the_named_categories_are_taken_in_any_spelling(client: PoliteClient) -> None:
    batches = ask(client, TUESDAY, spec="biorxiv:Cell%20Biology+zoology")
    assert {paper.categories for paper in papers(batches)} == {("cell biology",)}
    report = reports(batches)[TUESDAY]
    assert report.papers == 35
    posted = "bioRxiv posted 70 new papers on Tuesday 2 June 2026"
    assert report.evidence.startswith(f"{posted}, 35 of them in cell biology or zoology; ")
    report = reports(ask(client, TUESDAY, spec="biorxiv:neurosciense"))[TUESDAY]
    assert report.evidence.startswith(f"{posted}, none of them in neurosciense; ")


def test_medrxiv_is_a_source_of_its_own(client: PoliteClient) -> None:
    batches = ask(client, TUESDAY, spec="medrxiv")
    assert [paper.source for paper in papers(batches)] == ["medrxiv"]
    evidence = reports(batches)[TUESDAY].evidence
    assert evidence.startswith("medRxiv posted 1 new paper on Tuesday 2 June 2026; ")


def test_a_day_without_papers_is_complete(client: PoliteClient) -> None:
    monday = TUESDAY - DAY
    report = reports(ask(client, monday))[monday]
    assert (report.state, report.papers) == (DayState.COMPLETE, 0)
    assert report.evidence == "bioRxiv posted no new papers on Monday 1 June 2026, 2 days later"


def test_unpadded_dates_are_read(client: PoliteClient, web: WebOnLoopback) -> None:
    web.spring(traps.unpadded_dates)
    assert {paper.announced for paper in papers(ask(client, WEDNESDAY))} == {WEDNESDAY}


@pytest.mark.parametrize(
    ("trap", "state", "evidence"),
    [
        (traps.half_a_page, DayState.BROKEN, "the answer is no JSON, or ends in the middle"),
        (traps.login_page, DayState.BROKEN, "the answer is no JSON, or ends in the middle"),
        (
            traps.answers(200, b'{"messages": [{"status": "<i>Error</i>: bad interval"}]}'),
            DayState.BROKEN,
            "the source reports an error: Error: bad interval",
        ),
        (
            traps.wrong_dates,
            DayState.BROKEN,
            "nothing that bioRxiv posted on Wednesday 3 June 2026 can be read",
        ),
        (
            lambda told: Told(200, told.body.replace(b"2026-06-03", b"2026-06-02")),
            DayState.STALE,
            "asked for Wednesday 3 June 2026, bioRxiv gave the papers of other days",
        ),
    ],
)
def test_a_bad_page_is_told_and_the_other_days_read(
    client: PoliteClient, web: WebOnLoopback, trap: traps.Trap, state: DayState, evidence: str
) -> None:
    web.spring(trap, on=f"{WEDNESDAY}/0/json")
    found = reports(ask(client, TUESDAY, WEDNESDAY))
    assert (found[WEDNESDAY].state, found[WEDNESDAY].evidence) == (state, evidence)
    assert found[TUESDAY].papers == 70


def test_papers_that_came_before_a_refusal_are_not_lost(
    client: PoliteClient, web: WebOnLoopback
) -> None:
    web.spring(traps.busy(429), on=f"{TUESDAY}/60/json", times=9)
    source = catalogue.parse("biorxiv", load_settings())
    coming = source.batches(client, Wanted(datetime.now(UTC), WEDNESDAY, (TUESDAY,)))
    monday = next(coming)
    assert [report.day for report in monday.days] == [TUESDAY - DAY]
    assert len(papers([next(coming), next(coming)])) == 60
    with pytest.raises(RequestFailed, match="HTTP 429"):
        next(coming)


@pytest.mark.parametrize("count", [0, -1, 10**9, "30", None, 1.5])
def test_a_count_that_is_none_neither_loses_papers_nor_asks_for_ever(
    client: PoliteClient, web: WebOnLoopback, count: object
) -> None:
    def lies(told: Told) -> Told:
        written = f'"count": {json.dumps(count)}'.encode()
        return Told(200, told.body.replace(b'"count": 30', written))

    web.spring(lies, times=9)
    assert reports(ask(client, TUESDAY))[TUESDAY].papers == 70


def test_pages_without_end_are_given_up(client: PoliteClient, api: PreprintApi) -> None:
    api.posts["biorxiv"] = [post(number, TUESDAY) for number in range(70)]
    api.page_size = 1
    report = reports(ask(client, TUESDAY))[TUESDAY]
    assert (report.state, report.papers) == (DayState.PARTIAL, 60)
    assert report.evidence.endswith("2026, and has more than the 60 pages that are read")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"doi": None}, "id is no arXiv id, doi: or pmid"),
        ({"title": ""}, "title is missing"),
        ({"date": "yesterday"}, "announced is not a date"),
        ({"date": "2026-13-3"}, "announced is not a date"),
        ({"authors": 7}, "authors is not a list of strings"),
        ({"abstract": ["x"]}, "abstract is not text"),
    ],
)
def test_a_bad_row_is_rejected_with_its_number_and_the_rest_goes_in(
    client: PoliteClient, web: WebOnLoopback, api: PreprintApi, changes: Any, reason: str
) -> None:
    bad = post(2, WEDNESDAY) | changes
    page = {"messages": [{"status": "ok", "count": 2}], "collection": [post(1, WEDNESDAY), bad]}
    web.spring(traps.answers(200, json.dumps(page).encode()))
    api.posts.clear()
    batches = ask(client, WEDNESDAY)
    assert [paper.title for paper in papers(batches)] == ["Invented preprint 1 of 03 June"]
    (rejected,) = (one for batch in batches for one in batch.records if isinstance(one, Rejected))
    assert (rejected.record, reason in rejected.reason) == (2, True)


def test_rows_that_are_none_are_rejected(client: PoliteClient, web: WebOnLoopback) -> None:
    web.spring(traps.answers(200, b'{"messages": 7, "collection": ["x", {}]}'))
    first = ask(client, WEDNESDAY)[0]
    assert [type(record) for record in first.records] == [Rejected, Rejected]


@pytest.mark.parametrize("spec", ["biorxiv:cs.AI", "medrxiv:a++b", "biorxiv:x?take=all"])
def test_what_is_no_category_is_refused(spec: str) -> None:
    with pytest.raises(UnknownSource, match="CATEGORY"):
        catalogue.parse(spec, load_settings())
