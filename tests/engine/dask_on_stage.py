"""A Dask cluster of real processes on loopback: a scheduler, and workers that may be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import Client

DASK = (sys.executable, "-m", "dask")


class DaskOnStage:
    """A scheduler, and its workers in the order they were started."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = {**os.environ, **environment, "DASK_TEMPORARY_DIRECTORY": str(folder)}
        self.workers: list[subprocess.Popen[bytes]] = []
        self._strangers: list[subprocess.Popen[bytes]] = []
        port_file = folder / "scheduler.json"
        self.scheduler = self._start(
            *("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(port_file)),
        )
        wait_until(port_file.exists)
        self._port_file = port_file
        self._client: Any = Client(scheduler_file=str(port_file), set_as_default=False)  # type: ignore[no-untyped-call]

    @property
    def address(self) -> str:
        """The scheduler's."""
        return str(json.loads(self._port_file.read_bytes())["address"])

    @property
    def is_busy(self) -> bool:
        """Whether any worker does something, wanted still or not."""
        stacks = self._client.call_stack()
        return any(stacks.values()) or any(self._client.processing().values())

    def complete(self, number: int = 2, *strangers: Mapping[str, str]) -> None:
        """Have so many workers that live, and others with something else in their environment, and
        no more."""
        kill(*self._strangers)
        alive = [worker for worker in self.workers if worker.poll() is None]
        kill(*alive[number:])
        self.workers = alive[:number]
        for _ in range(number - len(self.workers)):
            self.add()
        self._strangers = [self._start_worker(environment) for environment in strangers]
        wanted = number + len(strangers)
        wait_until(lambda: len(self._client.scheduler_info()["workers"]) == wanted)

    def add(self) -> None:
        """Start another worker."""
        self.workers.append(self._start_worker({}))

    def _start_worker(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return self._start(
            *("worker", "--scheduler-file", str(self._port_file), "--nthreads", "1"),
            *("--no-nanny", "--no-dashboard", "--host", "127.0.0.1"),
            **environment,
        )

    def close(self) -> None:
        """End all of it."""
        self._client.close()
        kill(*self.workers, *self._strangers, self.scheduler)

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self._folder / "dask.log").open("ab") as log:
            return subprocess.Popen(
                [*DASK, *arguments], env={**self._environment, **environment}, stderr=log
            )


def kill(*processes: subprocess.Popen[bytes]) -> None:
    """As `kill -9` does."""
    for process in processes:
        process.kill()
        process.wait()


@contextmanager
def frozen(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """A process that does nothing, and does not say so."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Look again and again."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
