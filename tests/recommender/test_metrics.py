from collections.abc import Callable
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recommender.matrices import Booleans, from_entries
from recommender.metrics import (
    Positions,
    Values,
    bootstrap_interval,
    hit_at,
    hits_of,
    mean,
    ndcg_at,
    precision_at,
    recall_at,
    relevant_counts,
)

# One reader with two relevant papers, found at the first and the third place of four.
HITS = np.array([[True, False, True, False]])
TWO = np.array([2], dtype=np.int32)
Metric = Callable[[int, Booleans, Positions], Values]
METRICS: tuple[Metric, ...] = (ndcg_at, hit_at, recall_at, precision_at)


@st.composite
def lists(draw: st.DrawFn) -> tuple[Booleans, Positions]:
    """Hits of some readers, and as many relevant papers as that or more."""
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, 12)))
    hits = draw(arrays.arrays(np.bool_, shape))
    missed = draw(arrays.arrays(np.int32, shape[0], elements=st.integers(0, 5)))
    return hits, (hits.sum(axis=1) + missed).astype(np.int32)


def test_ndcg_by_hand() -> None:
    ideal = 1 + 1 / log2(3)
    assert ndcg_at(4, HITS, TWO) == pytest.approx([(1 + 1 / log2(4)) / ideal])
    assert ndcg_at(2, HITS, TWO) == pytest.approx([1 / ideal])
    assert ndcg_at(1, HITS, TWO) == pytest.approx([1])


def test_recall_precision_and_hit_by_hand() -> None:
    assert recall_at(2, HITS, TWO) == pytest.approx([1 / 2])
    assert recall_at(3, HITS, TWO) == pytest.approx([2 / 2])
    assert precision_at(1, HITS, TWO) == pytest.approx([1 / 1])
    assert precision_at(4, HITS, TWO) == pytest.approx([2 / 2])
    assert precision_at(3, HITS, np.array([9], dtype=np.int32)) == pytest.approx([2 / 3])
    assert hit_at(1, HITS[:, 1:], TWO) == pytest.approx([0])
    assert hit_at(2, HITS[:, 1:], TWO) == pytest.approx([1])


def test_hits_are_looked_up_by_position_and_the_end_of_a_list_hits_nothing() -> None:
    relevant = from_entries([{0: 1.0, 3: 1.0}, {2: 1.0}], 4)
    ranked = np.array([[3, 1, 0], [1, -1, -1]], dtype=np.int32)
    assert hits_of(ranked, relevant).tolist() == [[True, False, True], [False, False, False]]
    assert relevant_counts(relevant).tolist() == [2, 1]


@pytest.mark.parametrize("metric", METRICS)
def test_a_reader_without_relevant_papers_has_no_value(metric: Metric) -> None:
    nothing = metric(3, np.zeros((1, 4), dtype=np.bool_), np.zeros(1, dtype=np.int32))
    assert np.isnan(nothing).tolist() == [True]


@pytest.mark.parametrize("metric", METRICS)
def test_an_empty_list_is_worth_nothing(metric: Metric) -> None:
    assert metric(3, np.zeros((1, 0), dtype=np.bool_), TWO).tolist() == [0]


def test_a_mean_leaves_out_readers_without_a_value() -> None:
    assert mean(np.array([1.0, np.nan, 0.0])) == 0.5
    assert np.isnan(mean(np.array([np.nan])))
    assert np.isnan(mean(np.array([])))


@given(lists(), st.integers(1, 15))
def test_every_metric_lies_between_0_and_1(one: tuple[Booleans, Positions], k: int) -> None:
    hits, relevant = one
    for metric in METRICS:
        values = metric(k, hits, relevant)
        assert (np.isnan(values) == (relevant == 0)).all()
        assert ((values >= 0) & (values <= 1 + 1e-12))[relevant > 0].all()


@given(st.integers(1, 12), st.integers(1, 12))
def test_a_perfect_list_has_1(k: int, relevant: int) -> None:
    hits = (np.arange(12) < relevant)[None, :]
    count = np.array([relevant], dtype=np.int32)
    assert ndcg_at(k, hits, count) == pytest.approx([1])
    assert precision_at(k, hits, count) == pytest.approx([1])
    assert hit_at(k, hits, count) == [1]


@given(lists())
def test_a_hit_further_up_is_worth_more(one: tuple[Booleans, Positions]) -> None:
    hits, relevant = one
    sorted_hits = -np.sort(-hits.astype(np.int8), axis=1) > 0
    known = relevant > 0
    better, usual = (ndcg_at(10, which, relevant)[known] for which in (sorted_hits, hits))
    assert (better >= usual - 1e-12).all()


@given(lists(), st.integers(1, 12))
def test_a_longer_list_finds_no_less(one: tuple[Booleans, Positions], k: int) -> None:
    hits, relevant = one
    known = relevant > 0
    assert (recall_at(k + 1, hits, relevant) >= recall_at(k, hits, relevant))[known].all()
    assert (hit_at(k, hits, relevant) == (recall_at(k, hits, relevant) > 0))[known].all()


def _interval(values: Values, level: float = 0.95) -> tuple[float, float, float]:
    interval = bootstrap_interval(values, np.random.default_rng(1), level=level)
    return interval.low, interval.mean, interval.high


@given(arrays.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1)))
def test_an_interval_holds_its_mean_and_stays_within_the_values(values: Values) -> None:
    low, middle, high = _interval(values)
    assert values.min() - 1e-9 <= low <= high <= values.max() + 1e-9
    assert middle == pytest.approx(values.mean())


def test_an_interval_is_as_wide_as_the_theory_says() -> None:
    values = np.random.default_rng(2).normal(size=2_000)
    low, _, high = _interval(values)
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(2_000), rel=0.1)
    narrow, _, wide = _interval(values, level=0.5)
    assert wide - narrow < high - low


def test_an_interval_is_the_same_in_every_run_and_leaves_out_readers_without_a_value() -> None:
    values = np.array([0.0, 1.0, 1.0, 0.5])
    assert _interval(values) == _interval(np.array([0.0, np.nan, 1.0, 1.0, 0.5]))
    assert np.isnan(_interval(np.array([np.nan]))).all()
