"""A simulated clock ticks through every change of clocks of ten years, in every zone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from zones import FIRST, LAST, zones

from paperpost.schedule import TICK_EVERY
from paperpost.service import calendar
from paperpost.service.calendar import Due

AROUND = timedelta(days=2)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
HOURS = (0, 2, 3, 8, 23)


def composed(
    frequency: str, hour: int, zone: str, start: datetime, end: datetime
) -> Iterator[tuple[datetime, Due]]:
    """What a clock that ticks from `start` to `end` composes, as service/compose.py does it: the
    ticks at which nothing is due are jumped over."""
    due_at = calendar.next_due(frequency, hour, zone, start).at
    while True:
        ticks = -((start - due_at) // TICK_EVERY)
        now = start + ticks * TICK_EVERY
        if now > end:
            return
        yield now, calendar.latest_due(frequency, hour, zone, now)
        following = calendar.next_due(frequency, hour, zone, now).at
        assert following > now
        due_at = following


def local_days(zone: ZoneInfo, start: datetime, end: datetime) -> list[date]:
    """The local dates that lie wholly between the two moments."""
    first, last = start.astimezone(zone).date() + DAY, end.astimezone(zone).date()
    return [first + n * DAY for n in range((last - first).days)]


def is_first_moment(due: Due, hour: int, zone: ZoneInfo) -> bool:
    """Whether the clocks on the wall show the hour then, or have jumped over it, and not before."""
    asked = datetime(*due.local_date.timetuple()[:3], hour)  # noqa: DTZ001
    reached = due.at.astimezone(zone).replace(tzinfo=None) >= asked
    return reached and (due.at - SECOND).astimezone(zone).replace(tzinfo=None) < asked


def hours_around(transition: datetime, zone: ZoneInfo) -> list[int]:
    """The usual hours, and those at which the clocks are changed and to which they are."""
    walls = (transition - SECOND).astimezone(zone), transition.astimezone(zone)
    return sorted({*HOURS, *(wall.hour for wall in walls)})


def test_every_change_of_clocks_leaves_one_digest_for_each_local_date() -> None:
    seen = 0
    for zone in zones():
        clocks = ZoneInfo(zone.name)
        for transition in zone.transitions:
            start, end = transition - AROUND - 2 * DAY, transition + AROUND + 2 * DAY
            days = local_days(clocks, start, end)
            changed = transition.astimezone(clocks).date()
            assert {changed - AROUND, changed, changed + AROUND} <= set(days)
            for hour in hours_around(transition, clocks):
                for frequency in calendar.FREQUENCIES:
                    found = list(composed(frequency, hour, zone.name, start, end))
                    dates = [due.local_date for _, due in found]
                    wanted = [day for day in days if calendar.is_digest_day(frequency, day)]
                    assert [day for day in dates if day in days] == wanted
                    assert len(set(dates)) == len(dates)
                    assert all(is_first_moment(due, hour, clocks) for _, due in found)
                    assert all(timedelta() <= now - due.at < TICK_EVERY for now, due in found)
                    seen += len(found)
    assert seen > 10_000


def test_the_zones_that_are_looked_at_stand_for_all_and_have_their_changes() -> None:
    found = {name: zone for zone in zones() for name in (zone.name, *zone.others)}
    assert len(found) > 400
    assert len(found["Europe/Berlin"].transitions) == 20
    assert datetime(2026, 3, 29, 1, tzinfo=UTC) in found["Europe/Berlin"].transitions
    assert found["Asia/Tokyo"].transitions == found["UTC"].transitions == ()
    assert found["Asia/Tokyo"] is not found["UTC"]


@pytest.mark.slow
@pytest.mark.parametrize("hour", range(24))
def test_ten_years_have_one_digest_for_each_local_date_in_every_zone(hour: int) -> None:
    for zone in zones():
        days = local_days(ZoneInfo(zone.name), FIRST, LAST)
        dates = [due.local_date for _, due in composed("daily", hour, zone.name, FIRST, LAST)]
        assert [day for day in dates if days[0] <= day <= days[-1]] == days


def test_a_local_date_that_was_skipped_whole_has_its_digest_when_the_next_begins() -> None:
    # Samoa went from 29 to 31 December 2011 when it moved over the date line.
    start = datetime(2011, 12, 28, tzinfo=UTC)
    found = [due for _, due in composed("daily", 8, "Pacific/Apia", start, start + 5 * DAY)]
    assert [due.local_date.day for due in found] == [28, 29, 30, 31, 1, 2]
    assert found[2].at.astimezone(ZoneInfo("Pacific/Apia")).isoformat()[:16] == "2011-12-31T00:00"
