"""Memory is that of the process that is measured, and a killed one is told."""

import os

import numpy as np
import pytest

from paperpost.bench.processes import BenchError, in_own_process, peak_mebibytes

MEBIBYTE = 2**17  # in numbers of eight bytes


def peaks_before_and_after() -> tuple[float, float]:
    """Hold 100 MiB for a moment."""
    before = peak_mebibytes()
    np.ones(100 * MEBIBYTE).sum()
    return before, peak_mebibytes()


def test_the_peak_remembers_what_is_gone() -> None:
    before, after = in_own_process(peaks_before_and_after)
    assert before + 80 < after < before + 120


def test_a_new_process_does_not_inherit_our_peak() -> None:
    np.ones(200 * MEBIBYTE).sum()
    assert in_own_process(peak_mebibytes) < peak_mebibytes() - 100


def test_a_killed_process_is_one_clear_failure() -> None:
    with pytest.raises(BenchError, match="was killed while it measured"):
        in_own_process(os.abort)
