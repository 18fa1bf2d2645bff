"""Several processes that send at the same time, each as `paperpost send` does; they import nothing
of what ranks."""

import gc
import time
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from paperpost.bench.processes import BenchError, peak_mebibytes
from paperpost.service.deliver import send
from paperpost.service.installation import open_installation
from paperpost.settings import Settings


def send_all(settings: Settings, processes: int) -> tuple[float, float]:
    """The seconds that so many `send`s took, which had started before the clock did, and the most
    memory that one of them held, in MiB."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            _all(pool.submit(_be_ready, settings) for _ in range(processes))
            started = time.perf_counter()
            peaks = _all(pool.submit(_send, settings) for _ in range(processes))
            return time.perf_counter() - started, max(peaks)
        except BrokenProcessPool as error:
            raise BenchError("a process was killed while it sent") from error


def _all(futures: Iterable[Future[float]]) -> list[float]:
    return [future.result() for future in list(futures)]


def _be_ready(settings: Settings) -> float:
    """Import what sending needs, and long enough that each process gets one of these."""
    open_installation(settings).close()
    time.sleep(0.5)
    return 0.0


def _send(settings: Settings) -> float:
    installation = open_installation(settings)
    gc.freeze()  # as the command does
    try:
        send(installation)
    finally:
        installation.close()
    return peak_mebibytes()
