"""What happens in a process of Dask's workers. Nothing secret is handed to it: settings and keys
are those of its own environment, and must be of the same installation."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from distributed import WorkerPlugin, get_worker

from paperpost.engine.engine import Block, EngineError, Job
from paperpost.engine.identity import Identity, identity_of
from paperpost.engine.settling import settle, uncollected
from paperpost.service.failures import FAILURES
from paperpost.service.installation import Installation, open_installation
from paperpost.service.one_model import rank_by
from paperpost.settings import load_settings
from paperpost.sources import catalogue
from recommender.threads import single_threaded_blas, use_threads

if TYPE_CHECKING:
    from distributed import Worker

log = logging.getLogger("distributed.paperpost")  # shown where Dask's own words are
_opening = Lock()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker made of a block: counts, or why it failed."""

    worker: str
    counts: dict[str, int]
    failure: str = ""


class Introduction(WorkerPlugin):
    """Makes a worker open its installation and load a run's snapshot, also one that joins or is
    started again during the run.

    A worker that may take the run's blocks has a `resource` of its own for it, and one of it, so
    that it takes one block at a time.
    """

    def __init__(self, wanted: Identity, snapshot_id: int) -> None:
        """Workers tell under `topic` that they refuse, and why."""
        self.name = wanted.mark  # of the introductions of an installation Dask keeps the last one
        self.resource = f"{self.name}-{snapshot_id}"
        self.topic = f"{self.name}-{secrets.token_hex(4)}"
        self.wanted = wanted
        self.snapshot_id = snapshot_id

    async def setup(self, worker: Worker) -> None:
        """Raises EngineError, and tells it to whoever listens, if the worker cannot be used."""
        if self.resource in worker.state.total_resources:
            return
        try:
            await asyncio.to_thread(_get_ready, self.wanted, self.snapshot_id)
        except EngineError as error:
            refusal = f"worker {worker.address}: {error}"
            worker.log_event(self.topic, (worker.address, refusal))
            raise EngineError(refusal) from error
        await worker.set_resources(**{self.resource: 1})


def work_through(wanted: Identity, job: Job, snapshot_id: int, block: Block) -> Outcome:
    """Do one block of a run; what came of it is written to the store, and only counts go back."""
    worker = get_worker()
    use_threads(worker.state.nthreads)
    try:
        place = _workplace_of(wanted)
        with place.busy, single_threaded_blas():
            place.rank_by(snapshot_id)
            with uncollected():
                counts = dict(job(place.installation, block))
            place.settle()
        return Outcome(worker.address, counts)
    except Exception as error:  # whatever it is, somebody else may be able to do it
        log.warning("a block failed", exc_info=True)
        # What others say may hold somebody's address, and stays in this log.
        told = str(error) if isinstance(error, FAILURES) else type(error).__name__
        return Outcome(worker.address, {}, told)


def _get_ready(wanted: Identity, snapshot_id: int) -> None:
    try:
        place = _workplace_of(wanted)
        with place.busy:
            place.rank_by(snapshot_id)
    except FAILURES as error:
        raise EngineError(str(error)) from None


@dataclass
class _Workplace:
    """This process's installation; who works with it, or changes the model, is `busy` with it."""

    installation: Installation
    identity: Identity
    busy: Lock = field(default_factory=Lock)
    _is_settled: bool = False

    def rank_by(self, snapshot_id: int) -> None:
        """Have the model of a run."""
        if rank_by(self.installation, snapshot_id):
            self._is_settled = False

    def settle(self) -> None:
        """Once, when a block is done: all is loaded then that the others need."""
        if not self._is_settled:
            settle()
            self._is_settled = True


def _workplace_of(wanted: Identity) -> _Workplace:
    """Raises EngineError if this process is of another installation than that."""
    with _opening:
        place = _opened()
    different = wanted.differences(place.identity)
    if different:
        raise EngineError(f"it has {', '.join(different)}")
    settings = place.installation.settings
    for source in settings.sources:  # how they stand is told in digests; some need keys of theirs
        catalogue.parse(source, settings)
    return place


@lru_cache(maxsize=1)  # one for a process
def _opened() -> _Workplace:
    # Before numpy is loaded, as Dask's nanny does it; with more each product would take all cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    installation = open_installation(load_settings(), command="dask worker", say=log.info)
    if not installation.settings.on_postgresql:
        raise EngineError("its PAPERPOST_DATABASE_URL is unset, or names no PostgreSQL")
    return _Workplace(installation, identity_of(installation))
