"""Clocks that are set, schedules that are changed, downtime: one digest per local date still."""

import random
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from invented import Clock, fill, join

from paperpost.engine.runs import compose_all_due, compose_all_of
from paperpost.service import account, explain, timetable
from paperpost.service.installation import Installation
from paperpost.store import digests, subscribers

MONDAY = date(2026, 4, 6)
NEVER = threading.Event()


def days(first: date, number: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(number)]


def digests_of(installation: Installation, email: str) -> dict[str, list[str]]:
    """The papers of each digest, by date."""
    mailed = account.export(installation, email)["digests"]
    return {digest["date"]: digest["papers"] for digest in mailed}


def next_due_of(installation: Installation, email: str) -> datetime | None:
    with installation.database.reading() as session:
        return account.named(session, email).next_due_at


def require_each_paper_once(installation: Installation, email: str) -> None:
    mailed = Counter(paper for own in digests_of(installation, email).values() for paper in own)
    assert set(mailed.values()) <= {1}


def test_a_clock_that_is_set_back_composes_nothing_twice(
    any_installation: Installation, clock: Clock
) -> None:
    fill(any_installation, days(MONDAY, 4))
    email = join(any_installation, "ada", "graph neural networks", size=2, hour=10)
    clock.turn(hours=2)
    assert compose_all_due(any_installation, NEVER) == {"queued": 1}
    for hours in (-2, -24, 24, 2):
        clock.turn(hours=hours)
        assert compose_all_due(any_installation, NEVER) == {}
    clock.turn(days=1)
    assert compose_all_due(any_installation, NEVER) == {"queued": 1}
    assert list(digests_of(any_installation, email)) == ["2026-04-07", "2026-04-08"]


def test_a_clock_that_was_wrong_by_days_costs_no_paper_and_doubles_none(
    any_installation: Installation, clock: Clock
) -> None:
    fill(any_installation, days(MONDAY, 7), each=2)
    email = join(any_installation, "ada", "graph neural networks", size=2)
    clock.turn(days=3)
    assert compose_all_due(any_installation, NEVER) == {"queued": 1}
    clock.turn(days=-3)
    for _ in range(6 * 24):
        clock.turn(hours=1)
        compose_all_due(any_installation, NEVER)
    assert list(digests_of(any_installation, email)) == [
        f"2026-04-{day}" for day in (10, 11, 12, 13)
    ]
    require_each_paper_once(any_installation, email)


def test_whoever_moves_about_and_changes_the_hour_has_one_digest_for_a_local_date(
    any_installation: Installation, clock: Clock
) -> None:
    chance = random.Random(1)
    fill(any_installation, days(MONDAY, 12), each=3)
    email = join(any_installation, "ada", "graph neural networks", size=1)
    zones = ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin", "Asia/Tokyo")
    queued: Counter[str] = Counter()
    for _ in range(10 * 8):
        clock.turn(hours=3)
        queued += compose_all_due(any_installation, NEVER)
        if chance.random() < 0.3:
            zone, hour = chance.choice(zones), chance.randrange(24)
            join(any_installation, "ada", "graph neural networks", timezone=zone, hour=hour)
    assert len(digests_of(any_installation, email)) == queued["queued"] + queued["silent"]
    assert queued["queued"] >= 6
    require_each_paper_once(any_installation, email)


@pytest.mark.parametrize(
    ("zone", "hour", "begins"),
    [
        ("Europe/Berlin", 2, datetime(2026, 3, 27, tzinfo=UTC)),  # no 02:00 on the 29th
        ("Europe/Berlin", 2, datetime(2026, 10, 23, tzinfo=UTC)),  # two of them on the 25th
        ("America/Havana", 0, datetime(2026, 3, 6, 6, tzinfo=UTC)),  # no midnight on the 8th
    ],
)
def test_changes_of_clocks_leave_a_digest_for_each_date_in_the_table(
    any_installation: Installation, clock: Clock, zone: str, hour: int, begins: datetime
) -> None:
    clock.now = begins
    email = join(any_installation, "ada", "graph", timezone=zone, hour=hour)
    for _ in range(4 * 48):
        clock.turn(minutes=30)
        compose_all_due(any_installation, NEVER)
    dates = [date.fromisoformat(day) for day in digests_of(any_installation, email)]
    assert dates == days(dates[0], len(dates))
    assert dates[0] < begins.date() + timedelta(days=2) < dates[-1]


