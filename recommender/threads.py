"""How the cores are shared: between threads of ours, those of BLAS, and those of implicit."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import TypeVar, cast

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

Task = TypeVar("Task")
Done = TypeVar("Done")


def single_threaded_blas() -> AbstractContextManager[object]:
    """While this lasts BLAS uses one thread: ours and implicit's own would fight for the cores."""
    return cast("AbstractContextManager[object]", _threadpools().limit(limits=1, user_api="blas"))


def in_threads(work: Callable[[Task], Done], tasks: Iterable[Task]) -> list[Done]:
    """`work` on each task, on all cores, in the tasks' order; BLAS has one thread in each."""
    with single_threaded_blas(), ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(work, tasks))


@cache
def _threadpools() -> ThreadpoolController:
    # Looking for all libraries takes a millisecond: more than the fold-in that it is for.
    return ThreadpoolController()
