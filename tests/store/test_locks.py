"""Which process may do what one at a time does, when some are killed, frozen or thrown out."""

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from lock_holder import SILENCE
from sqlmodel import text

from paperpost.service.installation import time_of, utc_now
from paperpost.store.database import Database
from paperpost.store.locks import NUMBERS, Job, JobLock, SessionLock


@pytest.fixture
def another(database_url: str) -> Iterator[Database]:
    """The same store, as another process has it."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def shared(postgresql_url: str) -> Iterator[Database]:
    """A store that machines share."""
    opened = Database(postgresql_url, "paperpost test")
    yield opened
    opened.close()


@contextmanager
def holder(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has the lock of the tick."""
    command = [sys.executable, str(Path(__file__).with_name("lock_holder.py")), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert said(process) == "taken"
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def seconds_until_taken(lock: JobLock) -> float:
    began = time.monotonic()
    while not lock.take():
        assert time.monotonic() - began < 20, "never free"
        time.sleep(0.02)
    return time.monotonic() - began


def end_its_session(store: Database) -> None:
    """As an operator or a restart of the server does."""
    with store.writing() as session:
        held = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid = :number"
        session.execute(text(held), {"number": NUMBERS["tick"]})


def test_one_thread_of_a_process_at_a_time_does_what_one_process_may(database: Database) -> None:
    with database.lock("train").held() as first:
        with database.lock("train").held() as second:
            assert (first, second) == (True, False)
        assert not database.lock("train").not_ours.is_set()  # the second took nothing away
    with database.lock("train").held() as again:
        assert again


def test_one_process_at_a_time_has_a_lock(database: Database, another: Database) -> None:
    ours, theirs = database.lock("tick"), another.lock("tick")
    assert (ours.take(), theirs.take(), ours.take()) == (True, False, True)
    assert another.lock("fetch").take()  # which is another job
    assert (ours.not_ours.is_set(), theirs.not_ours.is_set()) == (False, True)
    ours.give_back()
    assert ours.not_ours.is_set()
    assert theirs.take()
    with ours.held() as held:
        assert not held


def test_a_lock_is_free_when_its_process_closes_the_store(
    database: Database, another: Database
) -> None:
    assert database.lock("tick").take()
    database.close()
    assert another.lock("tick").take()


def test_the_lock_of_a_killed_process_is_free_at_once(
    database: Database, database_url: str
) -> None:
    lock = database.lock("tick")
    with holder(database_url) as process:
        assert not lock.take()
        process.kill()
        process.wait()
        assert seconds_until_taken(lock) < 1


def test_a_frozen_process_loses_its_lock_and_finds_that_out(
    shared: Database, postgresql_url: str
) -> None:
    lock = shared.lock("tick")
    with holder(postgresql_url) as process:
        process.send_signal(signal.SIGSTOP)
        assert seconds_until_taken(lock) < SILENCE + 1
        process.send_signal(signal.SIGCONT)
        assert said(process) == "lost"


def test_who_holds_a_lock_and_is_alive_keeps_it(shared: Database, postgresql_url: str) -> None:
    ours = SessionLock(shared.engine, NUMBERS["tick"], silence=0.4, speak_every=0.1)
    assert ours.take()
    assert not ours.not_ours.wait(1.2)
    theirs = SessionLock(shared.engine, NUMBERS["tick"])
    assert not theirs.take()
    ours.give_back()


def test_whose_session_the_server_ends_finds_out_and_may_take_the_lock_again(
    shared: Database,
) -> None:
    lock = SessionLock(shared.engine, NUMBERS["tick"], speak_every=0.1)
    assert lock.take()
    end_its_session(shared)
    assert lock.not_ours.wait(10)
    assert lock.take()
    lock.give_back()


def test_a_lock_is_not_ours_if_the_session_is_somebody_elses(shared: Database) -> None:
    """As it is behind a pool that gives sessions away: the lock is free, and we still connected."""
    lock = SessionLock(shared.engine, NUMBERS["tick"], speak_every=0.1)
    assert lock.take()
    assert lock._session is not None
    with lock._one_speaks:
        lock._session.execute(text("SELECT pg_advisory_unlock_all()"))
    assert lock.not_ours.wait(10)


def test_it_is_told_who_holds_a_lock(database: Database, another: Database) -> None:
    assert database.holder("tick") is None
    database.lock("tick").take()
    assert not another.lock("tick").take()  # which leaves the holder's name as it is
    found = another.holder("tick")
    assert found is not None
    assert found.process.startswith(f"paperpost {os.getpid()}@")
    database.lock("tick").give_back()
    assert another.holder("tick") is None


def test_a_holder_ticks_since_it_has_the_lock_and_not_since_it_connected(
    shared: Database,
) -> None:
    with shared.reading() as session, shared.reading() as other:  # the pool keeps both connections
        other.execute(text("SELECT 1"))
        connected = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert shared.lock("tick").take()
    found = shared.holder("tick")
    assert found is not None
    assert found.since > connected
    shared.lock("tick").give_back()


def test_it_is_told_who_else_works_with_a_shared_database(
    shared: Database, postgresql_url: str
) -> None:
    assert shared.others() == []
    other = Database(postgresql_url, "paperpost serve")
    with other.reading() as session:
        session.execute(text("SELECT 1"))
    assert shared.others() == [f"paperpost serve {os.getpid()}@{platform.node()}"]
    other.close()


def test_each_lock_has_a_number_of_its_own() -> None:
    assert set(NUMBERS) == set(get_args(Job))
    assert len(set(NUMBERS.values())) == len(NUMBERS)


def test_what_a_writer_holds_comes_free_if_it_does_not_go_on(shared: Database) -> None:
    pause = text("SHOW idle_in_transaction_session_timeout")
    with shared.writing() as session:
        assert session.execute(pause).scalar() == "45s"
    with shared.reading() as session:  # it holds nobody up, and may reckon for long
        assert session.execute(pause).scalar() == "30min"
        assert session.execute(text("SHOW lock_timeout")).scalar() == "1min"


def test_what_the_address_says_comes_before_what_we_would_choose(postgresql_url: str) -> None:
    words = "options=-c%20lock_timeout%3D5s&application_name=mine&connect_timeout=3"
    store = Database(f"{postgresql_url}&{words}")
    with store.reading() as session:
        assert session.execute(text("SHOW lock_timeout")).scalar() == "5s"
        assert session.execute(text("SHOW application_name")).scalar() == "mine"
    store.close()


def test_the_time_is_the_servers(shared: Database, postgresql_url: str) -> None:
    """Of a server whose clock is a minute ahead: here it is one of its functions."""
    with shared.writing() as session:
        ahead = "SELECT pg_catalog.clock_timestamp() + interval '1 minute'"
        session.execute(
            text(f"CREATE FUNCTION clock_timestamp() RETURNS timestamptz RETURN ({ahead})")
        )
    other = Database(f"{postgresql_url}&options=-c%20search_path%3Dpublic,pg_catalog")
    tell = time_of(other)
    assert tell() - utc_now() < timedelta(seconds=1)
    assert timedelta(seconds=59) < other.compare_clocks() < timedelta(seconds=61)
    assert timedelta(seconds=59) < tell() - utc_now() < timedelta(seconds=61)
    other.close()


def test_clocks_that_hardly_differ_are_taken_for_one(database: Database) -> None:
    assert database.compare_clocks() == timedelta()
