"""Any RSS, Atom or RDF feed: `feed:https://journal.example/new.rss`.

Its address is taken as it stands. A feed has no calendar: what it shows today is all there is.
"""

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from paperpost.settings import Settings
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import UnknownSource
from paperpost.sources.feeds import ARXIV, read_feed
from paperpost.sources.found import FoundPaper, Rejected, identity
from paperpost.sources.redaction import has_secrets, without_secrets
from paperpost.sources.source import Batch, DayReport, DayState, Source, Spec, Wanted

USAGE = {"feed": "feed:https://ADDRESS"}
LATE = timedelta(days=14)


def source(spec: Spec, settings: Settings) -> Source:
    """The feed of that address. Raises UnknownSource."""
    address = spec.text.partition(":")[2]
    try:
        parts = urlsplit(address)
        reason = _problem(parts)
    except ValueError:  # https://[journal]/
        reason = "this is no address"
    if reason:
        told = f"{spec.name}:{without_secrets(address)}"
        raise UnknownSource(told, reason, tuple(USAGE.values()))
    return Feed(spec.text, address)


def _problem(parts: SplitResult) -> str | None:
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "a feed's address begins with https:// or http://"
    if parts.username is not None or has_secrets(parts.geturl()):
        return "the names of sources are shown, so an address may hold no password, key or token"
    return None


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed. The ids of its reports are those of all papers that it showed."""

    name: str
    address: str
    grows: bool = False

    def today(self, now: datetime) -> date:
        """Days are UTC's."""
        return now.astimezone(UTC).date()

    def closed(self, day: date) -> str | None:
        """A feed may have papers on any day."""
        return None

    def batches(self, client: PoliteClient, wanted: Wanted) -> Iterator[Batch]:
        """What the feed shows, without what it showed the last time."""
        answer = client.get(self.address, reader=self.name)
        if answer.body is None:
            yield Batch(days=tuple(_unchanged(wanted)))
            return
        read = read_feed(answer.body, today=wanted.today, undated=wanted.today)
        records = [one for record in read if (one := self._as_told_here(record))]
        rejected = [one for one in records if isinstance(one, Rejected)]
        shown = {identity(one): one for one in records if isinstance(one, FoundPaper)}
        whole = not any(one.damage for one in rejected)
        new = shown.keys() - set(_told(wanted))
        news = _news(shown, new, wanted)
        number = sum(news[name].announced == wanted.today for name in new)
        reports = (*_missed(wanted, shown), _today(wanted, shown, number, whole=whole))
        yield Batch([*news.values(), *rejected], reports, (answer,) if whole else ())

    def _as_told_here(self, record: FoundPaper | Rejected) -> FoundPaper | Rejected | None:
        """A record as this feed may tell it.

        Anybody can write what arXiv writes, so what is arXiv's own is told by the host: elsewhere
        it is second hand, neither a version nor the replacement of one.
        """
        host = urlsplit(self.address).hostname or ""
        if isinstance(record, Rejected) or f".{host}".endswith(".arxiv.org"):
            return record
        if record.kind.startswith("replace"):
            return None
        return replace(record, source=self.name, version=None, kind="new")


def _news(shown: Mapping[str, FoundPaper], new: Set[str], wanted: Wanted) -> dict[str, FoundPaper]:
    """What was not shown before; and all that arXiv announces, which has its exact day and may be
    a new version of what was shown."""
    first_time = wanted.before is None
    exact = {name for name, one in shown.items() if first_time or one.source == ARXIV}
    return {
        name: one if name in exact else _first_seen(one, wanted.today)
        for name, one in shown.items()
        if name in new | exact
    }


def _first_seen(paper: FoundPaper, today: date) -> FoundPaper:
    """A paper that the feed has not shown before, with the day that it counts for.

    Feeds are late, or date papers by their issue: counted for that date, these would come after
    every digest that they belong in. But what is brought out again after years is no news.
    """
    return paper if paper.announced < today - LATE else replace(paper, announced=today)


def _unchanged(wanted: Wanted) -> Iterator[DayReport]:
    """Nothing is new, and nothing was missed since it was last read."""
    evidence = "the feed has not changed since it was last read"
    for day in _past(wanted):
        if wanted.before and wanted.before.day <= day:
            yield DayReport(day, DayState.COMPLETE, evidence)
        else:
            yield _lost(day, wanted)
    number, ids = _seen_today(wanted), _told(wanted)
    yield DayReport(wanted.today, DayState.COMPLETE, evidence, number, ids)


def _missed(wanted: Wanted, shown: Collection[str]) -> Iterator[DayReport]:
    """The days on which the feed was not read: if it still shows what it had before them, nothing
    has dropped out of it in between."""
    before = wanted.before
    for day in _past(wanted):
        if before and before.day <= day and not set(_told(wanted)).isdisjoint(shown):
            evidence = "the feed still showed papers that it had before, so none was missed"
            yield DayReport(day, DayState.COMPLETE, evidence)
        else:
            yield _lost(day, wanted)


def _past(wanted: Wanted) -> list[date]:
    return [day for day in wanted.days if day != wanted.today]


def _lost(day: date, wanted: Wanted) -> DayReport:
    """A day whose papers may have been dropped before the feed was read again.

    That is told on the day on which it is found out. Afterwards the day is settled: a feed never
    shows again what it dropped, so nothing of that day is to be waited for.
    """
    before = wanted.before
    evidence = "the feed was not read in time, and "
    if before is None or before.day <= day or before.day == wanted.today:
        return DayReport(day, DayState.PARTIAL, evidence + "may have dropped some papers")
    evidence += "what it may have dropped cannot come any more"
    return DayReport(day, DayState.COMPLETE, evidence)


def _today(wanted: Wanted, shown: Collection[str], new: int, *, whole: bool) -> DayReport:
    """A feed that was read whole has told all that it had."""
    number = new + _seen_today(wanted)
    papers = "1 paper" if len(shown) == 1 else f"{len(shown)} papers"
    if not whole:
        ids = tuple(dict.fromkeys([*shown, *_told(wanted)]))
        evidence = f"the feed broke off after {papers}"
        return DayReport(wanted.today, DayState.PARTIAL, evidence, number, ids)
    ids = tuple(shown) or _told(wanted)
    evidence = f"the feed had {papers}, {number or 'none'} of them new today"
    if not shown:
        evidence = "the feed had no papers"
    return DayReport(wanted.today, DayState.COMPLETE, evidence, number, ids)


def _told(wanted: Wanted) -> tuple[str, ...]:
    """What the feed showed the last time."""
    return (wanted.before.ids or ()) if wanted.before else ()


def _seen_today(wanted: Wanted) -> int:
    """How many papers of today came with the answers before."""
    before = wanted.before
    return before.papers if before and before.day == wanted.today else 0
