"""How long each step takes with how many subscribers, as an SVG picture that reads on light and on
dark ground. Both axes go by powers of ten: growth is a slope, linear growth rises one for one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, StrictUndefined, Template

from paperpost.evaluation.curve import COLOURS

WIDTH, HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 250, 40, 50
_SHORTEST_SECONDS = 0.1

_TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}" role="img"
     aria-label="{{ title }}" font-family="system-ui, sans-serif" font-size="13">
<style>
text { fill: #333 } .grid { stroke: #888; stroke-opacity: .3 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } }
</style>
<text x="{{ left }}" y="20" font-weight="bold">{{ title }}</text>
{% for tick in seconds -%}
<line class="grid" x1="{{ left }}" x2="{{ right }}" y1="{{ tick.at }}" y2="{{ tick.at }}"/>
<text x="{{ left - 8 }}" y="{{ tick.at + 4 }}" text-anchor="end">{{ tick.text }}</text>
{% endfor -%}
{% for tick in sizes -%}
<text x="{{ tick.at }}" y="{{ bottom + 20 }}" text-anchor="middle">{{ tick.text }}</text>
{% endfor -%}
<text x="{{ (left + right) / 2 }}" y="{{ bottom + 40 }}" text-anchor="middle">subscribers</text>
{% for line in lines -%}
<polyline fill="none" stroke="{{ line.colour }}" stroke-width="2.5" stroke-linejoin="round"
          points="{% for x, y in line.points %}{{ x }},{{ y }} {% endfor %}"/>
<g fill="{{ line.colour }}">
{% for x, y in line.points %}<circle cx="{{ x }}" cy="{{ y }}" r="4"/>{% endfor %}
</g>
<line x1="{{ right + 24 }}" x2="{{ right + 46 }}" y1="{{ line.y - 4 }}" y2="{{ line.y - 4 }}"
      stroke="{{ line.colour }}" stroke-width="2.5"/>
<text x="{{ right + 54 }}" y="{{ line.y }}">{{ line.name }}</text>
{% endfor -%}
</svg>
"""


@dataclass(frozen=True, slots=True)
class _Tick:
    at: float
    text: str


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
    return _template().render(
        title=title,
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        right=WIDTH - _RIGHT,
        bottom=HEIGHT - _BOTTOM,
        seconds=[_Tick(_y(10.0**power, powers), _told(10.0**power)) for power in powers],
        sizes=[_Tick(_x(size, sizes), f"{size:,}") for size in sizes],
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


@cache
def _template() -> Template:
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(_TEMPLATE)
