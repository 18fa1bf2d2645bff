"""When a digest is due: pure arithmetic on time zones, hours and frequencies.

A wall-clock hour that a change of clocks skips is taken as the first instant after the gap; one
that comes twice as its first coming (PEP 495, fold=0).
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

DAY = timedelta(days=1)
FREQUENCIES = {"daily": range(7), "weekdays": range(5), "weekly": range(1)}
# Days until the next digest, after one on each day of the week, Monday first.
DAYS_BETWEEN = {
    "daily": (1, 1, 1, 1, 1, 1, 1),
    "weekdays": (1, 1, 1, 1, 3, 2, 1),
    "weekly": (7, 7, 7, 7, 7, 7, 7),
}
JITTER_SECONDS = 15 * 60
# Among the zone files, and yet nowhere: what this machine is set to, and what it is set to as long
# as nobody has (tz database, file "factory").
NO_PLACES = {"localtime", "Factory", "posixrules"}


@dataclass(frozen=True, slots=True)
class Due:
    """One digest's moment: the subscriber's local date and the instant in UTC."""

    local_date: date
    at: datetime


@cache  # a walk through the zone files
def timezones() -> frozenset[str]:
    """The names of the time zones that this machine knows."""
    return frozenset(available_timezones() - NO_PLACES)


def is_timezone(name: str) -> bool:
    """Whether this is the name of a time zone that this machine knows."""
    return name in timezones()


def is_digest_day(frequency: str, day: date) -> bool:
    """Whether subscribers of this frequency get a digest for that date."""
    return day.weekday() in FREQUENCIES[frequency]


def instant(day: date, hour: int, timezone: str) -> datetime:
    """The UTC instant at which a zone's clocks first show `hour` on `day`, or have passed it."""
    zone = ZoneInfo(timezone)
    wall = datetime.combine(day, time(hour), tzinfo=zone)
    at = wall.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return at
    return _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the gap that swallowed a wall time.

    Inside a gap fold=0 counts with the offset from before it and fold=1 with the one after it
    (PEP 495): the change of clocks lies between the two instants.
    """
    late = wall.astimezone(UTC)
    early = wall.replace(fold=1).astimezone(UTC)
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall.replace(tzinfo=None):
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def next_due(frequency: str, hour: int, timezone: str, after: datetime) -> Due:
    """The first moment later than `after` (UTC) at which a digest is due."""
    day = after.astimezone(ZoneInfo(timezone)).date() - DAY
    while True:
        if is_digest_day(frequency, day):
            at = instant(day, hour, timezone)
            if at > after:
                return Due(day, at)
        day += DAY


def latest_due(frequency: str, hour: int, timezone: str, until: datetime) -> Due:
    """The last moment up to `until` (UTC) at which a digest was due.

    After downtime only this one is composed: what was due before it is no longer news.
    """
    day = until.astimezone(ZoneInfo(timezone)).date() + DAY
    while True:
        if is_digest_day(frequency, day):
            at = instant(day, hour, timezone)
            if at <= until:
                return Due(day, at)
        day -= DAY


def worth_sending_until(frequency: str, timezone: str, now: datetime) -> datetime:
    """How long a digest that is queued by hand is news: for as long as its kind lasts."""
    return now + DAY * DAYS_BETWEEN[frequency][local_date(timezone, now).weekday()]


def local_date(timezone: str, now: datetime) -> date:
    """Today, where the subscriber is."""
    return now.astimezone(ZoneInfo(timezone)).date()


def is_paused(until: date | None, timezone: str, now: datetime) -> bool:
    """Whether a pause that ends on the local date `until` still lasts."""
    return until is not None and local_date(timezone, now) < until


def jitter(subscriber_id: int) -> timedelta:
    """A subscriber's own small delay, always the same: mail servers dislike bursts."""
    digest = hashlib.sha256(str(subscriber_id).encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:4], "big") % JITTER_SECONDS)
