"""Handing blocks to Dask's workers.

Dask restarts workers that die and gives what they had to others. What is done here is to hand out
no more than keeps the workers busy, to hand nothing more to a worker that fails, and to do
ourselves what none of them gets done, so that no run waits for ever. A block that two processes do
is composed once (ARCHITECTURE.md).
"""

import secrets
import time
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from threading import Event, Thread

from paperpost.engine.cluster import Cluster, ClusterLost, Task
from paperpost.engine.dask_worker import Introduction, work_through
from paperpost.engine.engine import Block, EngineError, Job
from paperpost.service.installation import Installation

# What a worker has in hand and what comes next, so that it never waits for us.
AHEAD = 2
LOOK_SECONDS = 1.0
SOON_SECONDS = 0.1
# A worker that failed so many blocks in a row, which nobody failed before, gets no more.
MOST_FAILURES = 2


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds something may take: that the scheduler answers, that there is a worker, and
    that any worker has loaded the model, or gets a block done."""

    scheduler: float = 10.0
    workers: float = 30.0
    block: float = 120.0


@dataclass(frozen=True, slots=True)
class Given:
    """A block to be done by one of these `workers`; `failed` is the one that could not."""

    block: Block
    failed: str = ""
    workers: frozenset[str] = frozenset()


class Run:
    """One job for many blocks, some of which are with the workers."""

    def __init__(
        self,
        cluster: Cluster,
        introduction: Introduction,
        installation: Installation,
        job: Job,
        patience: Patience,
    ) -> None:
        self._cluster = cluster
        self._introduction = introduction
        self._installation = installation
        self._job = job
        self._patience = patience
        self._with_workers: dict[Task, Given] = {}
        self._refused: dict[str, str] = {}
        self._failures: Counter[str] = Counter()
        self._trouble = ""
        self._ready: set[str] = set()
        self._waiting: deque[Given] = deque()
        self._looked_at = 0.0
        self._had_workers_at = self._had_done_at = time.monotonic()

    def each(self, blocks: Iterable[Block], stop: Event) -> Iterator[Counter[str]]:
        """What came of each block. Once `stop` is set no more are handed out, and those that take
        longer than a moment end by themselves."""
        # Beside us, for it waits for every worker, and one of them may be frozen.
        Thread(target=self._introduce, daemon=True).start()
        remaining = iter(blocks)
        while self._hand_out(remaining, stop):
            seconds = LOOK_SECONDS if self._with_workers else SOON_SECONDS
            done = self._cluster.finished(self._with_workers, seconds)
            for task in done:
                yield from self._counts_of(task)
            now = time.monotonic()
            if done or not self._ready:
                self._had_done_at = now
            elif stop.is_set():
                return
            elif now - self._had_done_at > self._patience.block:
                yield from self._do_all_here()
            if not self._ready or now - self._looked_at > LOOK_SECONDS:
                self._look(now)
        self._hear()

    def _introduce(self) -> None:
        try:
            self._cluster.introduce(self._introduction)
        except EngineError:
            pass  # one of them refuses, which `_hear` tells
        except Exception as error:  # whatever keeps a worker from running our code
            self._trouble = str(error) or type(error).__name__

    def _hand_out(self, remaining: Iterator[Block], stop: Event) -> bool:
        """Give the workers that are ready enough to do; False when nothing is left or under way."""
        while not stop.is_set() and len(self._with_workers) < max(AHEAD * len(self._ready), 1):
            if not self._waiting and (block := next(remaining, None)) is not None:
                self._waiting.append(Given(block))
            if not self._waiting:
                break
            if not self._ready:
                return True
            self._give(self._waiting.popleft())
        return bool(self._with_workers)

    def _give(self, given: Given) -> None:
        workers = frozenset(self._ready - {given.failed} or self._ready)
        about = self._introduction
        what = (about.wanted, self._job, about.snapshot_id, given.block)
        key = f"{about.name}-{secrets.token_hex(8)}"
        task = self._cluster.submit(key, about.resource, workers, work_through, *what)
        self._with_workers[task] = replace(given, workers=workers)

    def _look(self, now: float) -> None:
        """See which workers there are; raises EngineError if there are none for too long, or if all
        of them refuse."""
        workers = self._cluster.resources()
        self._hear()
        self._looked_at = now
        has = self._introduction.resource
        self._ready = {who for who, owned in workers.items() if has in owned}
        self._ready -= self._refused.keys()
        self._waiting += self._take_back(
            [task for task, given in self._with_workers.items() if not given.workers & self._ready]
        )
        is_loading = workers and not self._trouble
        patience = self._patience.block if is_loading else self._patience.workers
        if self._ready:
            self._had_workers_at = now
        elif workers and workers.keys() <= self._refused.keys():
            raise EngineError(next(iter(self._refused.values())))
        elif now - self._had_workers_at > patience:
            raise EngineError(self._nobody(len(workers)))

    def _take_back(self, tasks: Collection[Task]) -> list[Given]:
        """Wait no longer for these. Where the workers that they were given to are gone they would
        stay for ever: Dask looks which task a worker can do when it joins, which is before it is
        introduced."""
        if tasks:
            self._cluster.give_up(tasks)
        return [self._with_workers.pop(task) for task in tasks]

    def _hear(self) -> None:
        """Tell which workers cannot be used, and why."""
        for worker, refusal in self._cluster.events(self._introduction.topic):
            self._refuse(worker, refusal)

    def _refuse(self, worker: str, why: str) -> None:
        if worker not in self._refused:
            self._refused[worker] = why
            self._ready.discard(worker)
            self._installation.say(why)

    def _nobody(self, workers: int) -> str:
        address = self._cluster.address
        if not workers:
            return f"Dask has no worker at {address}: start one by `dask worker {address}`"
        return f"no worker of Dask at {address} can be used: {self._trouble or 'see their logs'}"

    def _counts_of(self, task: Task) -> Iterator[Counter[str]]:
        """What came of a block, unless another worker is to try it."""
        given = self._with_workers.pop(task)
        try:
            outcome = self._cluster.outcome_of(task)
        except ClusterLost:
            raise
        except Exception as error:  # Dask's, of workers that died of it: no other one is to
            yield self._do_here(given.block, str(error) or type(error).__name__)
            return
        if not outcome.failure:
            del self._failures[outcome.worker]
            yield Counter(outcome.counts)
            return
        reason = f"worker {outcome.worker}: {outcome.failure}".partition("\n")[0]
        if not given.failed:
            self._note_failure(outcome.worker, reason)
            if self._ready - {outcome.worker}:
                self._waiting.appendleft(Given(given.block, failed=outcome.worker))
                return
        yield self._do_here(given.block, reason)

    def _note_failure(self, worker: str, reason: str) -> None:
        self._failures[worker] += 1
        if self._failures[worker] >= MOST_FAILURES:
            self._refuse(worker, f"{reason}: it failed again and again, and gets no more blocks")

    def _do_all_here(self) -> Iterator[Counter[str]]:
        for given in self._take_back(list(self._with_workers)):
            reason = f"no worker got anything done for {self._patience.block:.0f} s"
            yield self._do_here(given.block, reason)
        self._had_done_at = time.monotonic()

    def _do_here(self, block: Block, reason: str) -> Counter[str]:
        """What no worker gets done we do ourselves; what we cannot do ends the run, as it does in
        the embedded engine."""
        line = reason.partition("\n")[0]
        self._installation.say(f"{line}: {len(block)} subscribers are done here instead")
        return self._job(self._installation, block)
