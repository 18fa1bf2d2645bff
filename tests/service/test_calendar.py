"""When digests are due, in every zone and at every change of clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.service import calendar

ZONES = sorted(available_timezones())
FREQUENCIES = sorted(calendar.FREQUENCIES)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC, microsecond=0)
)
hours = st.integers(0, 23)


@given(zone=st.sampled_from(ZONES), hour=hours, moment=instants, every=st.sampled_from(FREQUENCIES))
def test_each_due_moment_leads_to_the_next_and_no_local_date_comes_twice(
    zone: str, hour: int, moment: datetime, every: str
) -> None:
    first = calendar.next_due(every, hour, zone, moment)
    second = calendar.next_due(every, hour, zone, first.at)
    assert moment < first.at < second.at
    assert first.local_date < second.local_date
    assert calendar.is_digest_day(every, first.local_date)
    assert calendar.latest_due(every, hour, zone, first.at) == first
    assert calendar.latest_due(every, hour, zone, second.at - timedelta(seconds=1)) == first


@given(zone=st.sampled_from(ZONES), hour=hours, moment=instants)
def test_the_clock_on_the_wall_shows_the_hour_or_has_just_jumped_over_it(
    zone: str, hour: int, moment: datetime
) -> None:
    due = calendar.next_due("daily", hour, zone, moment)
    wall = due.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    asked = datetime(*due.local_date.timetuple()[:3], hour)  # noqa: DTZ001
    assert wall >= asked
    just_before = (due.at - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert just_before < asked


@pytest.mark.parametrize(
    ("zone", "day", "hour", "at"),
    [
        ("UTC", date(2026, 4, 7), 8, "2026-04-07T08:00"),
        ("Europe/Berlin", date(2026, 4, 7), 8, "2026-04-07T06:00"),
        ("Europe/Berlin", date(2026, 3, 29), 2, "2026-03-29T01:00"),  # 02:00 does not exist
        ("Europe/Berlin", date(2026, 10, 25), 2, "2026-10-25T00:00"),  # 02:00 comes twice
        ("Asia/Kathmandu", date(2026, 4, 7), 8, "2026-04-07T02:15"),
        ("America/Havana", date(2026, 3, 8), 0, "2026-03-08T05:00"),  # midnight does not exist
    ],
)
def test_known_moments(zone: str, day: date, hour: int, at: str) -> None:
    assert calendar.instant(day, hour, zone) == datetime.fromisoformat(at).replace(tzinfo=UTC)


def test_weekly_means_monday_and_weekdays_leave_out_the_weekend() -> None:
    week = [date(2026, 4, 6) + timedelta(days=n) for n in range(7)]
    assert [calendar.is_digest_day("weekly", day) for day in week] == [True] + [False] * 6
    assert [calendar.is_digest_day("weekdays", day) for day in week] == [True] * 5 + [False] * 2
    assert all(calendar.is_digest_day("daily", day) for day in week)


def test_the_jitter_is_a_subscribers_own_and_at_most_a_quarter_of_an_hour() -> None:
    delays = [calendar.jitter(number) for number in range(1000)]
    assert delays == [calendar.jitter(number) for number in range(1000)]
    assert min(delays) >= timedelta()
    assert max(delays) < timedelta(minutes=15)
    assert len(set(delays)) > 500


NO_PLACES = ["localtime", "Factory", "posixrules", "posix/Europe/Berlin", "right/UTC"]
NO_ZONES = ["Mars/Base", "", "../etc/passwd", "/etc/localtime", "Europe", "europe/berlin"]


@pytest.mark.parametrize("name", NO_ZONES + NO_PLACES)
def test_what_is_no_zone_is_told(name: str) -> None:
    assert not calendar.is_timezone(name)


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT-14"]
)
def test_what_is_a_zone_is_taken(name: str) -> None:
    assert calendar.is_timezone(name)
