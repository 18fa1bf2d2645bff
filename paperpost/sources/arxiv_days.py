"""On which days arXiv announces papers, as far as that is known ahead.

Submissions close at 14:00 US Eastern time from Monday to Friday; what came until then is announced
at 20:00, that of Friday on Sunday. The feeds have it from midnight on, dated Monday to Friday.
After a day on which nothing is processed the next announcement is empty (arXiv's "availability of
submissions" and its list of holidays).
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
SUBMISSIONS_CLOSE = 14  # o'clock
# arXiv publishes the list of one year at a time; it is checked against that page once a year.
HOLIDAYS = (
    *(date(2026, 1, 1), date(2026, 1, 19), date(2026, 6, 19), date(2026, 7, 3)),
    *(date(2026, 9, 7), date(2026, 11, 26), date(2026, 12, 25), date(2026, 12, 29)),
    date(2026, 12, 31),
)


def feed_day(now: datetime) -> date:
    """The day whose announcement the feeds have at that moment."""
    return now.astimezone(EASTERN).date()


def announced_after(submitted: datetime) -> date:
    """The first feed day that a paper submitted at that moment can be on. Moderators hold some
    papers back for longer."""
    eastern = submitted.astimezone(EASTERN)
    processed = eastern.date() + (DAY if eastern.hour >= SUBMISSIONS_CLOSE else timedelta(0))
    while is_weekend(processed) or processed in HOLIDAYS:
        processed += DAY
    announced = processed + DAY
    while is_weekend(announced):
        announced += DAY
    return announced


def is_weekend(day: date) -> bool:
    """Whether it is a Saturday or a Sunday."""
    return day.weekday() >= SATURDAY


def emptied_by(day: date) -> date | None:
    """The holiday because of which nothing is announced on a day from Monday to Friday."""
    return _holiday_before(day, HOLIDAYS.__contains__)


def perhaps_emptied_by(day: date) -> date | None:
    """The same where arXiv's list is not known: a day that arXiv probably keeps."""
    return _holiday_before(day, _is_likely_holiday)


def likely_holidays(year: int) -> frozenset[date]:
    """The days of any year that arXiv probably keeps: those it kept in 2026, and any between
    Christmas and New Year."""
    fixed = (date(year, 1, 1), date(year, 6, 19), date(year, 7, 4), date(year, 12, 25))
    of_the_week = (
        _nth(year, 1, MONDAY, 3),  # Martin Luther King Day
        _nth(year, 9, MONDAY, 1),  # Labor Day
        _nth(year, 11, THURSDAY, 4),  # Thanksgiving
    )
    turn_of_the_year = (date(year, 12, day) for day in range(26, 32))
    return frozenset((*map(_observed, fixed), *of_the_week, *turn_of_the_year))


def _holiday_before(day: date, is_holiday: Callable[[date], bool]) -> date | None:
    if is_weekend(day):
        return None
    before = day - DAY
    while is_weekend(before):
        if is_holiday(before):
            return before
        before -= DAY
    return before if is_holiday(before) else None


def _is_likely_holiday(day: date) -> bool:
    known = day.year in {holiday.year for holiday in HOLIDAYS}
    return day in (HOLIDAYS if known else likely_holidays(day.year))


def _observed(holiday: date) -> date:
    """A federal holiday on a Saturday is kept on Friday, one on a Sunday on Monday."""
    return holiday + {SATURDAY: -DAY, SUNDAY: DAY}.get(holiday.weekday(), timedelta(0))


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    """The `number`th day of that name in a month."""
    first = date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (number - 1)) * DAY
