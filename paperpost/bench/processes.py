"""A process of its own for what is measured, and the most memory a process has held."""

import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from paperpost.errors import PaperpostError

P = ParamSpec("P")
T = TypeVar("T")

_STATUS = Path("/proc/self/status")


class BenchError(PaperpostError):
    """A measurement that could not be made."""


def in_own_process(measure: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `measure` returns in a fresh process; BenchError if that process was killed."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        try:
            return process.submit(measure, *args, **kwargs).result()
        except BrokenProcessPool as error:
            raise BenchError(
                "a process was killed while it measured; there may be too little memory"
            ) from error


def peak_mebibytes() -> float:
    """The greatest resident size of this process so far, in MiB.

    Linux's own record begins with the program; `getrusage` would count what its parent held.
    """
    if _STATUS.exists():
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        for name, _, value in (line.partition(":") for line in lines):
            if name == "VmHWM":
                return int(value.split()[0]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
