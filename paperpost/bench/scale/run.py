"""The whole measurement: for each size a database is filled, and a day is gone through."""

import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any

from paperpost.bench.intake import as_rss
from paperpost.bench.processes import in_own_process
from paperpost.bench.scale import steps
from paperpost.bench.scale.feed_server import FeedServer, feed_server
from paperpost.bench.scale.filling import Library, fill_with_papers, fill_with_readers
from paperpost.bench.scale.measured import ONE_PROCESS, Measured, Measurements, Plan, workers_told
from paperpost.bench.scale.peer import one_by_one
from paperpost.bench.scale.report import told
from paperpost.bench.scale.sending import sent
from paperpost.bench.scale.server import Server, postgresql_server
from paperpost.bench.scale.sink import Sink, smtp_sink
from paperpost.bench.scale.site import Site
from paperpost.bench.scale.steps import Done
from paperpost.bench.scale.watching import Watch
from paperpost.bench.scale.wording import DAY, Wording, made_up_papers, topics_of
from paperpost.bench.scale.workers import cluster
from paperpost.service.installation import utc_now

_READERS_OF_THE_PEER = 1_000
_CONNECTIONS = 16
_SENDERS = 2


def measure(
    plan: Plan,
    database: str | None,
    folder: Path | None,
    say: Callable[[str], None],
    apart: Callable[..., Any] = in_own_process,
) -> Iterator[Measurements]:
    """Go through the days, the largest size first; all that is measured by then, after each step
    and at the end. A step that fails is told, and what does not need it goes on.

    `database` is the URL of a server where databases may be made; None: one of our own, its data
    below `folder`. Databases are removed afterwards. `apart` calls what begins with a fresh memory.
    """
    with ExitStack() as stack:
        server = Server(database) if database else stack.enter_context(postgresql_server(folder))
        sink = stack.enter_context(smtp_sink())
        feed = stack.enter_context(feed_server())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paperpost-scale-")))
        (home / "models").mkdir()
        yield from _Measuring(plan, server, sink, feed, home, utc_now(), say, apart).all()


@dataclass
class _Measuring:
    """One run of the measurement."""

    plan: Plan
    server: Server
    sink: Sink
    feed: FeedServer
    home: Path
    now: datetime
    say: Callable[[str], None]
    apart: Callable[..., Any]
    trained: dict[str, Any] | None = None
    peer: Done | None = None
    doing: str = ""
    found: list[Measured] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    still_to_rank: "list[_Day]" = field(default_factory=list)

    def all(self) -> Iterator[Measurements]:
        """Everything, the largest size first: its model is for the smaller ones as well."""
        with self._database("papers") as papers:
            self.say(f"making up {self.plan.papers:,} papers")
            self.apart(fill_with_papers, papers, self.library)
            self.feed.document = self._news()
            sizes = sorted(set(self.plan.subscribers), reverse=True)
            with ExitStack() as databases:
                days = [self._unless_it_fails(self._day(size, databases)) for size in sizes]
                for one in chain(*days, self._last()):
                    self.found.append(one)
                    self.say(told(one))
                    yield self._by_now
        yield self._by_now

    @property
    def _by_now(self) -> Measurements:
        return Measurements(self.plan, tuple(self.found), self.peer, tuple(self.failures))

    def _unless_it_fails(self, measured: Iterator[Measured]) -> Iterator[Measured]:
        try:
            yield from measured
        except Exception as error:  # whatever it is, what was measured and the others are of use
            self.say(traceback.format_exc())
            (reason, *_) = str(error).splitlines() or [type(error).__name__]
            self.failures.append(f"{self.doing}: {reason}")

    @cached_property
    def library(self) -> Library:
        return Library(self.plan.papers, self.plan.day, self.now)

    @property
    def today(self) -> date:
        return self.now.date()

    def _news(self) -> bytes:
        topics = topics_of(self.plan.papers + self.plan.day)[self.plan.papers :]
        first, each_day = self.plan.papers, self.plan.day
        papers = made_up_papers(Wording.invent(), topics, first, self.today, each_day)
        return as_rss(list(papers))

    @contextmanager
    def _database(self, name: str, template: str | None = None) -> Iterator[str]:
        """A database for a while, perhaps a copy of another one."""
        copied = f"paperpost_scale_{template}" if template else None
        url = self.server.create(f"paperpost_scale_{name}", copied)
        try:
            yield url
        finally:
            self.server.drop(f"paperpost_scale_{name}")

    def _site(self, size: int, url: str) -> Site:
        home = self.home / str(size)
        models, feed, sink = self.home / "models", self.feed.source, self.sink.url
        return Site(home, models, url, feed, sink, _CONNECTIONS, self.today)

    def _day(self, size: int, databases: ExitStack) -> Iterator[Measured]:
        url = databases.enter_context(self._database(f"of_{size}", "papers"))
        day = _Day(self, size, self._site(size, url))
        yield from self._morning(day)
        if size == min(self.plan.subscribers):
            yield from self._on_a_copy(size, _Day.by_one_process)
        if size <= self.plan.most_compared:
            yield from self._compared(size)
        else:  # a copy would take as much disk again
            yield from self._unless_it_fails(day.composed_and_sent(self.plan.workers))
            self.still_to_rank.append(day)
        if size == max(self.plan.subscribers):
            yield from self._unless_it_fails(self._as_usual(day))

    def _last(self) -> Iterator[Measured]:
        """What takes long and tells least comes when all else is known. One worker comes after all
        of them: what the server has in memory by then is in its favour."""
        for day in self.still_to_rank:
            for number in sorted({1, self.plan.workers}, reverse=True):
                yield from self._unless_it_fails(day.ranked(number))

    def _morning(self, day: "_Day") -> Iterator[Measured]:
        """All that is done once, however many are mailed."""
        yield day.step("fill", "", partial(self._filled, day.site.database_url, day.size))
        steps.told_yesterday(day.site, (self.now - DAY).date(), self.now - DAY)
        if self.trained is None:
            # Once: it takes minutes, mostly for the papers' words, and is not what a day waits for.
            yield day.step("train", "", partial(self.apart, steps.learnt, day.site))
            self.trained = steps.current_snapshot(day.site)
        else:
            steps.take_over(day.site, self.trained)
        yield day.step("fetch", "", partial(self.apart, steps.fetched, day.site))
        yield day.step("fold in", "", partial(self.apart, steps.folded_in, day.site, self.today))

    def _compared(self, size: int) -> Iterator[Measured]:
        """One worker and all of them, on equal ground: each step on a copy, by workers that have
        done nothing before."""
        numbers = sorted({1, self.plan.workers})
        for number in numbers:
            yield from self._on_a_copy(size, partial(_Day.ranked, workers=number))
        for number in numbers[:-1]:
            yield from self._on_a_copy(size, partial(_Day.composed, workers=number))
        yield from self._on_a_copy(size, partial(_Day.composed_and_sent, workers=numbers[-1]))

    def _on_a_copy(
        self, size: int, work: Callable[["_Day"], Iterator[Measured]]
    ) -> Iterator[Measured]:
        def measured() -> Iterator[Measured]:
            with self._database("copy", f"of_{size}") as url:
                yield from work(_Day(self, size, self._site(size, url)))

        return self._unless_it_fails(measured())

    def _as_usual(self, day: "_Day") -> Iterator[Measured]:
        """What it is beside; no step of ours."""
        self.doing = "ranking as it is usually done"
        self.say(self.doing)
        readers = min(day.size, _READERS_OF_THE_PEER)
        self.peer = self.apart(one_by_one, day.site, self.today, readers)
        yield from ()

    def _filled(self, url: str, size: int) -> Done:
        started = time.perf_counter()
        number, votes = self.apart(fill_with_readers, url, self.library, size)
        return Done(number, time.perf_counter() - started, {"votes": votes})


