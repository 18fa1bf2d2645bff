"""How long each step takes with how many subscribers, as an SVG picture that reads on light and on
dark ground. Both axes go by powers of ten: growth is a slope, linear growth rises one for one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paperpost.evaluation.frame import COLOURS, Size, Tick, framed

WIDTH, HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 250, 40, 50
_SHORTEST_SECONDS = 0.1

_LINES = """\
<text x="{{ (size.left + size.right) / 2 }}" y="{{ size.bottom + 40 }}"
      text-anchor="middle">subscribers</text>
{% for line in lines -%}
<polyline fill="none" stroke="{{ line.colour }}" stroke-width="2.5" stroke-linejoin="round"
          points="{% for x, y in line.points %}{{ x }},{{ y }} {% endfor %}"/>
<g fill="{{ line.colour }}">
{% for x, y in line.points %}<circle cx="{{ x }}" cy="{{ y }}" r="4"/>{% endfor %}
</g>
<line x1="{{ size.right + 24 }}" x2="{{ size.right + 46 }}"
      y1="{{ line.y - 4 }}" y2="{{ line.y - 4 }}" stroke="{{ line.colour }}" stroke-width="2.5"/>
<text x="{{ size.right + 54 }}" y="{{ line.y }}">{{ line.name }}</text>
{% endfor -%}
"""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A line in pixels, and its place among the names."""

    name: str
    colour: str
    points: list[tuple[float, float]]
    y: float


def draw(title: str, lines: Mapping[str, Mapping[int, float]]) -> str:
    """Lines by name: seconds by number of subscribers."""
    sizes = sorted({size for points in lines.values() for size in points})
    longest = max((value for points in lines.values() for value in points.values()), default=1.0)
    powers = range(round(math.log10(_SHORTEST_SECONDS)), math.ceil(math.log10(max(longest, 1))) + 1)
    return framed(
        _LINES,
        Size(WIDTH, HEIGHT, _LEFT, WIDTH - _RIGHT, HEIGHT - _BOTTOM),
        title,
        [Tick(_y(10.0**power, powers), _told(10.0**power)) for power in powers],
        [Tick(_x(size, sizes), f"{size:,}") for size in sizes],
        lines=[
            _Drawn(
                name,
                COLOURS[place % len(COLOURS)],
                [(_x(size, sizes), _y(value, powers)) for size, value in sorted(points.items())],
                _TOP + 22 * (place + 1),
            )
            for place, (name, points) in enumerate(lines.items())
        ],
    )


def _told(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= 1 else f"{seconds:g} s"


def _x(size: int, sizes: Sequence[int]) -> float:
    return _between(_LEFT + 20, WIDTH - _RIGHT - 20, size, sizes[0], sizes[-1])


def _y(seconds: float, powers: range) -> float:
    longest = 10.0 ** powers[-1]
    seconds = max(seconds, _SHORTEST_SECONDS)
    return _between(HEIGHT - _BOTTOM, _TOP, seconds, _SHORTEST_SECONDS, longest)


def _between(start: float, end: float, value: float, least: float, most: float) -> float:
    """Where a value stands, by powers of ten."""
    part = math.log(value / least) / math.log(most / least) if most > least else 0.5
    return round(start + (end - start) * part, 1)
