"""How growth is told."""

import pytest

from paperpost.bench.train import Growth, Trained, exponent


@pytest.mark.parametrize(("power", "told"), [(1, 1.0), (2, 2.0), (0, 0.0)])
def test_the_exponent_is_the_power_of_the_growth(power: int, told: float) -> None:
    sizes = [5_000, 20_000, 75_000]
    assert exponent(sizes, [3.0 * size**power for size in sizes]) == pytest.approx(told)


def test_one_size_shows_no_growth() -> None:
    assert exponent([5_000], [1.0]) is None


def test_a_growth_tells_time_by_what_grows() -> None:
    points = [Trained(10, people, 50, 900, people / 100, 0.5, 300.0) for people in (100, 400)]
    growth = Growth("subscribers", points)
    assert growth.document["exponent"] == pytest.approx(1.0)
    assert [point["microseconds_each"] for point in growth.document["points"]] == [1e4, 1e4]
    assert [point["ratio"] for point in growth.document["points"]] == [2.0, 8.0]
