"""arXiv's days that were missed, caught up by OAI-PMH."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from paperpost.sources.arxiv_categories import is_primary, set_of, taken
from paperpost.sources.arxiv_days import DAY
from paperpost.sources.client import PoliteClient
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.oai import Listed
from paperpost.sources.oai_harvest import pages
from paperpost.sources.source import Batch, DayReport, DayState

# For so long the list may be late with a day of which, and after which, it has nothing.
_LATE = timedelta(days=3)


@dataclass(slots=True)
class Missed:
    """Some days of some categories, the last of them not after `today`.

    `take` is what is wanted of them (see arxiv_categories.TAKEN), `seen` how many papers of the
    last day are here already.
    """

    categories: Sequence[str]
    take: Collection[str]
    days: Sequence[date]
    today: date
    seen: int = 0
    _found: dict[str, date] = field(default_factory=dict)
    _newest: date = date.min

    def batches(self, client: PoliteClient) -> Iterator[Batch]:
        """The papers that were announced since the first of the days, and how all the days stand
        when every category's list has come to its end. Raises SourceError."""
        for category in self.categories:
            for page in pages(client, set_of(category), self._since, self.today):
                yield Batch([one for record in page if (one := self._wanted(record))])
        found = Counter(self._found.values())
        yield Batch(days=tuple(self._report(day, found[day]) for day in self.days))

    @property
    def _since(self) -> date:
        """Datestamps are days in UTC: that of the announcement, or in summer the one before."""
        return min(self.days) - DAY

    def _wanted(self, record: Listed | Rejected) -> FoundPaper | Rejected | None:
        """What to do with a record: news of the days, a change of what is known, or nothing."""
        if isinstance(record, Rejected):
            return record
        self._newest = max(self._newest, record.datestamp)
        paper = record.paper
        if paper.announced > self.today:
            return None  # its own day will tell of it
        if paper.announced < self._since or record.withdrawn:
            return self._changed(record)
        if not is_primary(paper, self.categories):
            paper = replace(paper, kind="cross")
        wanted = taken(paper, self.take, paper.announced)
        if wanted and paper.id:
            self._found[paper.id] = paper.announced
        return wanted

    def _changed(self, record: Listed) -> FoundPaper | None:
        """A paper from before: replaced in these days, or only its metadata changed."""
        at_home = is_primary(record.paper, self.categories)
        changed = replace(record.paper, kind="replace" if at_home else "replace-cross")
        if record.replaced is None or record.replaced < self._since:
            return changed
        take: Collection[str] = () if record.withdrawn else self.take
        return taken(changed, take, min(record.replaced, self.today))

    def _report(self, day: date, papers: int) -> DayReport:
        if papers and (day < self.today or papers >= self.seen):
            evidence = f"caught up by OAI-PMH: {papers:,} {'paper' if papers == 1 else 'papers'}"
            return DayReport(day, DayState.COMPLETE, evidence, papers)
        if day < self.today and (self._newest > day or day <= self.today - _LATE):
            return DayReport(day, DayState.HOLIDAY, "OAI-PMH lists no papers of that day")
        state = DayState.PARTIAL if self.seen and day == self.today else DayState.STALE
        return DayReport(day, state, "OAI-PMH does not list that day's papers yet", self.seen)
