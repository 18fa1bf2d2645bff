"""What a step took: time, processors, memory by kind of process, statements, growth on disk."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import psutil
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from paperpost.bench.scale.server import Server
from paperpost.store.database import Database

SERVER, COMMAND = "PostgreSQL", "command"
# Kinds of processes that are Paperpost's.
OURS = ("workers", "scheduler", COMMAND)
_EVERY_SECONDS = 0.5
_MEBIBYTE = 2**20
_STATEMENTS = """
    SELECT coalesce(sum(calls), 0), (SELECT dealloc FROM pg_stat_statements_info)
    FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB of all processes of a kind together: the most, in the middle of the time, at its end."""

    peak: float
    middle: float
    end: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used. `processors` are seconds of all cores by kind of process; `statements` is None
    where the server does not count them, or counted too many kinds to keep."""

    seconds: float
    processors: Mapping[str, float]
    memory: Mapping[str, Memory]
    statements: int | None
    grown: int


@dataclass(frozen=True, slots=True)
class Watch:
    """The processes to watch, by kind, each with all that it starts."""

    server: Server
    others: Mapping[str, Sequence[int]]

    @contextmanager
    def over(self, url: str) -> Iterator[list[Usage]]:
        """Watch while a step works on this database; at the end the list has its usage."""
        found: list[Usage] = []
        database = Database(url)
        try:
            before = _counted(database)
            samples = _Samples(self._roots())
            started = time.perf_counter()
            with samples.taken():
                yield found
            seconds = time.perf_counter() - started
            after = _counted(database)
        finally:
            database.close()
        found.append(
            Usage(
                seconds,
                samples.processors(),
                samples.memory(),
                _statements(before, after),
                after.size - before.size,
            )
        )

    def _roots(self) -> dict[str, Sequence[int]]:
        server = {SERVER: [self.server.process]} if self.server.process else {}
        return {**server, **self.others}


@dataclass(frozen=True, slots=True)
class _Counted:
    size: int
    statements: int | None
    forgotten: int | None


def _counted(database: Database) -> _Counted:
    with database.reading() as session:
        size = database.size(session)
    try:
        with database.engine.connect() as connection:
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_stat_statements"))
            connection.commit()
            statements, forgotten = connection.execute(text(_STATEMENTS)).one()
            return _Counted(size, int(statements), int(forgotten))
    except DBAPIError:
        return _Counted(size, None, None)


def _statements(before: _Counted, after: _Counted) -> int | None:
    if before.statements is None or after.statements is None:
        return None
    return after.statements - before.statements if before.forgotten == after.forgotten else None


class _Samples:
    """Looks at all processes twice a second, from a thread of its own."""

    def __init__(self, roots: Mapping[str, Sequence[int]]) -> None:
        self._roots = roots
        self._memory: dict[str, list[float]] = defaultdict(list)
        self._before: dict[str, float] = {}
        self._after: dict[str, float] = {}
        self._stop = threading.Event()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Sample until the end."""
        self._before = {name: _seconds(one) for name, one in self._processes().items()}
        thread = threading.Thread(target=self._sample, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def processors(self) -> dict[str, float]:
        """Seconds by kind."""
        return {name: self._after[name] - self._before.get(name, 0.0) for name in self._after}

    def memory(self) -> dict[str, Memory]:
        """MiB by kind."""
        return {name: _over_time(values) for name, values in self._memory.items()}

    def _sample(self) -> None:
        while True:
            last = self._stop.wait(_EVERY_SECONDS)
            for name, processes in self._processes().items():
                self._memory[name].append(_mebibytes(processes))
                # What ended took its seconds along, unless its parent waited for it.
                self._after[name] = max(self._after.get(name, 0.0), _seconds(processes))
            if last:
                return

    def _processes(self) -> dict[str, list[psutil.Process]]:
        named = {name: list(_trees(roots)) for name, roots in self._roots.items()}
        known = {process.pid for some in named.values() for process in some}
        this = psutil.Process()
        rest = [one for one in this.children(recursive=True) if one.pid not in known]
        return {**named, COMMAND: rest}


def _trees(roots: Sequence[int]) -> Iterator[psutil.Process]:
    for number in roots:
        try:
            root = psutil.Process(number)
            yield from (root, *root.children(recursive=True))
        except psutil.NoSuchProcess:
            continue


def _mebibytes(processes: Sequence[psutil.Process]) -> float:
    """What they hold together: what each has for itself, and what they share once. (The kernel's
    own sum, PSS, walks through all pages of all processes each time.)"""
    own, shared = 0, 0
    for process in processes:
        try:
            held = process.memory_info()
        except psutil.NoSuchProcess:
            continue
        together = getattr(held, "shared", 0)
        own += held.rss - together
        shared = max(shared, together)
    return (own + shared) / _MEBIBYTE


def _seconds(processes: Sequence[psutil.Process]) -> float:
    """Seconds that they and those whom they waited for have computed."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _over_time(values: Sequence[float]) -> Memory:
    size = len(values)
    middle = values[size * 2 // 5 : max(size * 3 // 5, size * 2 // 5 + 1)]
    end = values[-max(1, size // 10) :]
    return Memory(max(values), float(np.median(middle)), float(np.median(end)))
