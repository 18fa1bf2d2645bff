"""On which days arXiv announces papers, as far as that is known ahead.

Announcements are made at 20:00 US Eastern time from Sunday to Thursday; the feeds have them from
midnight on, dated Monday to Friday. After a day on which nothing is processed the next
announcement is empty (arXiv's "availability of submissions" and its list of holidays).
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
SATURDAY = 5
# Of other years nothing is known: arXiv publishes the list of one year at a time.
HOLIDAYS = (
    *(date(2026, 1, 1), date(2026, 1, 19), date(2026, 6, 19), date(2026, 7, 3)),
    *(date(2026, 9, 7), date(2026, 11, 26), date(2026, 12, 25), date(2026, 12, 29)),
    date(2026, 12, 31),
)


def feed_day(now: datetime) -> date:
    """The day whose announcement the feeds have at that moment."""
    return now.astimezone(EASTERN).date()


def is_weekend(day: date) -> bool:
    """Whether it is a Saturday or a Sunday."""
    return day.weekday() >= SATURDAY


def knows_holidays(day: date) -> bool:
    """Whether the holidays around that day are known."""
    return day.year in {holiday.year for holiday in HOLIDAYS}


def emptied_by(day: date) -> date | None:
    """The holiday because of which nothing is announced on a day from Monday to Friday."""
    if is_weekend(day):
        return None
    before = day - DAY
    while is_weekend(before):
        if before in HOLIDAYS:
            return before
        before -= DAY
    return before if before in HOLIDAYS else None


def missing(newest: date, until: date) -> int:
    """How many announcements there should have been after the day `newest`, up to `until`."""
    days = (newest + n * DAY for n in range(1, (until - newest).days + 1))
    return sum(1 for day in days if not is_weekend(day) and emptied_by(day) is None)