@pytest.mark.parametrize(
    ("frequency", "newest"), [("daily", "2026-04-25"), ("weekdays", "2026-04-24"),
                              ("weekly", "2026-04-20")],
)  # fmt: skip
def test_after_downtime_there_is_the_newest_digest_alone(
    any_installation: Installation, clock: Clock, frequency: str, newest: str
) -> None:
    fill(any_installation, days(MONDAY, 20), each=1)
    email = join(any_installation, "ada", "graph neural networks", frequency=frequency)
    clock.turn(days=18)  # to a Saturday
    assert compose_all_due(any_installation, NEVER) == {"queued": 1}
    assert compose_all_due(any_installation, NEVER) == {}
    assert list(digests_of(any_installation, email)) == [newest]
    due = next_due_of(any_installation, email)
    assert due is not None
    assert due > clock.now


def test_a_weekly_digest_is_ranked_over_the_whole_week_at_once(
    any_installation: Installation,
) -> None:
    fill(any_installation, [MONDAY], each=1)
    email = join(any_installation, "ada", "graph neural networks", frequency="weekly", size=5)
    compose_all_of(any_installation, MONDAY)
    week = fill(any_installation, days(MONDAY + timedelta(days=1), 7), each=1)
    following = MONDAY + timedelta(days=7)
    ranked = [choice["paper"] for choice in explain.explain(any_installation, email, following, 99)]
    assert set(ranked) == {paper.id for paper in week}
    compose_all_of(any_installation, following)
    mailed = digests_of(any_installation, email)[str(following)]
    assert mailed == [
        choice["paper"] for choice in explain.explain(any_installation, email, following)
    ]
    # The best of all days by score, and not some of each day in the order of the days.
    graph = {paper.id for paper in week if paper.topic == "graph"}
    assert set(mailed[:4]) < graph
    with any_installation.database.reading() as session:
        number = account.named(session, email).id or 0
        digest = digests.of_date(session, number, following)
    assert digest is not None
    assert digest.considered == len(week)
    scores = [item["score"] for item in digest.items if not item["explored"]]
    assert scores == sorted(scores, reverse=True)


def test_a_best_paper_of_the_weeks_first_day_leads_the_weekly_digest(
    any_installation: Installation,
) -> None:
    week = fill(any_installation, days(MONDAY, 7), each=2)
    best = next(paper for paper in week if paper.topic == "speech" and paper.day == MONDAY)
    email = join(
        any_installation, "ada", f"speech study {best.id.replace('.', ' ')}", frequency="weekly"
    )
    compose_all_of(any_installation, MONDAY + timedelta(days=7))
    assert digests_of(any_installation, email)["2026-04-13"][0] == best.id


def test_new_rules_of_the_time_zones_move_what_is_to_come_and_not_what_is_due(
    any_installation: Installation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timetable, "BLOCK", 2)
    moved = [join(any_installation, name, "graph", hour=12) for name in ("ada", "ben", "cleo")]
    right, due = (join(any_installation, name, "graph", hour=11) for name in ("dora", "emil"))
    with any_installation.database.writing() as session:
        for email in (*moved, due):
            person = account.named(session, email)
            hours = -1 if email == due else 4
            subscribers.set_next_due(session, person.id or 0, clock.now + timedelta(hours=hours))
    assert timetable.reckon_again(any_installation) == 3
    assert {next_due_of(any_installation, email) for email in moved} == {
        clock.now + timedelta(hours=3)
    }
    assert next_due_of(any_installation, right) == clock.now + timedelta(hours=2)
    assert next_due_of(any_installation, due) == clock.now - timedelta(hours=1)
    assert timetable.reckon_again(any_installation) == 0


def test_a_schedule_that_is_changed_meanwhile_is_not_reckoned_over(
    any_installation: Installation, clock: Clock
) -> None:
    email = join(any_installation, "ada", "graph", hour=12)
    with any_installation.database.reading() as session:
        seen = account.named(session, email)
    join(any_installation, "ada", "graph", hour=20)
    changed = next_due_of(any_installation, email)
    with any_installation.database.writing() as session:
        assert not subscribers.move_next_due(session, seen, clock.now)
    assert next_due_of(any_installation, email) == changed
