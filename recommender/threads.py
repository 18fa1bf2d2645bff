"""How the cores are shared: between threads of ours, those of BLAS, and those of implicit."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import TypeVar

from threadpoolctl import (  # type: ignore[import-untyped]
    OpenBLASController,
    ThreadpoolController,
)

Task = TypeVar("Task")
Done = TypeVar("Done")


class _Limit:
    """How many want BLAS on one thread at present, which is the whole process's, and how to give
    it back its threads; how many threads of ours there may be at once, if not as many as cores."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.users = 0
        self.threads: int | None = None
        self.restore: Callable[[], object] = lambda: None


_limit = _Limit()


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """While this lasts BLAS uses one thread: ours and implicit's own would fight for the cores."""
    with _limit.lock:
        if not _limit.users:
            limiter = _threadpools(len(sys.modules)).limit(limits=1, user_api="blas")
            _limit.restore = limiter.restore_original_limits
            _let_any_thread_set_limits()
        _limit.users += 1
    try:
        yield
    finally:
        with _limit.lock:
            _limit.users -= 1
            if not _limit.users:
                _limit.restore()
                _let_any_thread_set_limits()


def _let_any_thread_set_limits() -> None:
    """threadpoolctl obeys the thread that set a limit first, and no other one; of ours one after
    another sets it, and another one may give it back."""
    OpenBLASController.clear_controlling_thread(force=True)


def use_threads(number: int | None) -> None:
    """Let `in_threads` take no more than so many threads in this process; None: one for each core.

    ValueError if that is less than one.
    """
    if number is not None and number < 1:
        raise ValueError(f"at least one thread is needed, not {number}")
    _limit.threads = number


def in_threads(work: Callable[[Task], Done], tasks: Iterable[Task]) -> list[Done]:
    """`work` on each task, in the tasks' order, on all cores or as many as `use_threads` says; BLAS
    has one thread in each."""
    tasks = list(tasks)
    number = min(_limit.threads or os.cpu_count() or 1, len(tasks))
    with single_threaded_blas():
        if number <= 1:
            return [work(task) for task in tasks]
        with ThreadPoolExecutor(number) as threads:
            return list(threads.map(work, tasks))


@lru_cache(maxsize=1)
def _threadpools(_modules: int) -> ThreadpoolController:
    # Looking for all libraries takes a millisecond: more than the fold-in that it is for. A module
    # that is loaded later may bring a BLAS of its own, as scipy.linalg does.
    return ThreadpoolController()
