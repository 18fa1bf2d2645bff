"""A source asked day after day, as the service asks it, with what is known of its days kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from paperpost.service.fetch import CATCH_UP, wanted_of
from paperpost.settings import Settings, load_settings
from paperpost.sources import catalogue
from paperpost.sources.client import PoliteClient
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.source import DayReport
from paperpost.store.tables import SourceDay


@dataclass
class AskedByDays:
    """`days` is how each day stands; `found` and `rejected` are of the last time."""

    client: PoliteClient
    spec: str
    settings: Settings = field(default_factory=load_settings)
    days: dict[date, DayReport] = field(default_factory=dict)
    found: list[FoundPaper] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def on(self, day: date, hour: int = 12) -> Sequence[FoundPaper]:
        """Ask at that hour, UTC; what was found."""
        source = catalogue.parse(self.spec, self.settings)
        now = datetime.combine(day, time(hour), UTC)
        lately = sorted(one for one in self.days if one >= source.today(now) - CATCH_UP)
        known = [_row(self.spec, self.days[one]) for one in lately]
        wanted = wanted_of(source, known, min(self.days, default=None), now)
        self.found, self.rejected = [], []
        for batch in source.batches(self.client, wanted):
            self.found += [one for one in batch.records if isinstance(one, FoundPaper)]
            self.rejected += [one for one in batch.records if isinstance(one, Rejected)]
            self.days |= {report.day: report for report in batch.days}
            for answer in batch.answers:
                answer.keep()
        return self.found

    def told(self, day: date) -> tuple[str, str]:
        """The day's state and evidence."""
        return self.days[day].state.value, self.days[day].evidence


def _row(source: str, report: DayReport) -> SourceDay:
    return SourceDay(
        source=source,
        day=report.day,
        state=report.state.value,
        evidence=report.evidence,
        papers=report.papers,
        looked_at=datetime.combine(report.day, time(), UTC),
        ids=None if report.ids is None else list(report.ids),
    )
