"""What a source is: days, and for each the papers, and how sure it is that they are all there.

A source is a file in `catalogue/` with a function `source` (see there). Whatever it answers is
told as reports on days, with the evidence: a digest without papers, a page and `doctor` repeat it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from paperpost.sources.cleaning import one_line
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import (
    REASON_LIMIT,
    AnswerTooLarge,
    FeedError,
    RequestFailed,
    SourceBusy,
    UnreadableFile,
)
from paperpost.sources.exchange import Answer
from paperpost.sources.found import FoundPaper, Rejected


class DayState(StrEnum):
    """How a day of a source stands. Of the first two no more is expected."""

    COMPLETE = "complete"  # all of its papers are here that can still be had
    HOLIDAY = "holiday"  # it has none, and says so or is known not to
    PARTIAL = "partial"  # some are here; more may come
    STALE = "stale"  # the source still has what it had before
    REFUSED = "refused"  # the source does not want to be asked
    BROKEN = "broken"  # no answer, or none that can be read


SETTLED = (DayState.COMPLETE, DayState.HOLIDAY)

_REFUSALS = (401, 403, 429, 503)  # HTTP's ways to say no, or not now
# What is wrong with one answer, and tells nothing of the next.
_BAD_ANSWERS = (AnswerTooLarge, FeedError, UnreadableFile)


@dataclass(frozen=True, slots=True)
class DayReport:
    """How one day stands, with the evidence: one sentence, without a full stop at its end.

    `papers` is how many of the day were seen; `ids` are those of its batch where the source has a
    batch a day, so that the next answer can be told from it.
    """

    day: date
    state: DayState
    evidence: str
    papers: int = 0
    ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a source: the papers of `days`, oldest first, none of them settled.

    `today` is the source's own date, and the last of `days` unless it is settled already; then
    nothing but changes is wanted. `before` is the newest earlier report that has `ids`.
    """

    now: datetime
    today: date
    days: tuple[date, ...]
    before: DayReport | None = None

    def and_again(self, days: int) -> tuple[date, ...]:
        """The wanted days, and about once a day so many before today that may have changed.

        They are asked for when a day has ended, when nothing else is wanted, and the first time;
        after the wanted ones, so that a source that refuses is not asked for more.
        """
        if self.days == (self.today,) and self.before is not None:
            return self.days
        before = [self.today - timedelta(number) for number in range(days, -1, -1)]
        return (*self.days, *(day for day in before if day not in self.days))

    def and_late(self, days: int) -> tuple[date, ...]:
        """For a source that has papers so many days late: once a day what is wanted and those
        days, oldest first; in between today alone. A source that wants all of them again the next
        time reports today without ids."""
        if self.before is not None and self.before.day == self.today:
            return (self.today,)
        return tuple(sorted({*self.and_again(days), self.today}))


@dataclass(frozen=True, slots=True)
class Batch:
    """Papers that are taken in together, and what is known of the days once they are.

    `answers` are kept when that is done, so that the next request asks for changes only; a source
    leaves out what arrived damaged. Few thousand records at most: a long day is several batches.
    """

    records: Sequence[FoundPaper | Rejected] = ()
    days: tuple[DayReport, ...] = ()
    answers: tuple[Answer, ...] = ()


class Source(Protocol):
    """One place where papers come from."""

    @property
    def name(self) -> str:
        """The source as the operator wrote it: what its days are kept under."""

    @property
    def grows(self) -> bool:
        """Whether its papers of a day come in one by one, so that a part of today's is no
        trouble; else they are announced all at once."""

    def today(self, now: datetime) -> date:
        """The source's date at that moment."""

    def closed(self, day: date) -> str | None:
        """Why it has no papers of that day, as far as that is known ahead; None if it should."""

    def batches(self, client: PoliteClient, wanted: Wanted) -> Iterator[Batch]:
        """Ask, and yield what came as it comes.

        Every wanted day is reported at the latest with the last batch, unless it raises: a
        SourceError says how all days stand that were not reported until then.
        """


def day_by_day(days: Sequence[date], read: Callable[[date], Iterator[Batch]]) -> Iterator[Batch]:
    """What is read of each day, one after the other. What goes wrong with one must not keep the
    later ones from being read, which are told without their ids then: see `Wanted.and_late`.

    Raises RequestFailed if the host refuses, or gives no answer for two days in a row.
    """
    all_read, silent = True, False
    for day in days:
        try:
            for batch in read(day):
                yield batch if all_read else _without_ids(batch)
            silent = False
        except (*_BAD_ANSWERS, RequestFailed) as error:
            was_silent, silent = silent, not isinstance(error, _BAD_ANSWERS)
            if is_refusal(error) or (silent and (was_silent or day == days[-1])):
                raise
            all_read = False
            yield Batch([Rejected(0, str(error), damage=True)], (report_of(error, day),))


def _without_ids(batch: Batch) -> Batch:
    return replace(batch, days=tuple(replace(report, ids=None) for report in batch.days))


def in_words(day: date) -> str:
    """A day as evidence names it: Thursday 2 April 2026."""
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def report_of(error: Exception, day: date) -> DayReport:
    """How a day stands whose papers could not be had. Of the address only the host is told."""
    evidence = str(error) or type(error).__name__
    if isinstance(error, RequestFailed):
        evidence = f"{urlsplit(error.url).hostname}: {error.reason}"
    state = DayState.REFUSED if is_refusal(error) else DayState.BROKEN
    return DayReport(day, state, one_line(evidence, REASON_LIMIT).rstrip("."))


def is_refusal(error: Exception) -> bool:
    """Whether a host does not want to be asked, or not now; what else it answers is its trouble,
    or that of our question."""
    refused = isinstance(error, RequestFailed) and error.status in _REFUSALS
    return refused or isinstance(error, SourceBusy)


@dataclass(frozen=True, slots=True)
class Spec:
    """A source as an operator writes it, `name:rest`, for its file to make sense of.

    The rest is what it names, and perhaps options: `arxiv:cs.AI+cs.CL?take=new`. Alternatives
    stand with `+` between them; what a source's name cannot hold is percent-encoded, because the
    setting holds several sources with spaces or commas between.
    """

    text: str
    name: str
    rest: str
    options: dict[str, str] = field(default_factory=dict)
