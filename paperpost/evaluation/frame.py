"""What our SVG pictures have in common: a title, a grid, and words under it, that read on light and
on dark ground."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template

# Okabe and Ito's colours, told apart by the colour-blind, without those that vanish on a ground.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8a8a")

_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ size.width }} {{ size.height }}" role="img"
     aria-label="{{ title }}" font-family="system-ui, sans-serif" font-size="13">
<style>
text { fill: #333 } .grid { stroke: #888; stroke-opacity: .3 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } }
</style>
<text x="{{ size.left }}" y="20" font-weight="bold">{{ title }}</text>
{% for tick in up -%}
<line class="grid" x1="{{ size.left }}" x2="{{ size.right }}"
      y1="{{ tick.at }}" y2="{{ tick.at }}"/>
<text x="{{ size.left - 8 }}" y="{{ tick.at + 4 }}" text-anchor="end">{{ tick.text }}</text>
{% endfor -%}
{% for tick in along -%}
<text x="{{ tick.at }}" y="{{ size.bottom + 20 }}" text-anchor="middle">{{ tick.text }}</text>
{% endfor -%}
{% block inside %}{% endblock -%}
</svg>
"""


@dataclass(frozen=True, slots=True)
class Size:
    """The picture in pixels, and where in it the grid ends."""

    width: int
    height: int
    left: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A word at an axis, and where it stands."""

    at: float
    text: str


def framed(
    inside: str, size: Size, title: str, up: Sequence[Tick], along: Sequence[Tick], **known: Any
) -> str:
    """A picture: the frame, and what the Jinja template `inside` makes of what is `known`."""
    return _template(inside).render(size=size, title=title, up=up, along=along, **known)


@cache
def _template(inside: str) -> Template:
    picture = "{% extends 'frame' %}{% block inside %}" + inside + "{% endblock %}"
    loader = DictLoader({"frame": _FRAME, "picture": picture})
    return Environment(autoescape=True, undefined=StrictUndefined, loader=loader).get_template(
        "picture"
    )
