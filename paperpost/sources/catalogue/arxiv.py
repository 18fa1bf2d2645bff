"""arXiv: `arxiv:cs.AI+cs.CL` is what is announced in two categories, day by day.

Options: `?take=new`, `?take=new+cross` (what is taken by default) or `?take=new+cross+replace`,
where new versions of papers that are not known yet come in as well; `?feed=atom` reads the Atom
feed instead of RSS.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime

from paperpost.settings import Settings
from paperpost.sources import arxiv_batch, arxiv_days
from paperpost.sources.arxiv_categories import TAKEN, taken
from paperpost.sources.arxiv_missed import Missed
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import (
    FeedError,
    RequestFailed,
    SourceBusy,
    SourceError,
    Stopped,
    UnknownSource,
)
from paperpost.sources.exchange import Answer
from paperpost.sources.explanations import raise_explanation
from paperpost.sources.formats import read_papers
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.source import SETTLED, Batch, DayState, Source, Spec, Wanted

USAGE = {"arxiv": "arxiv:CATEGORY[+CATEGORY...][?take=new+cross+replace&feed=atom]"}
FEEDS = "https://rss.arxiv.org"

_CATEGORY = re.compile(r"[a-z]+(-[a-z]+)?(\.[a-z]+(-[a-z]+)?)?", re.IGNORECASE)
_FORMATS = ("rss", "atom")


def source(spec: Spec, settings: Settings) -> Source:
    """The categories that are named. Raises UnknownSource."""
    categories = [category.strip() for category in spec.rest.split("+")]
    for name in categories:
        if not _CATEGORY.fullmatch(name):
            raise _unknown(spec, f"{name!r} is not a category")
    for name in spec.options:
        if name not in ("take", "feed"):
            raise _unknown(spec, f"there is no option {name!r}")
    # In a query "+" is a space.
    take = frozenset(re.split(r"[ +]", spec.options.get("take", "new cross")))
    for kind in sorted(take.difference(TAKEN)):
        raise _unknown(spec, f"take= knows {', '.join(TAKEN)}, and not {kind!r}")
    feed = spec.options.get("feed", "rss")
    if feed not in _FORMATS:
        raise _unknown(spec, f"feed= knows {' and '.join(_FORMATS)}, and not {feed!r}")
    return Arxiv(spec.text, tuple(dict.fromkeys(categories)), take, feed)


def _unknown(spec: Spec, reason: str) -> UnknownSource:
    return UnknownSource(spec.text, reason, tuple(USAGE.values()))


@dataclass(frozen=True, slots=True)
class Arxiv:
    """The feed of some categories, which holds the current batch alone; OAI-PMH for the rest."""

    name: str
    categories: Sequence[str]
    take: frozenset[str] = frozenset(("new", "cross"))
    feed: str = "rss"
    grows: bool = False

    def today(self, now: datetime) -> date:
        """arXiv's days begin at midnight, US Eastern time."""
        return arxiv_days.feed_day(now)

    def closed(self, day: date) -> str | None:
        """Weekends and arXiv's holidays."""
        return arxiv_batch.closed(day)

    def batches(self, client: PoliteClient, wanted: Wanted) -> Iterator[Batch]:
        """The current batch, and what was missed. Where the feed cannot be had or read, but does
        not refuse either, what was missed is still asked for."""
        missed = [day for day in wanted.days if day < wanted.today]
        try:
            answer = self._ask(client, wanted)
            records = _records(answer, wanted)
        except SourceError as failure:
            if _refused(failure):
                raise
            with suppress(FeedError):  # of a category that is none the feed has said it better
                yield from self._missed(client, wanted, missed)
            raise
        batch = self._batch(answer, records, wanted)
        yield batch
        told = {report.day for report in batch.days if report.state in SETTLED}
        missed = [day for day in missed if day not in told]
        if arxiv_batch.is_full(records) and wanted.today in wanted.days:
            missed.append(wanted.today)
        yield from self._missed(client, wanted, missed, _news_of(wanted.today, batch))

    def _ask(self, client: PoliteClient, wanted: Wanted) -> Answer:
        try:
            # With other options another source reads the same feed.
            url = f"{FEEDS}/{self.feed}/{'+'.join(self.categories)}"
            return client.get(url, reader=self.name)
        except RequestFailed as failure:
            raise_explanation(failure, wanted.now.date())
            raise

    def _missed(
        self, client: PoliteClient, wanted: Wanted, days: Sequence[date], seen: int = 0
    ) -> Iterator[Batch]:
        if days:
            missed = Missed(self.categories, self.take, days, wanted.today, seen)
            yield from missed.batches(client)

    def _batch(
        self, answer: Answer, records: Sequence[FoundPaper | Rejected], wanted: Wanted
    ) -> Batch:
        if answer.body is None:
            settled = wanted.today not in wanted.days
            return Batch() if settled else Batch(days=(arxiv_batch.unchanged(wanted),))
        reports = tuple(arxiv_batch.reports(records, self.categories, wanted))
        # What is not whole is asked for again in full.
        flawed = any(one.state in (DayState.PARTIAL, DayState.BROKEN) for one in reports)
        kept = [one for record in records if (one := self._taken(record, wanted.today))]
        return Batch(kept, reports, () if flawed else (answer,))

    def _taken(self, record: FoundPaper | Rejected, today: date) -> FoundPaper | Rejected | None:
        if isinstance(record, Rejected):
            return record
        day = min(record.announced, today)
        return taken(replace(record, announced=day), self.take, day)


def _records(answer: Answer, wanted: Wanted) -> list[FoundPaper | Rejected]:
    if answer.body is None:
        return []
    return list(read_papers(io.BytesIO(answer.body), today=wanted.now.date()))


def _refused(failure: SourceError) -> bool:
    """Whether the host does not want to be asked: then its sister is not asked instead."""
    if isinstance(failure, SourceBusy | Stopped):
        return True
    return isinstance(failure, RequestFailed) and failure.status in (401, 403, 429)


def _news_of(day: date, batch: Batch) -> int:
    papers = (record for record in batch.records if isinstance(record, FoundPaper))
    return sum(paper.announced == day and paper.kind in ("new", "cross") for paper in papers)
