"""A small crash test on every run; `make crash-test` is the whole one."""

from pathlib import Path

import pytest
from onslaught import Plan, crash
from scene import Scene, prepare
from verdict import Accepted, Frozen, Row, Verdict
from workers import end_its_leases


def test_workers_that_are_killed_and_frozen_lose_nothing_and_double_little(
    database_url: str, tmp_path: Path
) -> None:
    scene = prepare(Scene(tmp_path / "home", database_url), mails=300)
    verdict = crash(scene, Plan(("send", "send"), kills=3, ending=end_its_leases))
    assert verdict.broken() == []
    assert (verdict.kills, len(verdict.rows)) == (3, 300)


ROWS = [Row(1, "<a>", "sent"), Row(2, "<b>", "sent")]
A, B = Accepted(9, "a@x.org", "<a>", "1"), Accepted(9, "b@x.org", "<b>", "2")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict(ROWS, [A, B, A], 2, kills=1, connections=1), []),
        (Verdict(ROWS, [A], 2, kills=1, connections=1), ["1 mails were lost"]),
        (
            Verdict(ROWS, [A, B, A, B], 2, kills=1, connections=1),
            ["2 came twice, allowed are 1"],
        ),
        (
            Verdict(ROWS, [A, B, B, A], 2, 1, connections=1, frozen=Frozen({1, 2}, {9}, 2)),
            ["the frozen worker sent 2 that it had lost"],
        ),
        (
            Verdict(ROWS, [A, B, Accepted(9, "a@x.org", "<a>", "3")], 2, kills=1, connections=1),
            ["1 messages are not what was queued"],
        ),
        (
            Verdict([Row(1, "<a>", "unknown")], [A], 1, kills=1, connections=1),
            ["not recorded as sent: {'unknown': 1}"],
        ),
        (
            Verdict(ROWS, [A, B], 3, kills=0, connections=1),
            ["2 deliveries, 3 over all states"],
        ),
    ],
)
def test_the_verdict_sees_every_broken_promise(verdict: Verdict, said: list[str]) -> None:
    assert verdict.broken() == said
