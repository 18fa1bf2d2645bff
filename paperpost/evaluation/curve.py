"""Lines over days as an SVG picture that reads on light and on dark ground."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from paperpost.evaluation.frame import COLOURS, Size, Tick, framed

WIDTH, HEIGHT = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 16, 34, 96
DAYS_AVERAGED = 5
_STEP = 0.1
_MOST_DATES = 8
_LEGEND_COLUMNS = 2

_LINES = """\
{% for line in lines -%}
<g fill="{{ line.colour }}" stroke="none" fill-opacity=".35">
{% for x, y in line.dots %}<circle cx="{{ x }}" cy="{{ y }}" r="2.5"/>{% endfor %}
</g>
<polyline fill="none" stroke="{{ line.colour }}" stroke-width="2.5" stroke-linejoin="round"
          points="{% for x, y in line.points %}{{ x }},{{ y }} {% endfor %}"/>
<line x1="{{ line.x }}" x2="{{ line.x + 22 }}" y1="{{ line.y - 4 }}" y2="{{ line.y - 4 }}"
      stroke="{{ line.colour }}" stroke-width="2.5"/>
<text x="{{ line.x + 30 }}" y="{{ line.y }}">{{ line.name }}</text>
{% endfor -%}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A value for each day, NaN where there is none."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A line in pixels: dots for days, points of the running mean, its place in the legend."""

    name: str
    colour: str
    dots: list[tuple[float, float]]
    points: list[tuple[float, float]]
    x: float
    y: float


def draw(title: str, days: Sequence[date], lines: Sequence[Line]) -> str:
    """The lines over the days: each value a dot, the mean of five days around it a line."""
    top = _highest(lines)
    steps = range(round(top / _STEP) + 1)
    apart = max(1, -(-len(days) // _MOST_DATES))
    return framed(
        _LINES,
        Size(WIDTH, HEIGHT, _LEFT, WIDTH - _RIGHT, HEIGHT - _BOTTOM),
        title,
        [Tick(_y(step * _STEP, top), f"{step * _STEP:.1f}") for step in steps],
        [
            Tick(_x(day, len(days)), f"{days[day].day} {days[day]:%b}")
            for day in range(0, len(days), apart)
        ],
        lines=[_drawn(number, line, top) for number, line in enumerate(lines)],
    )


def running_mean(values: Sequence[float], days: int = DAYS_AVERAGED) -> list[float]:
    """The mean of each value and those around it, fewer at the ends, none of them NaN."""
    around = days // 2
    windows = [values[max(0, at - around) : at + around + 1] for at in range(len(values))]
    known = [[value for value in window if not np.isnan(value)] for window in windows]
    return [sum(window) / len(window) if window else float("nan") for window in known]


def _drawn(number: int, line: Line, top: float) -> _Drawn:
    column, row = number % _LEGEND_COLUMNS, number // _LEGEND_COLUMNS
    return _Drawn(
        line.name,
        COLOURS[number % len(COLOURS)],
        _pixels(line.values, top),
        _pixels(running_mean(line.values), top),
        _LEFT + column * (WIDTH - _LEFT) / _LEGEND_COLUMNS,
        HEIGHT - _BOTTOM + 46 + 20 * row,
    )


def _pixels(values: Sequence[float], top: float) -> list[tuple[float, float]]:
    return [
        (_x(day, len(values)), _y(value, top))
        for day, value in enumerate(values)
        if not np.isnan(value)
    ]


def _highest(lines: Sequence[Line]) -> float:
    """The first grid line at or above all values."""
    known = [value for line in lines for value in line.values if not np.isnan(value)]
    return _STEP * max(1, int(np.ceil(max(known, default=0) / _STEP - 1e-9)))


def _x(day: int, days: int) -> float:
    return round(_LEFT + (WIDTH - _RIGHT - _LEFT) * (day + 0.5) / days, 1)


def _y(value: float, top: float) -> float:
    bottom = HEIGHT - _BOTTOM
    return round(bottom - (bottom - _TOP) * value / top, 1)
