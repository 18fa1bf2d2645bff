"""Sources asked for what is missing, and how each of their days stands."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from invented import Clock, with_settings
from loopback_source import LoopbackSource, Told

from paperpost.service import courtesy, fetch
from paperpost.service.installation import Installation
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import FeedError, RequestFailed, Stopped, UnknownSource
from paperpost.sources.found import FoundPaper, checked
from paperpost.sources.source import Batch, DayReport, DayState, Wanted
from paperpost.store import days, papers, requests
from paperpost.store.database import StoreError
from paperpost.store.tables import SourceDay

DAY = timedelta(days=1)
WEDNESDAY = date(2026, 4, 15)
SATURDAY, SUNDAY, MONDAY = (date(2026, 4, day) for day in (18, 19, 20))


@dataclass
class Journal:
    """A source that has two papers on each weekday, and may fail."""

    name: str = "journal:weekdays"
    grows: bool = False
    fails: dict[date, Exception] = field(default_factory=dict)
    asked: list[Wanted] = field(default_factory=list)

    def today(self, now: datetime) -> date:
        return now.date()

    def closed(self, day: date) -> str | None:
        return "the journal rests on weekends" if day.weekday() > 4 else None

    def batches(self, client: PoliteClient, wanted: Wanted) -> Iterator[Batch]:
        self.asked.append(wanted)
        for day in wanted.days:
            if day in self.fails:
                raise self.fails[day]
            if self.closed(day) is None:
                found = [paper(day, number) for number in (1, 2)]
                ids = tuple(one.id or "" for one in found)
                report = DayReport(day, DayState.COMPLETE, "two papers", 2, ids)
                yield Batch(found, (report,))


def paper(day: date, number: int) -> FoundPaper:
    record = {"id": f"2604.{day.day:02}{number:03}", "title": f"Of {day}, {number}"}
    return checked(record | {"announced": str(day)}, source="journal", today=day)


def ask(installation: Installation, journal: Journal) -> fetch.Fetched:
    result, client = fetch.Fetched(), courtesy.polite_client(installation)
    try:
        fetch.ask(installation, client, journal, result)
    finally:
        client.close()
    return result


def stands(installation: Installation, journal: Journal) -> dict[date, str]:
    with installation.database.reading() as session:
        return {row.day: row.state for row in days.since(session, journal.name, date.min)}


def on(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def known(day: date, state: DayState, ids: list[str] | None = None) -> SourceDay:
    return SourceDay(
        source="journal:weekdays", day=day, state=state, evidence="", looked_at=on(day), ids=ids
    )


def test_a_source_that_was_never_asked_is_asked_for_its_newest_day_with_papers() -> None:
    assert fetch.wanted_of(Journal(), [], None, on(WEDNESDAY)).days == (WEDNESDAY,)
    assert fetch.wanted_of(Journal(), [], None, on(SUNDAY)).days == (date(2026, 4, 17), SUNDAY)


def test_days_that_were_missed_are_asked_for_and_settled_ones_are_not() -> None:
    settled = [
        known(date(2026, 4, 13), DayState.COMPLETE, ["a", "b"]),
        known(date(2026, 4, 14), DayState.BROKEN),
        known(date(2026, 4, 16), DayState.STALE),
    ]
    wanted = fetch.wanted_of(Journal(), settled, date(2026, 4, 13), on(MONDAY))
    assert wanted.days == (*(date(2026, 4, day) for day in (14, 15, 16, 17)), MONDAY)
    assert wanted.before is not None
    assert (wanted.before.day, wanted.before.ids) == (date(2026, 4, 13), ("a", "b"))


def test_after_a_long_absence_two_weeks_are_caught_up() -> None:
    wanted = fetch.wanted_of(Journal(), [], date(2025, 1, 1), on(WEDNESDAY))
    assert wanted.days[0] == WEDNESDAY - fetch.CATCH_UP


def test_a_week_with_a_bad_day_ends_complete(any_installation: Installation, clock: Clock) -> None:
    journal = Journal()
    clock.now = on(WEDNESDAY)
    assert ask(any_installation, journal).added == 2
    clock.now += DAY
    thursday, friday = WEDNESDAY + DAY, WEDNESDAY + 2 * DAY
    journal.fails = {thursday: RequestFailed("https://journal", "HTTP 503", status=503)}
    result = ask(any_installation, journal)
    assert [rejected.reason for rejected in result.rejected] == ["https://journal: HTTP 503"]
    clock.now += DAY
    journal.fails = {friday: FeedError("no such thing")}
    assert ask(any_installation, journal).added == 2
    assert stands(any_installation, journal) == {
        WEDNESDAY: "complete",
        thursday: "complete",
        friday: "broken",
    }
    clock.now, journal.fails = on(MONDAY), {}
    assert ask(any_installation, journal).added == 4
    assert set(stands(any_installation, journal).items()) >= {
        (friday, "complete"),
        (SATURDAY, "holiday"),
        (SUNDAY, "holiday"),
        (MONDAY, "complete"),
    }
    with any_installation.database.reading() as session:
        assert papers.count(session) == 8
        (run,) = requests.runs(session)
    assert (run.state, run.detail) == ("ok", "4 papers")


def test_the_source_that_says_no_is_told_from_the_one_that_is_broken(
    any_installation: Installation, clock: Clock
) -> None:
    clock.now = on(WEDNESDAY)
    no = RequestFailed("https://journal", "HTTP 429", status=429)
    silent = RequestFailed("https://journal", "timed out")
    journal = Journal(fails={WEDNESDAY: no})
    ask(any_installation, journal)
    assert stands(any_installation, journal) == {WEDNESDAY: "refused"}
    journal.fails = {WEDNESDAY: silent}
    ask(any_installation, journal)
    assert stands(any_installation, journal) == {WEDNESDAY: "broken"}


def test_what_is_settled_is_not_unsettled_by_a_later_failure(
    any_installation: Installation, clock: Clock
) -> None:
    clock.now = on(WEDNESDAY)
    journal = Journal()
    ask(any_installation, journal)
    fetch.keep_days(any_installation, journal, [DayReport(WEDNESDAY, DayState.BROKEN, "no answer")])
    assert stands(any_installation, journal) == {WEDNESDAY: "complete"}


def test_a_source_whose_days_are_broken_has_failed_although_it_raised_nothing(
    any_installation: Installation, clock: Clock
) -> None:
    class Careful(Journal):
        def batches(self, client: PoliteClient, wanted: Wanted) -> Iterator[Batch]:
            yield Batch(
                (), tuple(DayReport(day, DayState.BROKEN, "no JSON") for day in wanted.days)
            )

    clock.now = on(WEDNESDAY)
    result = ask(any_installation, Careful())
    assert [rejected.reason for rejected in result.rejected] == ["no JSON"]
    with any_installation.database.reading() as session:
        (run,) = requests.runs(session)
    assert (run.state, run.detail, run.succeeded_at) == ("failed", "no JSON", None)


def test_what_a_source_says_is_stored_as_one_line_that_every_database_takes(
    any_installation: Installation, clock: Clock
) -> None:
    clock.now = on(WEDNESDAY)
    journal = Journal(fails={WEDNESDAY: ValueError("bad\x00 news\nof " + "x" * 5_000)})
    ask(any_installation, journal)
    with any_installation.database.reading() as session:
        (run,) = requests.runs(session)
        (stand,) = days.since(session, journal.name, WEDNESDAY)
    assert run.detail.startswith("bad news of xxx")
    assert (len(run.detail), stand.state) == (1_000, "broken")


def test_a_store_that_fails_in_the_middle_does_not_make_us_ask_at_every_tick(
    any_installation: Installation, clock: Clock
) -> None:
    class Poisonous(Journal):
        def batches(self, client: PoliteClient, wanted: Wanted) -> Iterator[Batch]:
            raise StoreError("the disk is full")

    clock.now = on(WEDNESDAY)
    with pytest.raises(StoreError):
        ask(any_installation, Poisonous())
    with any_installation.database.reading() as session:
        (run,) = requests.runs(session)
    assert (run.asked_at, run.succeeded_at) == (clock.now, None)


def test_two_that_fetch_at_once_write_their_first_words_side_by_side(
    any_installation: Installation, clock: Clock
) -> None:
    together = threading.Barrier(2)

    def write(_: int) -> None:
        together.wait(5)
        with any_installation.database.writing() as session:
            requests.record_run(session, "journal", "ok", "papers", clock.now)
            requests.keep_validators(session, "https://journal", "a", None, clock.now)
            days.keep(session, days.Stand("journal", WEDNESDAY, "complete", "all"), clock.now)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    with any_installation.database.reading() as session:
        assert [run.state for run in requests.runs(session)] == ["ok"]


def test_a_part_of_a_day_stays_one_whatever_becomes_of_the_next_request(
    any_installation: Installation, clock: Clock
) -> None:
    clock.now = on(WEDNESDAY)
    journal = Journal()
    partial = DayReport(WEDNESDAY, DayState.PARTIAL, "the feed broke off after 126 papers", 126)
    fetch.keep_days(any_installation, journal, [partial])
    for status in (503, 429):
        failure = RequestFailed("https://journal", f"HTTP {status}", status=status)
        journal.fails = {WEDNESDAY: failure}
        ask(any_installation, journal)
    with any_installation.database.reading() as session:
        (stand,) = days.since(session, journal.name, WEDNESDAY)
    assert (stand.state, stand.papers) == ("partial", 126)
    assert stand.evidence == "the feed broke off after 126 papers; asked again: journal: HTTP 429"


def test_a_source_whose_host_is_slow_keeps_no_other_waiting(
    any_installation: Installation, clock: Clock
) -> None:
    """The second is answered while the first one's answer is still held back."""
    clock.now = on(WEDNESDAY)
    quick_came = threading.Event()
    item = (
        "<rss version='2.0'><channel><title>a</title><item><title>A Paper of {0} Journal Today"
        "</title><link>https://doi.org/10.1234/{0}</link></item></channel></rss>"
    )

    def hold_back(handler: BaseHTTPRequestHandler) -> None:
        assert quick_came.wait(20)
        handler.wfile.write(item.format("slow").encode())

    def at_once(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(item.format("quick").encode())
        quick_came.set()

    with LoopbackSource() as slow, LoopbackSource() as quick:
        slow.tell(Told(write=hold_back))
        quick.tell(Told(write=at_once))
        other = quick.url.replace("127.0.0.1", "localhost")  # a gate each
        sources = (f"feed:{slow.url}/rss", f"feed:{other}/rss")
        reader = with_settings(any_installation, allow_private_sources=True, sources=sources)
        result = fetch.fetch(reader)
    assert (result.added, result.rejected) == (2, [])
    assert [one.source for one in result.days] == list(sources)


def test_on_a_weekend_nothing_is_broken_and_fridays_papers_are_asked_for_again(
    any_installation: Installation, clock: Clock
) -> None:
    clock.now = on(SATURDAY)
    friday, spec = SATURDAY - DAY, "arxiv:cs.AI"
    reader = with_settings(any_installation, source_mirror="http://a..b", sources=(spec,))
    assert {one.day: one.state for one in fetch.fetch(reader).days} == {str(friday): "broken"}
    with any_installation.database.writing() as session:
        days.keep(session, days.Stand(spec, SATURDAY, "holiday", "a weekend"), clock.now)
    clock.turn(minutes=31)
    assert fetch.fetch_due(reader) is not None
    with any_installation.database.writing() as session:
        days.keep(session, days.Stand(spec, friday, "complete", "412 papers"), clock.now)
    clock.turn(minutes=31)
    assert fetch.fetch_due(reader) is None


def test_a_clock_that_was_ahead_keeps_nobody_waiting(
    any_installation: Installation, clock: Clock
) -> None:
    clock.now = on(WEDNESDAY)
    reader = with_settings(any_installation, source_mirror="http://a..b", sources=("arxiv:cs.AI",))
    with any_installation.database.writing() as session:
        requests.record_run(session, "arxiv:cs.AI", "ok", "", clock.now + 400 * DAY)
    assert fetch.fetch_due(reader) is not None


def test_only_the_newest_batch_keeps_its_ids(any_installation: Installation, clock: Clock) -> None:
    clock.now = on(WEDNESDAY)
    journal = Journal()
    ask(any_installation, journal)
    clock.now += DAY
    ask(any_installation, journal)
    with any_installation.database.reading() as session:
        old, new = days.since(session, journal.name, date.min)
    assert (old.ids, new.ids) == (None, ["2604.16001", "2604.16002"])


def test_a_program_that_stops_blames_nobody(any_installation: Installation, clock: Clock) -> None:
    clock.now = on(WEDNESDAY)
    journal = Journal(fails={WEDNESDAY: Stopped()})
    with pytest.raises(Stopped):
        ask(any_installation, journal)
    assert stands(any_installation, journal) == {}


def test_a_source_is_asked_again_after_half_an_hour_and_less_often_when_all_is_there(
    any_installation: Installation, clock: Clock
) -> None:
    clock.now = on(WEDNESDAY)
    with LoopbackSource() as source:
        source.tell(Told(404))
        reader = with_settings(any_installation, source_mirror=source.url, sources=("arxiv:cs.AI",))
        assert fetch.fetch_due(reader) is not None
        assert fetch.fetch_due(reader) is None
        clock.turn(minutes=31)
        assert fetch.fetch_due(reader) is not None
        complete = days.Stand("arxiv:cs.AI", WEDNESDAY, "complete", "all of it")
        with any_installation.database.writing() as session:
            days.keep(session, complete, clock.now)
        clock.turn(minutes=31)
        assert fetch.fetch_due(reader) is None
        clock.turn(hours=6)
        assert fetch.fetch_due(reader) is not None


def test_a_source_that_fails_is_told_and_an_unknown_one_is_refused_before_any_is_asked(
    any_installation: Installation,
) -> None:
    reader = with_settings(any_installation, source_mirror="http://a..b")
    with pytest.raises(UnknownSource):
        fetch.fetch(reader, ["arxiv:cs.AI", "gopher:old"])
    with any_installation.database.reading() as session:
        assert requests.runs(session) == []
    (rejected,) = fetch.fetch(reader, ["arxiv:cs.AI"]).rejected
    assert rejected.reason
    with any_installation.database.reading() as session:
        (run,) = requests.runs(session)
    assert run.state == "failed"
