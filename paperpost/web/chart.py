"""The bars of "How it did": where each stands in a picture of WIDTH by HEIGHT units."""

from collections.abc import Sequence
from dataclasses import dataclass

from paperpost.service.record import Week

# About the pixels that a phone has, so that letters keep a size that can be read.
WIDTH, HEIGHT = 340, 170
LEFT, TOP, BOTTOM = 30, 8, 148
# How high the picture may reach: the first of these that everything is below.
SCALES = (0.2, 0.4, 0.6, 0.8, 1.0)
LINES = 4
GAP = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """A week: its bar, if enough papers were mailed (`height` None: there were too few, or none),
    and how high the expectation stood. `month` begins with it, or is empty."""

    x: float
    width: float
    y: float
    height: float | None
    expected_y: float | None
    month: str
    has_mail: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the grid, and the per cent that it stands for."""

    y: float
    percent: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn."""

    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]


def chart(weeks: Sequence[Week]) -> Chart:
    """The share of liked papers among those mailed, week by week, beside what was expected."""
    shares = [week.tally.share_of_mailed or 0.0 for week in weeks]
    expected = [week.tally.share_expected or 0.0 for week in weeks]
    highest = max((*shares, *expected), default=0.0)
    top = next(scale for scale in SCALES if scale >= highest)
    slot = (WIDTH - LEFT) / max(1, len(weeks))
    return Chart(
        bars=tuple(_bar(weeks, number, slot, top) for number in range(len(weeks))),
        lines=tuple(
            Line(_y(top * step / LINES, top), round(100 * top * step / LINES))
            for step in range(LINES + 1)
        ),
    )


def _bar(weeks: Sequence[Week], number: int, slot: float, top: float) -> Bar:
    week = weeks[number]
    share, expected = week.tally.share_of_mailed, week.tally.share_expected
    y = _y(share or 0.0, top)
    return Bar(
        x=round(LEFT + number * slot + GAP / 2, 1),
        width=round(slot - GAP, 1),
        y=y,
        height=None if share is None else round(BOTTOM - y, 1),
        expected_y=None if expected is None else _y(expected, top),
        month=_month(weeks, number),
        has_mail=week.tally.mailed > 0,
    )


def _month(weeks: Sequence[Week], number: int) -> str:
    """The month that begins in a week, for its label."""
    monday = weeks[number].monday
    is_new = number > 0 and weeks[number - 1].monday.month != monday.month
    return f"{monday:%b}" if is_new else ""


def _y(share: float, top: float) -> float:
    return round(BOTTOM - share / top * (BOTTOM - TOP), 1)
