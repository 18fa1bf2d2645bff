"""How the sources stand: what silence, pages, `status`, `doctor` and alarms tell of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlmodel import Session

from paperpost.settings import Settings
from paperpost.sources import catalogue
from paperpost.sources.source import SETTLED, DayReport, DayState, Source, in_words
from paperpost.store import days, requests
from paperpost.store.tables import SourceDay, SourceRun

DAY = timedelta(days=1)
# How far back a day matters that was never settled: its papers may still come.
LATELY = timedelta(days=3)
KNOWN = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one source stands: how the last request to it ended, and what is known of its days.

    `asked_at` is None if there was none, `succeeded_at` if none ever brought an answer that could
    be read; `detail` is why the last one failed.
    """

    source: Source
    asked_at: datetime | None = None
    succeeded_at: datetime | None = None
    failed: bool = False
    detail: str = ""
    days: Mapping[date, DayReport] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The source as the operator wrote it."""
        return self.source.name

    def report(self, day: date) -> DayReport | None:
        """What is known of a day; of one without papers by the source's calendar at least that."""
        known = self.days.get(day)
        if known is None and (reason := self.source.closed(day)) is not None:
            return DayReport(day, DayState.HOLIDAY, reason)
        return known

    def trouble(self, day: date) -> DayReport | None:
        """The newest day, of the last few up to that one, whose papers are missing; None if they
        are all there or are still coming in, as they do on any day."""
        if self.days.get(day) is None and self.source.closed(day) is None:
            day -= DAY  # not asked for yet
        known = (self._awaited(day - n * DAY) for n in range(LATELY.days + 1))
        return next((report for report in known if report and self._is_trouble(report)), None)

    def _is_trouble(self, report: DayReport) -> bool:
        return report.state != DayState.PARTIAL or not self.source.grows

    def oldest_unsettled(self, until: date) -> date | None:
        """The first of the last days, up to that one, of which papers may still come."""
        first = min(self.days, default=until + DAY)
        between = (first + n * DAY for n in range((until - first).days + 1))
        return next((day for day in between if self._awaited(day)), None)

    def _awaited(self, day: date) -> DayReport | None:
        """What is known of a day of which papers may still come; None for any other. One that lies
        behind us without a word was missed, and is not caught up yet."""
        if (known := self.days.get(day)) is not None:
            return None if known.state in SETTLED else known
        if day <= min(self.days, default=day) or self.source.closed(day) is not None:
            return None
        return DayReport(day, DayState.STALE, f"its papers of {in_words(day)} are not here yet")

    def newest_complete(self) -> date | None:
        """The newest day of which all papers are here."""
        whole = [day for day, one in self.days.items() if one.state == DayState.COMPLETE]
        return max(whole, default=None)

    def days_due(self, after: date, until: date) -> int:
        """How many days with papers there should have been after one, up to another."""
        between = (after + n * DAY for n in range(1, (until - after).days + 1))
        return sum(self.source.closed(day) is None for day in between)


def standings(session: Session, settings: Settings, now: datetime) -> list[Standing]:
    """How the configured sources stand, in their order."""
    runs = {run.source: run for run in requests.runs(session)}
    return [
        of_source(
            catalogue.parse(spec, settings),
            runs.get(spec),
            days.since(session, spec, now.date() - KNOWN),
        )
        for spec in settings.sources
    ]


def of_source(source: Source, run: SourceRun | None, known: Sequence[SourceDay]) -> Standing:
    """How one source stands, by its last request and its days."""
    if run is None:
        return Standing(source)
    reports = {row.day: stored_report(row) for row in known}
    failed = run.state == "failed"
    return Standing(source, run.asked_at, run.succeeded_at, failed, run.detail, reports)


def stored_report(row: SourceDay) -> DayReport:
    """A stored day as its source told it."""
    ids = None if row.ids is None else tuple(row.ids)
    return DayReport(row.day, DayState(row.state), row.evidence, row.papers, ids)
