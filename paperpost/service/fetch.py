"""New papers from the sources: what is missing is asked for, and how each day stands is kept."""

import threading
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from paperpost.errors import PaperpostError
from paperpost.service.courtesy import polite_client
from paperpost.service.ingest import Ingested, RejectedRecord, take_in
from paperpost.service.installation import Installation
from paperpost.service.look_up import look_up
from paperpost.service.standing import LATELY, stored_report
from paperpost.settings import Settings
from paperpost.sources import catalogue
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import Stopped
from paperpost.sources.source import SETTLED, DayReport, DayState, Source, Wanted, report_of
from paperpost.store import days, requests
from paperpost.store.database import printable
from paperpost.store.tables import SourceDay, SourceRun

DAY = timedelta(days=1)
# Digests look a week back for new subscribers, and at what came since the last one for others.
CATCH_UP = timedelta(days=14)
# Where a new installation begins, its source's holidays notwithstanding.
LOOK_BACK = timedelta(days=7)
KEPT = timedelta(days=400)
ASK_AGAIN = timedelta(minutes=30)
# All of today's papers are here: what may still change are upvotes, or a feed that was corrected.
ASK_AGAIN_SETTLED = timedelta(hours=6)
FAILED = (DayState.BROKEN, DayState.REFUSED)
ASKED_AGAIN = "; asked again: "
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class DayTold:
    """What a source told of one of its days in a run; `day` as YYYY-MM-DD."""

    source: str
    day: str
    state: str
    evidence: str
    papers: int


@dataclass(slots=True)
class Fetched(Ingested):
    """What came in from sources, and what they told of their days."""

    days: list[DayTold] = field(default_factory=list)


def fetch(
    installation: Installation, specs: Sequence[str] = (), stop: threading.Event | None = None
) -> Fetched:
    """Ask the named sources, or the configured ones, for new papers and for what was missed.

    They are asked side by side, because one whose host is slow must not keep the others waiting;
    each host still gets one request at a time. One that fails keeps its failure with its days and
    stands among the rejected as record 0. Once `stop` is set the run ends: what came is in, the
    rest is asked for the next time. Raises UnknownSource before anything is asked.
    """
    settings = installation.settings
    named = dict.fromkeys(specs or settings.sources)
    wanted = [catalogue.parse(spec, settings) for spec in named]
    stop = stop or threading.Event()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            asked = list(pool.map(lambda source: _asked(installation, source, stop), wanted))
        except BaseException:  # Ctrl-C reaches this thread alone
            stop.set()
            raise
    with closing(polite_client(installation, stop)) as client, suppress(Stopped):
        look_up(installation, client)
    failures = [one for one in asked if isinstance(one, PaperpostError)]
    if failures:
        raise failures[0]
    return _together([one for one in asked if isinstance(one, Fetched)])


def _asked(
    installation: Installation, source: Source, stop: threading.Event
) -> Fetched | PaperpostError:
    """What came from one source; the store's own trouble does not keep the others from ending."""
    result = Fetched()
    with closing(polite_client(installation, stop)) as client, suppress(Stopped):
        try:
            ask(installation, client, source, result)
        except PaperpostError as error:
            return error
    return result


def _together(parts: Iterable[Fetched]) -> Fetched:
    whole = Fetched()
    for part in parts:
        whole.added += part.added
        whole.updated += part.updated
        whole.skipped += part.skipped
        whole.rejected += part.rejected
        whole.days += part.days
    return whole


def check_sources(specs: Iterable[str], settings: Settings) -> None:
    """Raises UnknownSource at the first that is not written as a source is."""
    for spec in specs:
        catalogue.parse(spec, settings)


def fetch_due(installation: Installation, stop: threading.Event | None = None) -> Fetched | None:
    """Fetch the configured sources that it is time to ask again; None if there are none."""
    with installation.database.reading() as session:
        runs = {run.source: run for run in requests.runs(session)}
    due = [spec for spec in installation.settings.sources if _is_due(installation, spec, runs)]
    return fetch(installation, due, stop) if due else None


def _is_due(installation: Installation, spec: str, runs: Mapping[str, SourceRun]) -> bool:
    if (run := runs.get(spec)) is None:
        return True
    now = installation.clock()
    today = catalogue.parse(spec, installation.settings).today(now)
    with installation.database.reading() as session:
        stands = days.since(session, spec, today - LATELY)
    settled = any(stand.day == today and stand.state in SETTLED for stand in stands)
    # On a weekend the papers of Friday may still be missing.
    settled = settled and all(stand.state in (*SETTLED, DayState.PARTIAL) for stand in stands)
    # A clock that was ahead must not make us wait until it is that late.
    return abs(now - run.asked_at) >= (ASK_AGAIN_SETTLED if settled else ASK_AGAIN)


