"""The clock of one process beside another one's, both turned by hand."""

import threading
from collections.abc import Iterable, Iterator

import pytest
from invented import Clock

from paperpost.engine.engine import Block, Job
from paperpost.schedule import FAILURES_TO_STAND_ASIDE, NOBODY_DOES, STAND_ASIDE, Clockwork
from paperpost.service.installation import Installation
from paperpost.store.database import Database


class OutOfReach:
    """An engine that this machine does not reach."""

    def each(
        self, installation: Installation, job: Job, blocks: Iterable[Block], stop: threading.Event
    ) -> Iterator[None]:
        raise OSError("no route to host")


@pytest.fixture
def failing(any_installation: Installation) -> Clockwork:
    """The clock of a process that cannot compose."""
    return _clockwork(any_installation, OutOfReach())


@pytest.fixture
def other(any_installation: Installation, database_url: str, clock: Clock) -> Iterator[Clockwork]:
    """The clock of another process, which can."""
    settings = any_installation.settings
    theirs = Installation(settings, Database(database_url), clock)
    yield _clockwork(theirs)
    theirs.close()


def _clockwork(installation: Installation, engine: OutOfReach | None = None) -> Clockwork:
    clockwork = Clockwork(installation, threading.Event())
    clockwork._fetched.set()
    if engine is not None:
        clockwork._engine = engine  # type: ignore[assignment]
    return clockwork


def leads(clockwork: Clockwork) -> bool:
    return not clockwork._lead.not_ours.is_set()


def fail_to_compose(clockwork: Clockwork) -> None:
    for _ in range(FAILURES_TO_STAND_ASIDE):
        clockwork._tick()


def test_who_cannot_compose_lets_another_process_try(
    failing: Clockwork, other: Clockwork, clock: Clock
) -> None:
    failing._tick()
    other._take_over()
    assert (leads(failing), leads(other)) == (True, False)
    fail_to_compose(failing)
    failing._take_over()
    assert not leads(failing)
    other._take_over()
    assert leads(other)


def test_who_stands_aside_takes_over_only_when_nobody_ticks_for_a_moment(
    failing: Clockwork, other: Clockwork, clock: Clock
) -> None:
    fail_to_compose(failing)
    other._take_over()
    clock.now += STAND_ASIDE / 2
    failing._take_over()
    other._lead.give_back()
    failing._take_over()
    assert not leads(failing)
    clock.now += NOBODY_DOES
    failing._take_over()
    assert leads(failing)


def test_who_stood_aside_for_long_enough_is_as_any_other(
    failing: Clockwork, other: Clockwork, clock: Clock
) -> None:
    fail_to_compose(failing)
    other._take_over()
    clock.now += STAND_ASIDE
    other._lead.give_back()
    failing._take_over()
    assert leads(failing)
