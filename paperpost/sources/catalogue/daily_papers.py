"""Hugging Face's Daily Papers: `daily-papers` is the list of each day, with upvotes and comments.

Days are UTC's. A paper's list is that of the day on which it was put there, so a list grows until
its day is over, and not later; on weekends there is hardly ever one. A day that is not open yet is
answered with HTTP 400.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from paperpost.settings import Settings
from paperpost.sources.arxiv_days import is_weekend
from paperpost.sources.client import PoliteClient
from paperpost.sources.daily_papers_api import papers_of, rows_of
from paperpost.sources.errors import RequestFailed, UnknownSource, UnreadableFile
from paperpost.sources.found import FoundPaper, Rejected, identity
from paperpost.sources.source import (
    Batch,
    DayReport,
    DayState,
    Source,
    Spec,
    Wanted,
    day_by_day,
    in_words,
)

USAGE = {"daily-papers": "daily-papers"}
API = "https://huggingface.co/api/daily_papers"

_PAGE = 100  # the most that the API gives at once; a page that is not the last may hold fewer
_SHORT = 50
_MOST_PAGES = 20
_GROWING = 3  # days: so long upvotes and comments are looked at again


def source(spec: Spec, settings: Settings) -> Source:
    """The one list that there is. Raises UnknownSource."""
    if spec.rest or spec.options:
        raise UnknownSource(spec.text, "Daily Papers is one list", tuple(USAGE.values()))
    return DailyPapers(spec.text)


@dataclass(frozen=True, slots=True)
class DailyPapers:
    """The lists, day by day."""

    name: str
    grows: bool = True

    def today(self, now: datetime) -> date:
        """A list's day begins at midnight UTC."""
        return now.astimezone(UTC).date()

    def closed(self, day: date) -> str | None:
        """Nothing is known ahead: now and then a weekend has a list."""
        return None

    def batches(self, client: PoliteClient, wanted: Wanted) -> Iterator[Batch]:
        """A list for each day, those of the last days again: their upvotes grow."""
        days = wanted.and_again(_GROWING)
        return day_by_day(days, lambda day: _day(client, day, wanted.today))


def _day(client: PoliteClient, day: date, today: date) -> Iterator[Batch]:
    try:
        found = _list(client, day, today)
    except RequestFailed as failure:
        if failure.status != 400:
            raise
        yield Batch(days=(_not_open(day, today),))
    else:
        yield Batch(found, (_report(day, found, today),))


def _list(client: PoliteClient, day: date, today: date) -> list[FoundPaper | Rejected]:
    """The papers of all pages, until one brings little or nothing new.

    No answer is kept to ask for changes only: every upvote is one.
    """
    found: dict[str | int, FoundPaper | Rejected] = {}
    for number in range(_MOST_PAGES):
        answer = client.get(f"{API}?date={day}&limit={_PAGE}&p={number}")
        before = len(found)
        for one in papers_of(rows_of(answer.body or b""), today=today, first=before + 1):
            found.setdefault(one.record if isinstance(one, Rejected) else identity(one), one)
        if len(found) - before < _SHORT:
            return list(found.values())
    raise UnreadableFile(f"the list of {in_words(day)} has more than {_MOST_PAGES} pages")


def _report(day: date, found: Sequence[FoundPaper | Rejected], today: date) -> DayReport:
    ids = tuple(one.id or "" for one in found if isinstance(one, FoundPaper))
    number = sum(isinstance(one, FoundPaper) and one.announced == day for one in found)
    papers = "1 paper" if number == 1 else f"{number} papers"
    if found and not number:
        return _report_of_another(day, found)
    if day >= today:
        evidence = f"the list of {in_words(day)} has {papers if number else 'no papers'} so far"
        if not found and is_weekend(day):
            evidence += ", as on most weekends"
        return DayReport(day, DayState.PARTIAL, evidence, number, ids)
    if not found:
        evidence = f"Daily Papers had no list on {in_words(day)}"
        return DayReport(day, DayState.HOLIDAY, evidence, ids=ids)
    evidence = f"the list of {in_words(day)} had {papers} when the day was over"
    return DayReport(day, DayState.COMPLETE, evidence, number)


def _report_of_another(day: date, found: Sequence[FoundPaper | Rejected]) -> DayReport:
    """There are rows, and none is a paper of the day."""
    days = sorted({one.announced for one in found if isinstance(one, FoundPaper)})
    if not days:
        evidence = f"no row of the list of {in_words(day)} is a paper that can be read"
        return DayReport(day, DayState.BROKEN, evidence)
    evidence = f"instead of the list of {in_words(day)} came that of {in_words(days[-1])}"
    return DayReport(day, DayState.STALE, evidence)


def _not_open(day: date, today: date) -> DayReport:
    if day >= today:
        evidence = f"the list of {in_words(day)} is not open yet"
        return DayReport(day, DayState.PARTIAL, evidence)
    evidence = f"Daily Papers refuses to give the list of {in_words(day)}"
    return DayReport(day, DayState.REFUSED, evidence)
