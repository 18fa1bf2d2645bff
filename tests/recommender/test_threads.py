"""BLAS has one thread while it is asked to, whichever of our threads asks."""

import os
import subprocess
import sys
from collections.abc import Iterator
from threading import Barrier, Thread, current_thread

import numpy as np
import pytest
from threadpoolctl import (  # type: ignore[import-untyped]
    threadpool_info,
    threadpool_limits,
)

from recommender.threads import in_threads, single_threaded_blas, use_threads


def threads_of_blas() -> set[int]:
    assert np.eye(2).trace() == 2  # numpy brings its BLAS
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def blas_has_two_threads() -> Iterator[None]:
    """However many the tests are run with."""
    with threadpool_limits(2, "blas"):
        assert threads_of_blas() == {2}
        yield


def test_a_thread_is_obeyed_after_another_one_was() -> None:
    seen: list[set[int]] = []

    def ask() -> None:
        with single_threaded_blas():
            seen.append(threads_of_blas())

    before = threads_of_blas()
    ask()
    for _ in range(2):
        thread = Thread(target=ask)
        thread.start()
        thread.join()
    assert seen == [{1}] * 3
    assert threads_of_blas() == before


def test_a_blas_that_is_loaded_later_has_one_thread_too() -> None:
    # Calibrating needs numpy's alone, and the model that is trained next brings scipy's.
    program = """
from recommender.threads import single_threaded_blas
import numpy
with single_threaded_blas():
    pass
import scipy.linalg
from threadpoolctl import threadpool_info
with single_threaded_blas():
    print({one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"})
"""
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        capture_output=True,
        check=True,
    )
    assert told.stdout.decode().strip() == "{1}"


def test_the_last_of_several_gives_the_threads_back() -> None:
    before, inside = threads_of_blas(), Barrier(2)
    seen: list[set[int]] = []

    def ask() -> None:
        with single_threaded_blas():
            inside.wait()

    thread = Thread(target=ask)
    with single_threaded_blas():
        thread.start()
        inside.wait()
        thread.join()
        seen.append(threads_of_blas())
    assert seen == [{1}]
    assert threads_of_blas() == before

    first_out = Thread(target=ask)
    with single_threaded_blas():
        first_out.start()
    inside.wait()
    first_out.join()
    assert threads_of_blas() == before


def test_no_more_threads_work_than_are_allowed() -> None:
    both_at_work = Barrier(2, timeout=10)
    use_threads(2)
    try:
        assert in_threads(lambda one: (both_at_work.wait(), one)[1], range(4)) == [0, 1, 2, 3]
        use_threads(1)
        assert in_threads(lambda _: current_thread(), range(3)) == [current_thread()] * 3
    finally:
        use_threads(None)


@pytest.mark.parametrize("number", [0, -1])
def test_less_than_one_thread_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="at least one thread"):
        use_threads(number)
