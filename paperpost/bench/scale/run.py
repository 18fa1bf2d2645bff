"""The whole measurement: for each size a database is filled, and a day is gone through."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from paperpost.bench.intake import as_rss
from paperpost.bench.processes import in_own_process
from paperpost.bench.scale import steps
from paperpost.bench.scale.feed_server import FeedServer, feed_server
from paperpost.bench.scale.filling import Library, fill_with_papers, fill_with_readers
from paperpost.bench.scale.peer import one_by_one
from paperpost.bench.scale.sending import sent
from paperpost.bench.scale.server import Server, postgresql_server
from paperpost.bench.scale.sink import Sink, smtp_sink
from paperpost.bench.scale.site import Site
from paperpost.bench.scale.steps import Done
from paperpost.bench.scale.watching import Usage, Watch
from paperpost.bench.scale.wording import DAY, Wording, made_up_papers, topics_of
from paperpost.bench.scale.workers import cluster
from paperpost.service.installation import utc_now

_READERS_OF_THE_PEER = 1_000
_CONNECTIONS = 16
_SENDERS = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything; one worker is compared with several for `most_compared` subscribers
    or fewer, and `most_ranked` are ranked where ranking is timed alone."""

    subscribers: Sequence[int] = (10_000, 100_000, 1_000_000)
    papers: int = 200_000
    day: int = 1_500
    messages: int = 50_000
    workers: int = 2
    most_compared: int = 100_000
    most_ranked: int = 25_000


QUICK = Plan(subscribers=(500, 1_000, 2_000), papers=6_000, day=300, messages=500)


@dataclass(frozen=True, slots=True)
class Measured:
    """A step of one size: how much there was to do and what it took. `name` is the step's; `by` who
    did it, where several are compared."""

    name: str
    by: str
    subscribers: int
    done: Done
    usage: Usage


@dataclass(frozen=True, slots=True)
class Measurements:
    """All that was measured, of this plan."""

    plan: Plan
    steps: Sequence[Measured]
    peer: Done


def measure(
    plan: Plan,
    database: str | None,
    folder: Path | None,
    say: Callable[[str], None],
    apart: Callable[..., Any] = in_own_process,
) -> Measurements:
    """Go through the days, one size after the other.

    `database` is the URL of a server where databases may be made; None: one of our own, its data
    below `folder`. Databases are removed afterwards. `apart` calls what begins with a fresh memory.
    """
    with ExitStack() as stack:
        server = Server(database) if database else stack.enter_context(postgresql_server(folder))
        sink = stack.enter_context(smtp_sink())
        feed = stack.enter_context(feed_server())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paperpost-scale-")))
        return _Measuring(plan, server, sink, feed, home, utc_now(), say, apart).all()


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

    def all(self) -> Measurements:
        """Everything, the smallest size first."""
        found: list[Measured] = []
        peer = Done(0, 0.0, {})
        with self._database("papers") as papers:
            self.say(f"making up {self.plan.papers:,} papers")
            self.apart(fill_with_papers, papers, self.library)
            self.feed.document = self._news()
            for size in sorted(set(self.plan.subscribers)):
                with self._database(f"of_{size}", "papers") as url:
                    found += self._day(size, url)
                    if size == max(self.plan.subscribers):
                        self.say("ranking as it is usually done")
                        site = self._site(size, url)
                        peer = self.apart(
                            one_by_one, site, self.today, min(size, _READERS_OF_THE_PEER)
                        )
        return Measurements(self.plan, found, peer)

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
        return Site(home, self.home / "models", url, self.feed.source, self.sink.url, _CONNECTIONS)

    def _day(self, size: int, url: str) -> Iterator[Measured]:
        day = _Day(self, size, self._site(size, url))
        yield day.step("fill", "", partial(self._filled, url, size))
        steps.told_yesterday(day.site, (self.now - DAY).date(), self.now - DAY)
        if self.trained is None:
            # Once: it takes minutes, mostly for the papers' words, and is not what a day waits for.
            yield day.step("train", "", partial(self.apart, steps.learnt, day.site))
            self.trained = steps.current_snapshot(day.site)
        else:
            steps.take_over(day.site, self.trained)
        yield day.step("fetch", "", partial(self.apart, steps.fetched, day.site))
        yield day.step("fold in", "", partial(self.apart, steps.folded_in, day.site, self.today))
        if size == min(self.plan.subscribers):
            with self._database("copy", f"of_{size}") as copy:
                yield _Day(self, size, self._site(size, copy)).by_one_process()
        if size <= self.plan.most_compared:
            with self._database("copy", f"of_{size}") as copy:
                yield from _Day(self, size, self._site(size, copy)).by_workers(1)
        yield from day.by_workers(self.plan.workers)
        yield day.sending()

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

    def by_one_process(self) -> Measured:
        work = partial(self.run.apart, steps.composed_here, self.site, self.run.today)
        return self.step("digest", "one process", work)

    def by_workers(self, number: int) -> Iterator[Measured]:
        """Ranked alone, then ranked, composed and queued, by so many workers."""
        by = "one worker" if number == 1 else f"{number} workers"
        every = max(1, self.size // self.run.plan.most_ranked)
        with cluster(number, self.site.environment) as found:
            others = {"workers": [*found.workers], "scheduler": [found.scheduler]}
            rank = partial(steps.ranked, self.site, self.run.today, found.engine, every)
            yield self.step("rank", by, partial(self.run.apart, rank), others)
            digest = partial(steps.composed, self.site, self.run.today, found.engine)
            yield self.step("digest", by, partial(self.run.apart, digest), others)

    def sending(self) -> Measured:
        messages = min(self.run.plan.messages, self.size)
        work = partial(sent, self.site, self.run.sink, messages, _SENDERS)
        return self.step("send", f"{_SENDERS} processes", work)

    def step(
        self,
        name: str,
        by: str,
        work: Callable[[], Done],
        others: Mapping[str, Sequence[int]] | None = None,
    ) -> Measured:
        """Do it, and watch what it takes."""
        self.run.say(f"{self.size:,} subscribers: {name}{by and f', {by}'}")
        known = {"smtp-sink": [self.run.sink.process], **(others or {})}
        with Watch(self.run.server, known).over(self.site.database_url) as usage:
            done = work()
        return Measured(name, by, self.size, done, usage[0])
