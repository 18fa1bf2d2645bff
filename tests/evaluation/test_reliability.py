"""Probabilities beside what came: the table, its errors, and what does not count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.evaluation.reliability import (
    Predictions,
    all_of,
    reliability_of,
    reliability_table,
)
from paperpost.evaluation.report import rendered


def predictions(*told: tuple[float, bool]) -> Predictions:
    return Predictions(np.array([one for one, _ in told]), np.array([like for _, like in told]))


def test_a_bin_holds_what_was_told_between_its_edges() -> None:
    found = reliability_of(predictions((0.2, True), (0.26, False), (0.3, True), (1.0, True)))
    assert [(row.low, row.high, row.count) for row in found.bins] == [
        (0.2, 0.3, 2),
        (0.3, 0.4, 1),
        (0.9, 1, 1),
    ]
    assert found.bins[0].predicted == pytest.approx(0.23)
    assert found.bins[0].observed == 0.5


def test_the_errors_are_those_of_the_formulas() -> None:
    found = reliability_of(predictions((0.25, False), (0.25, True), (0.75, True), (0.75, True)))
    assert found.base_rate == 0.75
    assert found.calibration_error == pytest.approx(0.25)
    assert found.brier == pytest.approx((0.0625 + 0.5625 + 0.0625 + 0.0625) / 4)
    assert found.constant_brier == pytest.approx(0.1875)


def test_places_without_a_probability_do_not_count() -> None:
    nan = float("nan")
    some = predictions((0.1, False), (nan, False), (0.4, True), (nan, True))
    assert some.are_told
    assert reliability_of(some) == reliability_of(predictions((0.1, False), (0.4, True)))
    assert not predictions((nan, True)).are_told
    with pytest.raises(ValueError, match="no probability was told"):
        reliability_of(predictions((nan, True)))


@pytest.mark.parametrize("wrong", [-0.01, 1.01])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        reliability_of(predictions((wrong, True)))


def test_the_head_of_each_list_is_taken_and_blocks_follow_one_another() -> None:
    block = Predictions(np.arange(6).reshape(2, 3) / 10, np.ones((2, 3), dtype=np.bool_))
    head = all_of([block, block]).top(2)
    assert head.probabilities.tolist() == [[0, 0.1], [0.3, 0.4]] * 2
    assert head.liked.shape == (4, 2)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_every_paper_is_in_one_bin_and_within_its_edges(told: list[tuple[float, bool]]) -> None:
    found = reliability_of(predictions(*told))
    assert sum(row.count for row in found.bins) == found.count == len(told)
    assert all(row.low - 1e-9 <= row.predicted <= row.high + 1e-9 for row in found.bins)
    assert 0 <= found.calibration_error <= 1


@given(st.lists(st.booleans(), min_size=1))
def test_telling_the_share_that_is_liked_is_kept_and_has_the_constants_score(
    liked: list[bool],
) -> None:
    found = reliability_of(predictions(*((sum(liked) / len(liked), like) for like in liked)))
    assert found.calibration_error == pytest.approx(0)
    assert found.brier == pytest.approx(found.constant_brier)


def test_the_table_has_a_line_for_each_bin_and_the_errors() -> None:
    found = reliability_of(predictions((0.25, False), (0.25, True), (0.75, True), (0.75, True)))
    text = rendered([reliability_table("Paperpost, top 10", found)])
    assert "20.0% to 30.0%" in text
    assert "70.0% to 80.0%" in text
    assert "expected calibration error 0.2500" in text
    assert found.predicted == 0.5
