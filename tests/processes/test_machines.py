"""Three machines that work and two that serve, each in a network namespace of its own, while one is
killed, one frozen and one cut off."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from fleet import CONNECTIONS, PORT, Fleet, fleet, wait_until
from invented import Invented, fill
from network import NEEDED, NoNetwork
from verdict import Verdict

from paperpost.service import tokens

WORKERS = ("one", "two", "three")
SITES = ("left", "right")
# Until another one ticks: the killed one's session ends at once, the others' by their silence
# (store/locks.py); and every five seconds the others look (schedule.py).
AFTER_A_DEATH, AFTER_SILENCE = 5 + 3, 30 + 5 + 3


@dataclass(frozen=True)
class Plan:
    """How many subscribers there are in each of four rounds, and what is done about a machine that
    is silent: nothing, or what would happen a little later."""

    each: int
    about_silence: Callable[[Fleet, str], None]


def nothing(_fleet: Fleet, _host: str) -> None:
    """The server and the leases are left to themselves."""


def others(*hosts: str) -> tuple[str, ...]:
    return tuple(host for host in WORKERS if host not in hosts)


def leader(ships: Fleet) -> str:
    found = ships.leader()
    assert found is not None
    return found


def vote_here_and_look_there(ships: Fleet, paper: Invented) -> None:
    """What is voted at one site holds at the other one at once."""
    token = tokens.token_of(ships.installation, "reader0@example.org", fresh=False)
    mine = {"Authorization": f"Bearer {token}"}
    path = f"/api/me/votes/{paper.id}"
    for here, there, value in (("left", "right", "up"), ("right", "left", "down")):
        cast = ships.ask(here, "PUT", path, json={"value": value}, headers=mine)
        assert cast.is_success, cast.text
        seen = ships.ask(there, "GET", "/api/me/votes", headers=mine).json()
        assert [(vote["paper"], vote["value"]) for vote in seen["votes"]] == [(paper.id, value)]


@dataclass
class Stopwatch:
    """How long nobody ticked, after what was done to the one that did."""

    ships: Fleet
    began: float = field(default_factory=time.monotonic)

    def until_it_is(self, *hosts: str) -> float:
        """Until one of these ticks; in seconds."""
        wait_until(lambda: self.ships.leader() in hosts, f"one of {hosts} ticks")
        return time.monotonic() - self.began


def start(ships: Fleet, plan: Plan) -> None:
    ships.subscribe(plan.each)
    for host in WORKERS:
        ships.start(host, "work")
    for host in SITES:
        ships.start(host, "serve", "--web-only", "--host", "0.0.0.0", "--port", str(PORT))
    wait_until(ships.all_composed, "digests")


def strike(ships: Fleet, plan: Plan) -> tuple[float, float, float]:
    """Kill the one that ticks, freeze the next and cut off the third, while there is work; how
    many seconds nobody ticked each time."""
    killed = leader(ships)
    ships.send_signal(killed, signal.SIGKILL)
    watch = Stopwatch(ships)
    ships.subscribe(plan.each)
    plan.about_silence(ships, killed)  # which is only about its leases
    died = watch.until_it_is(*others(killed))
    wait_until(ships.all_composed, "digests")

    frozen = leader(ships)
    (last,) = others(killed, frozen)
    ships.send_signal(frozen, signal.SIGSTOP)
    watch = Stopwatch(ships)
    ships.subscribe(plan.each)
    plan.about_silence(ships, frozen)
    froze = watch.until_it_is(last)
    wait_until(ships.all_composed, "digests")
    ships.send_signal(frozen, signal.SIGCONT)

    ships.network.cut(ships.machine(last))
    watch = Stopwatch(ships)
    ships.subscribe(plan.each)
    plan.about_silence(ships, last)
    cut_off = watch.until_it_is(frozen)
    wait_until(ships.all_composed, "digests")
    ships.network.mend(ships.machine(last))
    return died, froze, cut_off


def require_each_mail_once(ships: Fleet, plan: Plan) -> None:
    people, digests, had_one = ships.counts()
    assert (people, digests, had_one) == (4 * plan.each,) * 3
    rows = ships.rows()
    accepted = ships.mail.accepted()
    # The killed one, and those that were silent for too long, as by a crash.
    assert Verdict(rows, accepted, len(rows), kills=3, connections=CONNECTIONS).broken() == []


def require_quiet_logs(ships: Fleet) -> None:
    for host in (*WORKERS, *SITES):
        said = ships.log(host).read_text()
        assert "Traceback" not in said, said


@pytest.mark.parametrize(
    "plan",
    [
        Plan(60, Fleet.forget),
        pytest.param(Plan(300, nothing), marks=pytest.mark.slow),
    ],
    ids=["hurried", "at their own pace"],
)
def test_machines_share_the_work_whatever_becomes_of_some(tmp_path: Path, plan: Plan) -> None:
    try:
        with fleet((*WORKERS, *SITES), tmp_path / "fleet", pause=0.05) as ships:
            papers = fill(ships.installation, [datetime.now(UTC).date() - timedelta(days=1)])
            start(ships, plan)
            died, froze, cut_off = strike(ships, plan)
            for host in SITES:
                wait_until(partial(ships.answers, host), "its site")
            vote_here_and_look_there(ships, papers[0])
            ships.mail.hurry()
            wait_until(ships.all_sent, "mails")
            require_each_mail_once(ships, plan)
            require_quiet_logs(ships)
    except NoNetwork:
        pytest.skip(NEEDED)
    print(f"nobody ticked for {died:.1f}, {froze:.1f}, {cut_off:.1f} seconds")  # noqa: T201
    assert died < AFTER_A_DEATH
    assert max(froze, cut_off) < AFTER_SILENCE
