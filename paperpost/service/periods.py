"""Days, ISO weeks and months of papers, by the names that they have in addresses."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)


class Span(StrEnum):
    """How long a period is; also the first part of its path."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included."""

    span: Span
    first: date
    last: date

    @property
    def name(self) -> str:
        """2026-04-07, 2026-W15 (ISO 8601) or 2026-04."""
        if self.span == Span.DAY:
            return self.first.isoformat()
        if self.span == Span.MONTH:
            return f"{self.first.year:04}-{self.first.month:02}"
        year, week, _ = self.first.isocalendar()
        return f"{year:04}-W{week:02}"

    @property
    def title(self) -> str:
        """Tuesday, 7 April 2026; Week 15 of 2026; April 2026."""
        if self.span == Span.DAY:
            return f"{self.first:%A}, {self.first.day} {self.first:%B} {self.first.year}"
        if self.span == Span.MONTH:
            return f"{self.first:%B} {self.first.year}"
        year, week, _ = self.first.isocalendar()
        return f"Week {week} of {year}"


def around(span: Span, day: date) -> Period:
    """The period of that length which holds a day."""
    if span == Span.DAY:
        return Period(span, day, day)
    if span == Span.MONTH:
        length = calendar.monthrange(day.year, day.month)[1]
        return Period(span, day.replace(day=1), day.replace(day=length))
    monday = day - timedelta(days=day.weekday())
    to_sunday = min(timedelta(days=6), date.max - monday)  # dates end on a Friday
    return Period(span, monday, monday + to_sunday)


def named(span: Span, name: str) -> Period | None:
    """The period of that name; None if it is none. Each has one spelling: Python reads others too
    (20260401, 2026-W14-3)."""
    day = _first_day(span, name)
    found = None if day is None else around(span, day)
    return found if found is not None and found.name == name else None


def _first_day(span: Span, name: str) -> date | None:
    try:
        if span == Span.DAY:
            return date.fromisoformat(name)
        if span == Span.MONTH:
            month = _MONTH.fullmatch(name)
            return date(int(month[1]), int(month[2]), 1) if month else None
        week = _WEEK.fullmatch(name)
        return date.fromisocalendar(int(week[1]), int(week[2]), 1) if week else None
    except ValueError:
        return None
