"""A Dask cluster on this machine, as an operator starts one: a scheduler, and workers of one thread
each."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from paperpost.bench.processes import BenchError

_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 20
# As docs/engines.md says: what a block frees the next one needs, and Dask would have it given back;
# and it would look at itself up to a hundred times a second.
_OF_DASK = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "2147483647",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "false",
    "DASK_DISTRIBUTED__WORKER__MEMORY__MONITOR_INTERVAL": "2s",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
}
# Each of our processes on one core: more threads than cores only get into each other's way.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# Where the cores are full with work and PostgreSQL, somebody may answer late.
SECONDS_TO_ANSWER = 60
_PATIENT = {
    f"DASK_DISTRIBUTED__COMM__TIMEOUTS__{what}": f"{SECONDS_TO_ANSWER}s"
    for what in ("CONNECT", "TCP")
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where its scheduler listens, as `--engine` names it, and its processes."""

    engine: str
    scheduler: int
    workers: tuple[int, ...]


@contextmanager
def cluster(number: int, environment: Mapping[str, str]) -> Iterator[Cluster]:
    """A scheduler and so many workers that have this environment; BenchError without Dask."""
    if find_spec("distributed") is None:
        raise BenchError("Dask is not installed: it is the extra `dask`")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="paperpost-dask-") as folder:

        def start(*arguments: str) -> int:
            return stack.enter_context(_started(arguments, environment, folder))

        scheduler = start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        options = ("--nworkers", "1", "--nthreads", "1", "--no-dashboard")
        workers = [
            start("worker", address, *options, "--local-directory", folder) for _ in range(number)
        ]
        _wait_for(address, number)
        yield Cluster(f"dask://127.0.0.1:{port}", scheduler, tuple(workers))


@contextmanager
def _started(
    arguments: Sequence[str], environment: Mapping[str, str], folder: str
) -> Iterator[int]:
    with (
        open(os.path.join(folder, "log"), "ab") as log,
        subprocess.Popen(  # noqa: S603 - Dask's own command
            [sys.executable, "-m", "dask", *arguments],
            env={**os.environ, **_ONE_THREAD, **_OF_DASK, **_PATIENT, **environment},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(address: str, workers: int) -> None:
    from distributed import Client

    ends = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            client: Any = Client(  # type: ignore[no-untyped-call]
                address, timeout=_SECONDS_TO_START, set_as_default=False
            )
            with client:
                client.wait_for_workers(workers, timeout=_SECONDS_TO_START)
                return
        except (OSError, TimeoutError) as error:
            if time.monotonic() > ends:
                raise BenchError(f"Dask's workers do not start: {error}") from error
