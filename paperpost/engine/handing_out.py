"""Handing blocks to Dask's workers.

Dask restarts workers that die and gives what they had to others. What is done here is to hand out
no more than keeps the workers busy, and to do ourselves what none of them gets done, so that no run
waits for ever. A block that two processes do is composed once (ARCHITECTURE.md).
"""

import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from threading import Event, Thread

from paperpost.engine.cluster import Cluster, ClusterLost, Task
from paperpost.engine.dask_worker import Introduction, work_through
from paperpost.engine.engine import Block, EngineError, Job
from paperpost.service.installation import Installation

# What a worker has in hand and what comes next, so that it never waits for us.
AHEAD = 2
LOOK_SECONDS = 1.0
SOON_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds something may take: that the scheduler answers, that there is a worker, and
    that any worker gets a block done, the loading of the model included."""

    scheduler: float = 10.0
    workers: float = 30.0
    block: float = 120.0


class Run:
    """One job for many blocks, some of which are with the workers."""

    def __init__(
        self,
        cluster: Cluster,
        introduction: Introduction,
        installation: Installation,
        job: Job,
        snapshot_id: int,
        patience: Patience,
    ) -> None:
        self._cluster = cluster
        self._introduction = introduction
        self._installation = installation
        self._job = job
        self._snapshot_id = snapshot_id
        self._patience = patience
        self._with_workers: dict[Task, Block] = {}
        self._refused: dict[str, str] = {}
        self._trouble = ""
        self._ready: set[str] = set()
        self._waiting: list[Block] = []
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
            yield from map(self._outcome, done)
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
            block = self._waiting.pop() if self._waiting else next(remaining, None)
            if block is None:
                break
            if not self._ready:
                self._waiting.append(block)
                return True
            self._with_workers[self._submitted(block)] = block
        return bool(self._with_workers)

    def _submitted(self, block: Block) -> Task:
        name = self._introduction.name
        what = (self._introduction.wanted, self._job, self._snapshot_id, block)
        return self._cluster.submit(f"{name}-{secrets.token_hex(8)}", name, work_through, *what)

    def _look(self, now: float) -> None:
        """See which workers there are; raises EngineError if there are none for too long, or if all
        of them refuse."""
        workers = self._cluster.resources()
        self._hear()
        self._looked_at, before = now, self._ready
        self._ready = {who for who, owned in workers.items() if self._introduction.name in owned}
        if not before & self._ready:
            self._waiting += self._take_back()
        if self._ready:
            self._had_workers_at = now
        elif workers and workers.keys() <= self._refused.keys():
            raise EngineError(next(iter(self._refused.values())))
        elif now - self._had_workers_at > self._patience.workers:
            raise EngineError(self._nobody(len(workers)))

    def _take_back(self) -> list[Block]:
        """Wait no longer for what is with the workers. Where they are gone it would stay for ever:
        Dask looks which task a worker can do when it joins, which is before it is introduced."""
        blocks = list(self._with_workers.values())
        self._cluster.give_up(self._with_workers)
        self._with_workers.clear()
        return blocks

    def _hear(self) -> None:
        """Tell which workers cannot be used, and why."""
        for worker, refusal in self._cluster.events(self._introduction.topic):
            if worker not in self._refused:
                self._refused[worker] = refusal
                self._installation.say(refusal)

    def _nobody(self, workers: int) -> str:
        address = self._cluster.address
        if not workers:
            return f"Dask has no worker at {address}: start one by `dask worker {address}`"
        return f"no worker of Dask at {address} can be used: {self._trouble or 'see their logs'}"

    def _outcome(self, task: Task) -> Counter[str]:
        block = self._with_workers.pop(task)
        try:
            return Counter(self._cluster.counts_of(task))
        except ClusterLost:
            raise
        except Exception as error:  # the worker's, or Dask's about workers that died of it
            return self._do_here(block, str(error) or type(error).__name__)

    def _do_all_here(self) -> Iterator[Counter[str]]:
        for block in self._take_back():
            reason = f"no worker got anything done for {self._patience.block:.0f} s"
            yield self._do_here(block, reason)
        self._had_done_at = time.monotonic()

    def _do_here(self, block: Block, reason: str) -> Counter[str]:
        """What no worker gets done we do ourselves; what we cannot do ends the run, as it does in
        the embedded engine."""
        line = reason.partition("\n")[0]
        self._installation.say(f"{line}: {len(block)} subscribers are done here instead")
        return self._job(self._installation, block)
