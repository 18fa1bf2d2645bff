"""Turns that all processes share, and what is remembered of each request."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

import pytest
import traps
from invented import Clock, with_settings
from loopback_source import Told
from web_on_loopback import Question, WebOnLoopback

from paperpost.service.courtesy import (
    HELD,
    LOOK_EVERY,
    SharedGate,
    contact,
    forget_old,
    polite_client,
    seconds_to_wait,
)
from paperpost.service.installation import Installation
from paperpost.service.leases import new_lease
from paperpost.settings import load_settings
from paperpost.sources.errors import RequestFailed, SourceBusy, Stopped
from paperpost.sources.politeness import LONGEST_CLOSURE, limit_of
from paperpost.store import requests, turns
from paperpost.store.tables import HostTurn, Request

ARXIV = "arxiv.org"


class Papers:
    """Two hosts, whose every page exists."""

    hosts = ("rss.arxiv.org", "api.biorxiv.org")

    def answer(self, question: Question) -> Told:
        return Told(body=b"papers", headers={"ETag": f'"{question.path}"'})


@pytest.fixture
def web() -> Iterator[WebOnLoopback]:
    with WebOnLoopback(Papers()) as running:
        yield running


class Waiting:
    """A gate whose time passes by waiting for it, and how long it waited."""

    def __init__(self, installation: Installation, clock: Clock) -> None:
        self.pauses: list[float] = []
        self.clock = clock
        self.stop = threading.Event()
        self.gate = SharedGate(installation, self.stop, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.turn(seconds=seconds)


@pytest.fixture
def waiting(any_installation: Installation, clock: Clock) -> Waiting:
    return Waiting(any_installation, clock)


def held(installation: Installation, name: str) -> HostTurn:
    with installation.database.reading() as session:
        turn = turns.of(session, name)
    assert turn is not None
    return turn


def test_arxiv_is_asked_once_in_three_seconds_over_all_its_hosts(waiting: Waiting) -> None:
    begun = []
    for host in ("rss.arxiv.org", "export.arxiv.org", "oaipmh.arxiv.org"):
        with waiting.gate.turn(host):
            begun.append(waiting.clock.now)
            waiting.clock.turn(seconds=1)  # the request takes a second
    assert all(
        timedelta(seconds=4) <= later - before < timedelta(seconds=5)
        for before, later in pairwise(begun)
    )


def test_a_host_that_is_asked_now_and_then_is_not_waited_for(waiting: Waiting) -> None:
    for host in ("rss.arxiv.org", "huggingface.co", "rss.arxiv.org"):
        with waiting.gate.turn(host):
            pass
        waiting.clock.turn(seconds=2)
    assert waiting.pauses == []


def test_there_is_one_request_at_a_time_however_long_it_takes(
    any_installation: Installation, waiting: Waiting
) -> None:
    other = threading.Event(), threading.Event()

    def ask() -> None:
        with SharedGate(any_installation, threading.Event(), other[1].wait).turn("rss.arxiv.org"):
            other[0].set()
            other[1].wait(10)

    thread = threading.Thread(target=ask)
    thread.start()
    other[0].wait(10)
    waiting.clock.turn(minutes=1)
    begun = []

    def sleep(seconds: float) -> None:
        waiting.sleep(seconds)
        if len(waiting.pauses) == 3:
            other[1].set()
            thread.join()

    with SharedGate(any_installation, waiting.stop, sleep).turn("export.arxiv.org"):
        begun.append(len(waiting.pauses))
    assert begun[0] > 3
    assert all(pause >= LOOK_EVERY for pause in waiting.pauses[:3])


@pytest.mark.parametrize("lease", ["elsewhere|1|0|ab", "dead"])
def test_a_holder_that_died_holds_nothing_for_ever(
    any_installation: Installation, waiting: Waiting, lease: str
) -> None:
    if lease == "dead":  # of this machine: seen at once
        lease = new_lease().replace("|", "|99999999", 1)
    now = waiting.clock.now
    with any_installation.database.writing() as session:
        gap = timedelta(seconds=3)
        assert turns.take(session, ARXIV, lease, now, gap=gap, held_until=now + HELD)
    with waiting.gate.turn("arxiv.org"):
        pass
    waited = sum(waiting.pauses)
    held_for = HELD.total_seconds()
    assert held_for <= waited < held_for + 1 if "elsewhere" in lease else waited < 5


def test_who_held_too_long_gives_nothing_back_that_is_anothers(
    any_installation: Installation, waiting: Waiting
) -> None:
    with waiting.gate.turn("arxiv.org"):
        waiting.clock.turn(seconds=HELD.total_seconds() + 1)
        late = waiting.gate.turn("arxiv.org")
        late.__enter__()
        newer = held(any_installation, ARXIV).holder
    assert held(any_installation, ARXIV).holder == newer is not None
    late.__exit__(None, None, None)
    assert held(any_installation, ARXIV).holder is None


def test_a_host_that_closes_is_closed_for_all_its_aliases_and_no_other(waiting: Waiting) -> None:
    waiting.gate.close("rss.arxiv.org", 60)
    waiting.gate.close("rss.arxiv.org", 5)  # which does not open it
    with waiting.gate.turn("api.biorxiv.org"):
        assert waiting.pauses == []
    with waiting.gate.turn("export.arxiv.org"):
        assert 60 <= sum(waiting.pauses) < 61


def test_a_host_that_closes_for_long_is_not_even_asked(waiting: Waiting) -> None:
    waiting.gate.close("rss.arxiv.org", 3600)
    waiting.clock.turn(minutes=20)
    with pytest.raises(SourceBusy, match="to be left alone for 40 minutes") as caught:
        waiting.gate.turn("oaipmh.arxiv.org").__enter__()
    assert (caught.value.status, waiting.pauses) == (None, [])
    waiting.clock.turn(minutes=41)
    with waiting.gate.turn("oaipmh.arxiv.org"):
        assert waiting.pauses == []


@pytest.mark.parametrize("held_until", [None, -1, 0, 1, 10**9])
@pytest.mark.parametrize("free_at", [-1, 0, 1, 10**9])
def test_whoever_need_not_wait_gets_the_turn_and_nobody_else(
    any_installation: Installation, clock: Clock, free_at: int, held_until: int | None
) -> None:
    end = None if held_until is None else clock.now + timedelta(seconds=held_until)
    turn = HostTurn(
        host="arxiv.org",
        free_at=clock.now + timedelta(seconds=free_at),
        holder=None if end is None else "another",
        held_until=end,
    )
    pause = seconds_to_wait(turn, clock.now, holder_is_dead=False)
    with any_installation.database.writing() as session:
        session.add(turn)
        session.flush()
        gap = timedelta(seconds=3)
        taken = turns.take(session, ARXIV, "we", clock.now, gap=gap, held_until=clock.now + HELD)
        again = turns.take(session, ARXIV, "they", clock.now, gap=gap, held_until=clock.now + HELD)
    assert (taken, again) == (pause == 0, False)


def test_a_clock_that_was_ahead_once_closes_no_host_for_years(
    any_installation: Installation, waiting: Waiting
) -> None:
    waiting.clock.turn(days=3650)
    late = waiting.gate.turn("export.arxiv.org")
    late.__enter__()  # by a process that never comes to its end
    waiting.gate.close("api.biorxiv.org", LONGEST_CLOSURE.total_seconds())
    waiting.clock.turn(days=-3650)
    for host in ("rss.arxiv.org", "api.biorxiv.org"):
        with waiting.gate.turn(host):
            pass
    assert waiting.pauses == []
    free_at = held(any_installation, ARXIV).free_at
    assert free_at <= waiting.clock.now + timedelta(seconds=3)


def test_the_longest_closure_and_request_are_believed() -> None:
    assert LONGEST_CLOSURE + limit_of("arxiv.org").gap < turns.FARTHEST
    assert HELD < turns.FARTHEST


def test_a_program_that_stops_waits_for_no_turn(waiting: Waiting) -> None:
    waiting.stop.set()
    with pytest.raises(Stopped):
        waiting.gate.turn("rss.arxiv.org").__enter__()


def test_waiting_for_others_ends(any_installation: Installation, waiting: Waiting) -> None:
    """The clock stands still here: nobody ever gives back."""
    now = waiting.clock.now
    with any_installation.database.writing() as session:
        gap = timedelta(seconds=3)
        turns.take(session, ARXIV, "elsewhere|1|0|ab", now, gap=gap, held_until=now + HELD)
    pauses: list[float] = []
    gate = SharedGate(any_installation, waiting.stop, pauses.append)
    with pytest.raises(RequestFailed, match="others of this installation keep it busy"):
        gate.turn("rss.arxiv.org").__enter__()
    assert sum(pauses) < 3 * HELD.total_seconds()


TURNS = """
import json, sys, threading, time
from paperpost.service.courtesy import SharedGate
from paperpost.service.installation import open_installation
from paperpost.settings import load_settings
installation = open_installation(load_settings(secret_key="a key for tests only"))
stop = threading.Event()
gate = SharedGate(installation, stop, stop.wait)
sys.stdin.readline()
times = []
for _ in range(4):
    with gate.turn("api.openalex.org"):
        times.append([time.time(), time.sleep(0.02) or time.time()])