def wanted_of(
    source: Source, known: Sequence[SourceDay], first: date | None, now: datetime
) -> Wanted:
    """What to ask a source for, by what is known of its last days; `first` is the first day that
    anything was ever known of, None for a source that was never asked."""
    today = source.today(now)
    begin = max(first or _newest_open_day(source, today), today - CATCH_UP)
    settled = {stand.day for stand in known if stand.state in SETTLED}
    wanted = [
        day
        for day in _days(begin, today)
        if day not in settled and (day == today or source.closed(day) is None)
    ]
    with_ids = [stand for stand in known if stand.ids is not None]
    before = stored_report(with_ids[-1]) if with_ids else None
    return Wanted(now, today, tuple(wanted), before)


def _newest_open_day(source: Source, today: date) -> date:
    """The newest day of which there should be papers, within a week."""
    open_days = (day for day in _days(today - LOOK_BACK, today) if source.closed(day) is None)
    return max(open_days, default=today)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + n * DAY for n in range((last - first).days + 1))


def ask(installation: Installation, client: PoliteClient, source: Source, result: Fetched) -> None:
    """Ask one source for what is missing, and count in `result` what came; its failures are kept
    with its days. Raises Stopped, and PaperpostError for the store's own trouble."""
    now = installation.clock()
    installation.say(f"asking {source.name}")
    with installation.database.writing() as session:
        requests.begin_run(session, source.name, now)
    wanted = _look(installation, source, now)
    reported: dict[date, DayReport] = {}
    before = result.readable
    try:
        for batch in source.batches(client, wanted):
            take_in(installation, iter(batch.records), source.name, result)
            keep_days(installation, source, batch.days)
            reported |= {report.day: report for report in batch.days}
            for answer in batch.answers:
                answer.keep()
    except (PaperpostError, Stopped):
        raise  # nobody's fault, or the store's own trouble
    except Exception as error:
        # SourceError is what is expected; whatever else a source brings about must be told as
        # well. Of a day that has no papers anyway none are missing.
        due = [day for day in wanted.days if day not in reported and source.closed(day) is None]
        left = [report_of(error, day) for day in due]
        keep_days(installation, source, left)
        result.days += _told(source, [*reported.values(), *left])
        _fail(installation, source, str(error) or type(error).__name__, result)
        return
    holidays = list(_holidays(source, wanted, reported))
    keep_days(installation, source, holidays)
    result.days += _told(source, [*reported.values(), *holidays])
    newest = reported[max(reported)] if reported else None
    if newest is not None and newest.state in FAILED:
        _fail(installation, source, newest.evidence, result)
        return
    number = result.readable - before
    _record(installation, source, "ok", f"{number} papers" if number else "nothing new")


def _told(source: Source, reports: Iterable[DayReport]) -> Iterator[DayTold]:
    for one in sorted(reports, key=lambda report: report.day):
        day, state = one.day.isoformat(), one.state.value
        yield DayTold(source.name, day, state, printable(one.evidence), one.papers)


def _fail(installation: Installation, source: Source, reason: str, result: Fetched) -> None:
    told = {(rejected.file, rejected.record) for rejected in result.rejected}
    if (source.name, 0) not in told:  # a source may have told of its bad day itself
        result.rejected.append(RejectedRecord(source.name, 0, reason))
    _record(installation, source, "failed", reason)


def _look(installation: Installation, source: Source, now: datetime) -> Wanted:
    with installation.database.reading() as session:
        known = days.since(session, source.name, source.today(now) - CATCH_UP)
        return wanted_of(source, known, days.first_day(session, source.name), now)


def _holidays(source: Source, wanted: Wanted, reported: Container[date]) -> Iterator[DayReport]:
    """The days without papers among those that were asked for, and between them."""
    if not wanted.days:
        return
    for day in _days(wanted.days[0], wanted.today):
        if day not in reported and (reason := source.closed(day)) is not None:
            yield DayReport(day, DayState.HOLIDAY, reason)


def keep_days(installation: Installation, source: Source, reports: Sequence[DayReport]) -> None:
    """Write reports down; what is settled is not unsettled by a later failure."""
    if not reports:
        return
    now = installation.clock()
    with installation.database.writing() as session:
        known = days.since(session, source.name, min(report.day for report in reports))
        settled = {stand.day for stand in known if stand.state in SETTLED}
        partial = {stand.day: stand for stand in known if stand.state == DayState.PARTIAL}
        for report in reports:
            if report.day in partial and report.state in FAILED:
                report = _still_partial(partial[report.day], report)
            if report.day not in settled or report.state in SETTLED:
                days.keep(session, _stand(source.name, report), now)
        days.forget(session, now.date() - KEPT)


def _still_partial(stand: SourceDay, report: DayReport) -> DayReport:
    """A part of the day is here, whatever became of the next request."""
    before = stand.evidence.partition(ASKED_AGAIN)[0]
    return replace(
        report,
        state=DayState.PARTIAL,
        evidence=f"{before}{ASKED_AGAIN}{report.evidence}",
        papers=stand.papers,
    )


def _stand(source: str, report: DayReport) -> days.Stand:
    ids = None if report.ids is None else list(report.ids)
    return days.Stand(source, report.day, report.state.value, report.evidence, report.papers, ids)


def _record(installation: Installation, source: Source, state: str, detail: str) -> None:
    with installation.database.writing() as session:
        requests.record_run(session, source.name, state, detail, installation.clock())
