"""How the cores are shared: between threads of ours, those of BLAS, and those of implicit."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import local
from typing import TypeVar

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

Task = TypeVar("Task")
Done = TypeVar("Done")


class _Here(local):
    limited = False


_here = _Here()


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """While this lasts BLAS uses one thread: ours and implicit's own would fight for the cores."""
    if _here.limited:  # asking for it again takes 40 microseconds
        yield
        return
    with _threadpools().limit(limits=1, user_api="blas"):
        _here.limited = True
        try:
            yield
        finally:
            _here.limited = False


def in_threads(work: Callable[[Task], Done], tasks: Iterable[Task]) -> list[Done]:
    """`work` on each task, on all cores, in the tasks' order; BLAS has one thread in each."""
    with single_threaded_blas(), ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(work, tasks))


@cache
def _threadpools() -> ThreadpoolController:
    # Looking for all libraries takes a millisecond: more than the fold-in that it is for.
    return ThreadpoolController()
