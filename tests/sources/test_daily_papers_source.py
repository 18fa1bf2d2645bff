"""`daily-papers`: the lists of Hugging Face, day by day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import traps
from asked_by_days import AskedByDays
from hurried_client import hurried_client
from speaks_daily_papers import DailyPapersApi, of_file, row
from web_on_loopback import WebOnLoopback

from paperpost.settings import load_settings
from paperpost.sources import catalogue
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import RequestFailed, UnknownSource
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.source import Batch, DayReport, DayState, Wanted

DAY = timedelta(days=1)
WEDNESDAY = date(2026, 4, 15)
TUESDAY = WEDNESDAY - DAY
FRIDAY, SATURDAY = date(2026, 4, 17), date(2026, 4, 18)
KNOWN = DayReport(WEDNESDAY, DayState.PARTIAL, "", 2, ("a", "b"))


@pytest.fixture
def hub() -> DailyPapersApi:
    """Two papers on each working day since Monday, on Wednesday."""
    days = (WEDNESDAY - 2 * DAY, TUESDAY, WEDNESDAY)
    return DailyPapersApi({day: [row(1, day), row(2, day)] for day in days}, WEDNESDAY)


@pytest.fixture
def web(hub: DailyPapersApi) -> Iterator[WebOnLoopback]:
    with WebOnLoopback(hub) as running:
        yield running


@pytest.fixture
def client(web: WebOnLoopback) -> Iterator[PoliteClient]:
    with hurried_client(web) as asking:
        yield asking


def ask(
    client: PoliteClient, *days: date, today: date = WEDNESDAY, before: DayReport | None = KNOWN
) -> list[Batch]:
    source = catalogue.parse("daily-papers", load_settings())
    now = datetime.combine(today, time(12), UTC)
    batches = list(source.batches(client, Wanted(now, source.today(now), days, before)))
    for batch in batches:
        for answer in batch.answers:
            answer.keep()
    return batches


def only(client: PoliteClient, day: date, today: date = WEDNESDAY) -> DayReport:
    """The report of the day that alone was wanted, if it is today."""
    batches = ask(client, day, today=today)
    (report,) = (report for batch in batches for report in batch.days if report.day == day)
    return report


def papers(batches: list[Batch]) -> list[FoundPaper]:
    return [one for batch in batches for one in batch.records if isinstance(one, FoundPaper)]


def asked_days(web: WebOnLoopback) -> list[str]:
    return [question.query["date"] for question in web.asked]


def test_todays_list_is_partial_with_upvotes_and_comments(client: PoliteClient) -> None:
    (batch,) = ask(client, WEDNESDAY)
    first, second = papers([batch])
    assert (first.id, first.upvotes, first.discussed) == ("2604.15001", 11, 3)
    (report,) = batch.days
    assert (report.state, report.papers, report.ids) == (
        DayState.PARTIAL,
        2,
        (first.id, second.id),
    )
    assert report.evidence == "the list of Wednesday 15 April 2026 has 2 papers so far"


def test_a_list_is_complete_once_its_day_is_over(client: PoliteClient) -> None:
    report = only(client, TUESDAY)
    assert (report.state, report.papers) == (DayState.COMPLETE, 2)
    assert report.evidence == "the list of Tuesday 14 April 2026 had 2 papers when the day was over"


def test_when_a_day_has_ended_the_three_last_ones_are_asked_for_again_but_not_between(
    client: PoliteClient, web: WebOnLoopback, hub: DailyPapersApi
) -> None:
    monday = WEDNESDAY - 2 * DAY
    hub.lists[monday][0]["paper"]["upvotes"] = 400
    batches = ask(client, TUESDAY, WEDNESDAY)
    assert asked_days(web) == [str(TUESDAY), str(WEDNESDAY), "2026-04-12", str(monday)]
    assert max(paper.upvotes or 0 for paper in papers(batches)) == 400
    web.forget()
    ask(client, WEDNESDAY)
    assert asked_days(web) == [str(WEDNESDAY)]


@pytest.mark.parametrize(("days", "before"), [((), KNOWN), ((WEDNESDAY,), None)])
def test_the_last_days_are_asked_for_where_nothing_is_wanted_or_known(
    client: PoliteClient, web: WebOnLoopback, days: tuple[date, ...], before: DayReport | None
) -> None:
    ask(client, *days, before=before)
    assert sorted(asked_days(web)) == [f"2026-04-{day}" for day in (12, 13, 14, 15)]


def test_a_day_that_is_not_open_yet_is_partial(client: PoliteClient, hub: DailyPapersApi) -> None:
    hub.open_until = TUESDAY
    report = only(client, WEDNESDAY)
    assert (report.state, report.papers) == (DayState.PARTIAL, 0)
    assert report.evidence == "the list of Wednesday 15 April 2026 is not open yet"


def test_an_old_day_that_is_refused_keeps_no_later_one_from_being_read(
    client: PoliteClient, web: WebOnLoopback
) -> None:
    web.spring(traps.answers(400), on=str(TUESDAY))
    reports = [report for batch in ask(client, TUESDAY, WEDNESDAY) for report in batch.days]
    assert [(report.day, report.state) for report in reports[:2]] == [
        (TUESDAY, DayState.REFUSED),
        (WEDNESDAY, DayState.PARTIAL),
    ]


def test_a_weekend_without_a_list_is_a_holiday_and_one_with_a_list_is_a_day(
    client: PoliteClient, hub: DailyPapersApi
) -> None:
    asked = AskedByDays(client, "daily-papers")
    hub.open_until = SATURDAY + DAY
    asked.on(SATURDAY, hour=8)
    # Not a holiday before it is over: a list may still open.
    assert asked.told(SATURDAY) == (
        "partial",
        "the list of Saturday 18 April 2026 has no papers so far, as on most weekends",
    )
    hub.lists[SATURDAY] = [row(1, SATURDAY)]
    asked.on(SATURDAY, hour=9)
    assert asked.days[SATURDAY].papers == 1
    asked.on(SATURDAY + DAY)
    assert (asked.days[SATURDAY].state, asked.days[SATURDAY].papers) == (DayState.COMPLETE, 1)
    asked.on(SATURDAY + 2 * DAY)
    assert asked.told(SATURDAY + DAY) == (
        "holiday",
        "Daily Papers had no list on Sunday 19 April 2026",
    )


def test_a_weekday_is_empty_so_far_and_without_a_list_when_it_is_over(
    client: PoliteClient, hub: DailyPapersApi
) -> None:
    hub.lists.clear()
    assert only(client, WEDNESDAY).evidence == (
        "the list of Wednesday 15 April 2026 has no papers so far"
    )
    assert only(client, TUESDAY).state is DayState.HOLIDAY


@pytest.mark.parametrize("largest", [100, 50])
def test_a_long_list_is_read_page_by_page(
    client: PoliteClient, web: WebOnLoopback, hub: DailyPapersApi, largest: int
) -> None:
    hub.lists[WEDNESDAY] = [row(number, WEDNESDAY) for number in range(230)]
    hub.largest = largest
    (batch,) = ask(client, WEDNESDAY)
    assert len(papers([batch])) == 230
    assert [question.query["p"] for question in web.asked] == [
        str(page) for page in range(-(-230 // largest))
    ]


def test_pages_that_are_all_the_first_are_read_twice_and_no_more(
    client: PoliteClient, web: WebOnLoopback, hub: DailyPapersApi
) -> None:
    hub.lists[WEDNESDAY] = [row(number, WEDNESDAY) for number in range(100)]
    hub.pages = False
    (batch,) = ask(client, WEDNESDAY)
    assert (len(papers([batch])), len(web.asked)) == (100, 2)


def test_a_list_without_end_is_given_up(client: PoliteClient, hub: DailyPapersApi) -> None:
    hub.lists[WEDNESDAY] = [row(number, WEDNESDAY) for number in range(2_000)]
    (report,) = ask(client, WEDNESDAY)[0].days
    assert report.state is DayState.BROKEN
    assert "has more than 20 pages" in report.evidence


@pytest.mark.parametrize(
    ("trap", "evidence"),
    [
        (traps.half_a_page, "the JSON array is broken, or ends in the middle"),
        (traps.login_page, "the JSON array is broken, or ends in the middle"),
        (traps.answers(200, b"{}"), "JSON, but no array of papers"),
        (
            traps.answers(200, b'{"error": "<b>out</b> of\\u202e order"}'),
            "the source reports an error: out of order",
        ),
        (
            traps.wrong_dates,
            "no row of the list of Tuesday 14 April 2026 is a paper that can be read",
        ),
        (
            traps.answers(200, b'[{"id": "2604.00001", "title": "One"}]'),
            "a JSON array, not JSON lines: each paper must be a line of its own",
        ),
    ],
)
def test_a_bad_list_is_told_and_the_next_one_read(
    client: PoliteClient, web: WebOnLoopback, trap: traps.Trap, evidence: str
) -> None:
    web.spring(trap, on=f"date={TUESDAY}")
    bad, good, *_ = ask(client, TUESDAY, WEDNESDAY)
    assert all(isinstance(record, Rejected) for record in bad.records)
    assert bad.records
    assert [(report.state, report.evidence) for report in bad.days] == [(DayState.BROKEN, evidence)]
    assert good.days[0].papers == 2


def test_the_list_of_another_day_is_stale_and_its_papers_keep_their_day(
    client: PoliteClient, hub: DailyPapersApi
) -> None:
    hub.lists[WEDNESDAY] = hub.lists[TUESDAY]
    (batch,) = ask(client, WEDNESDAY)
    assert [paper.announced for paper in papers([batch])] == [TUESDAY, TUESDAY]
    (report,) = batch.days
    assert report.state is DayState.STALE
    assert report.evidence == (
        "instead of the list of Wednesday 15 April 2026 came that of Tuesday 14 April 2026"
    )


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_refusal_ends_the_asking(client: PoliteClient, web: WebOnLoopback, status: int) -> None:
    web.spring(traps.busy(status), times=9)
    with pytest.raises(RequestFailed, match=f"HTTP {status}"):
        ask(client, TUESDAY, WEDNESDAY)
    assert set(asked_days(web)) == {str(TUESDAY)}


@pytest.mark.parametrize("count", [None, "3", -1, 8.7, True, [3], 10**9])
def test_comments_that_are_no_count_do_not_lose_the_paper(
    client: PoliteClient, hub: DailyPapersApi, count: Any
) -> None:
    hub.lists[WEDNESDAY][0]["numComments"] = count
    first, second = papers(ask(client, WEDNESDAY))
    assert (first.discussed, second.discussed) == (None, 3)


@pytest.mark.parametrize("spec", ["daily-papers:cs.AI", "daily-papers:?sort=trending"])
def test_it_is_one_list_and_takes_no_argument(spec: str) -> None:
    with pytest.raises(UnknownSource, match="one list; known sources: daily-papers"):
        catalogue.parse(spec, load_settings())


def test_the_42_real_lists_come_in_through_the_api(data: Path) -> None:
    lists = {
        date.fromisoformat(path.name[:10]): of_file(path)
        for path in sorted((data / "hf-daily-papers" / "api").glob("*.gz"))
    }
    with WebOnLoopback(DailyPapersApi(lists, max(lists))) as web, hurried_client(web) as asking:
        batches = ask(asking, *lists, today=max(lists) + DAY)
    reports = [report for batch in batches for report in batch.days if report.day in lists]
    assert {report.state for report in reports} == {DayState.COMPLETE}
    assert sum(report.papers for report in reports) == 1_093
    assert sum(paper.discussed or 0 for paper in papers(batches)) == 1_084