@dataclass(frozen=True, slots=True)
class _Day:
    """The steps of a day with so many subscribers in one database."""

    run: _Measuring
    size: int
    site: Site

    def by_one_process(self) -> Iterator[Measured]:
        """Ranked, composed and queued without Dask."""
        work = partial(self.run.apart, steps.composed, self.site, self.run.today, "embedded")
        yield self.step("digest", ONE_PROCESS, work)

    def ranked(self, workers: int) -> Iterator[Measured]:
        """Ranked alone, by new workers."""
        yield from self._by_workers("rank", workers, steps.ranked)

    def composed(self, workers: int) -> Iterator[Measured]:
        """Ranked, composed and queued, by new workers."""
        yield from self._by_workers("digest", workers, steps.composed)

    def composed_and_sent(self, workers: int) -> Iterator[Measured]:
        """The same, and what is queued goes out."""
        yield from self.composed(workers)
        messages = min(self.run.plan.messages, self.size)
        work = partial(sent, self.site, self.run.sink, messages, _SENDERS)
        yield self.step("send", f"{_SENDERS} processes", work)

    def _by_workers(self, name: str, number: int, work: Callable[..., Done]) -> Iterator[Measured]:
        self.run.doing = f"{self.size:,} subscribers: starting {workers_told(number)}"
        with cluster(number, self.site.environment) as found:
            others = {"workers": [*found.workers], "scheduler": [found.scheduler]}
            done = partial(self.run.apart, work, self.site, self.run.today, found.engine)
            yield self.step(name, workers_told(number), done, others)

    def step(
        self,
        name: str,
        by: str,
        work: Callable[[], Done],
        others: Mapping[str, Sequence[int]] | None = None,
    ) -> Measured:
        """Do it, and watch what it takes."""
        self.run.doing = f"{self.size:,} subscribers: {name}{by and f', {by}'}"
        self.run.say(self.run.doing)
        known = {"smtp-sink": [self.run.sink.process], **(others or {})}
        with Watch(self.run.server, known).over(self.site.database_url) as usage:
            done = work()
        return Measured(name, by, self.size, done, usage[0])