print(json.dumps(times))
"""


class Turn(NamedTuple):
    begun: float
    ended: float


def test_two_processes_take_turns(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERPOST_DATABASE_URL", database_url)
    command = [sys.executable, "-c", TURNS]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0] for process in running]
    taken = sorted(Turn(*one) for text in told for one in json.loads(text))
    assert len(taken) == 8
    assert all(later.begun - before.ended >= 0.1 for before, later in pairwise(taken))


def test_each_request_is_written_down_and_a_busy_host_is_left_alone_by_the_next_run(
    any_installation: Installation, clock: Clock, web: WebOnLoopback
) -> None:
    reader = with_settings(any_installation, source_mirror=web.url)
    url = "https://rss.arxiv.org/rss/cs.AI?api_key=0123456789"
    with polite_client(reader, sleep=lambda seconds: clock.turn(seconds=seconds)) as client:
        web.spring(traps.busy(503, retry_after="7"))
        client.get(url).keep()
        web.spring(traps.busy(429, retry_after="3600"))
        with pytest.raises(SourceBusy):
            client.get(url)
    with polite_client(reader) as client:
        with pytest.raises(SourceBusy):
            client.get("https://export.arxiv.org/api/query")
        assert client.get("https://api.biorxiv.org/details").body == b"papers"
    with reader.database.reading() as session:
        log = requests.newest(session, 10)
        etag, _ = requests.validators(session, log[-1].url)
    assert [(one.host, one.status, one.said) for one in reversed(log)] == [
        ("rss.arxiv.org", 503, "Retry-After: 7"),
        ("rss.arxiv.org", 200, ""),
        ("rss.arxiv.org", 429, "Retry-After: 3600"),
        ("api.biorxiv.org", 200, ""),
    ]
    assert log[-1].url == "https://rss.arxiv.org/rss/cs.AI?api_key=..."
    assert etag is None  # kept under a name that is no other key's
    assert web.asked[2].headers["If-None-Match"] == '"/rss/cs.AI"'
    assert web.at_once == 1


def test_many_clients_make_one_connection_at_a_time(
    any_installation: Installation, web: WebOnLoopback
) -> None:
    reader = with_settings(any_installation, source_mirror=web.url)

    def ask() -> None:
        with polite_client(reader) as client:
            client.get("https://rss.arxiv.org/rss/cs.AI")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(web.asked), web.at_once) == (4, 1)


def request(clock: Clock, host: str = "rss.arxiv.org", status: int | None = 200) -> Request:
    return Request(host=host, url=f"https://{host}/", asked_at=clock.now, seconds=0, status=status)


def test_old_requests_validators_and_hosts_are_forgotten(
    any_installation: Installation, clock: Clock
) -> None:
    with any_installation.database.writing() as session:
        requests.log(session, request(clock))
        requests.keep_validators(session, "https://old", '"a"', None, clock.now)
        turns.close(session, "old.example", clock.now)
    clock.turn(days=29)
    forget_old(any_installation)
    with any_installation.database.writing() as session:
        assert len(requests.newest(session, 10)) == 1
        assert requests.validators(session, "https://old") == ('"a"', None)
        requests.log(session, request(clock))
    clock.turn(days=2)
    forget_old(any_installation)
    with any_installation.database.reading() as session:
        assert len(requests.newest(session, 10)) == 1
        assert requests.validators(session, "https://old") == (None, None)
        assert turns.all_of(session) == []


def test_of_very_many_requests_the_last_are_kept(
    any_installation: Installation, clock: Clock
) -> None:
    with any_installation.database.writing() as session:
        for status in (200, 304, 429, 503):
            requests.log(session, request(clock, status=status))
        session.flush()
        requests.forget(session, clock.now - timedelta(days=30), 3)
    with any_installation.database.reading() as session:
        assert [one.status for one in requests.newest(session, 10)] == [503, 429, 304]


def test_sources_are_told_whom_to_write_to() -> None:
    assert contact(load_settings()) is None
    site = load_settings(public_url="https://papers.example.org")
    assert contact(site) == "+https://papers.example.org"
    operator = load_settings(operator="ada@example.org", public_url="https://papers.example.org")
    assert contact(operator) == "mailto:ada@example.org"
