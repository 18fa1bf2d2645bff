"""What happens in a process of Dask's workers. Nothing secret is handed to it: settings and keys
are those of its own environment, and must be of the same installation."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from distributed import WorkerPlugin, get_worker

from paperpost.engine.engine import Block, EngineError, Job
from paperpost.engine.identity import Identity, identity_of
from paperpost.engine.settling import settle
from paperpost.service.failures import FAILURES
from paperpost.service.installation import Installation, open_installation
from paperpost.service.one_model import rank_by
from paperpost.settings import load_settings
from recommender.threads import single_threaded_blas

if TYPE_CHECKING:
    from distributed import Worker

log = logging.getLogger("distributed.paperpost")  # shown where Dask's own words are
_opening = Lock()


class Introduction(WorkerPlugin):
    """Makes a worker open its installation, also one that joins or is started again during a run.

    A worker that may take blocks has a resource of the installation's mark, and one of it, so that
    it takes one block at a time.
    """

    def __init__(self, wanted: Identity) -> None:
        """Workers tell under `topic` that they refuse, and why."""
        self.name = wanted.mark
        self.topic = f"{self.name}-{secrets.token_hex(4)}"
        self.wanted = wanted

    async def setup(self, worker: Worker) -> None:
        """Raises EngineError, and tells it to whoever listens, if the worker cannot be used."""
        if self.name in worker.state.total_resources:
            return
        try:
            await asyncio.to_thread(installation_of, self.wanted)
        except EngineError as error:
            refusal = f"worker {worker.address}: {error}"
            worker.log_event(self.topic, (worker.address, refusal))
            raise EngineError(refusal) from error
        await worker.set_resources(**{self.name: 1})


def work_through(wanted: Identity, job: Job, snapshot_id: int, block: Block) -> dict[str, int]:
    """Do one block of a run; what came of it is written to the store, and only counts go back."""
    try:
        installation = installation_of(wanted)
        with single_threaded_blas():
            is_first = rank_by(installation, snapshot_id)
            done = dict(job(installation, block))
            if is_first:
                settle()
            return done
    except FAILURES as error:
        raise EngineError(f"worker {get_worker().address}: {error}") from None


def installation_of(wanted: Identity) -> Installation:
    """This process's installation; raises EngineError if it is another one than that."""
    try:
        with _opening:
            installation, own = _opened()
    except FAILURES as error:
        raise EngineError(str(error)) from None
    different = wanted.differences(own)
    if different:
        raise EngineError(f"it has {', '.join(different)}")
    return installation


@lru_cache(maxsize=1)  # one for a process
def _opened() -> tuple[Installation, Identity]:
    # Before numpy is loaded, as Dask's nanny does it; with more each product would take all cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    installation = open_installation(load_settings(), command="dask worker", say=log.info)
    if not installation.settings.on_postgresql:
        raise EngineError("its PAPERPOST_DATABASE_URL is unset, or names no PostgreSQL")
    return installation, identity_of(installation)
