"""arXiv on loopback with a few invented works, and its source asked as the service asks it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from arxiv_archive import Archive, Work
from hurried_client import hurried_client
from speaks_arxiv_feeds import ArxivFeeds
from speaks_arxiv_oai import ArxivOai
from speaks_arxiv_search import ArxivSearch
from web_on_loopback import WebOnLoopback

from paperpost.settings import load_settings
from paperpost.sources import catalogue
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.source import Batch, DayReport, Wanted

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 4, day) for day in range(13, 18))
SATURDAY, SUNDAY, NEXT_MONDAY = (FRIDAY + timedelta(days) for days in (1, 2, 3))


class ArxivOnStage:
    """The whole of arXiv; `archive.today` is the day that its servers tell of."""

    def __init__(self, today: date) -> None:
        self.archive = Archive(today=today)
        self.feeds = ArxivFeeds(self.archive)
        self.oai = ArxivOai(self.archive)
        self.search = ArxivSearch(self.archive)
        self.web = WebOnLoopback(self.feeds, self.oai, self.search)
        self.client = hurried_client(self.web)

    def announce(self, day: date, *numbers: int, categories: str = "cs.AI") -> list[str]:
        """New works of a day, and their ids."""
        works = [
            Work(
                f"{day:%y%m}.{number:05}",
                f"Study {number}",
                (day,),
                categories=(*categories.split(),),
            )
            for number in numbers
        ]
        self.archive.add(*works)
        return [work.id for work in works]

    def ask(self, *days: date, **wanted: Any) -> list[Batch]:
        """All that `asking` gives."""
        return list(self.asking(*days, **wanted))

    def asking(
        self,
        *days: date,
        spec: str = "arxiv:cs.AI",
        before: DayReport | None = None,
        settled: bool = False,
        today: date | None = None,
    ) -> Iterator[Batch]:
        """What the source has on the archive's today, which is wanted unless it is `settled`, and
        of these days before; the answers are kept. With `today` our own date is another one."""
        today = today or self.archive.today
        source = catalogue.parse(spec, load_settings())
        now = datetime.combine(today, time(12), UTC)
        wanted = Wanted(now, today, (*days, *(() if settled else (today,))), before)
        for batch in source.batches(self.client, wanted):
            yield batch
            for answer in batch.answers:
                answer.keep()


@contextmanager
def arxiv_on_stage(today: date) -> Iterator[ArxivOnStage]:
    """Open for questions."""
    stage = ArxivOnStage(today)
    with stage.web, stage.client:
        yield stage


def reports(batches: Sequence[Batch]) -> dict[date, DayReport]:
    """The last word on each day."""
    return {report.day: report for batch in batches for report in batch.days}


def found(batches: Sequence[Batch]) -> dict[str | None, FoundPaper]:
    """The papers by their ids."""
    records = [record for batch in batches for record in batch.records]
    return {record.id: record for record in records if isinstance(record, FoundPaper)}


def rejected(batches: Sequence[Batch]) -> list[Rejected]:
    """What was no paper."""
    records = [record for batch in batches for record in batch.records]
    return [record for record in records if isinstance(record, Rejected)]
