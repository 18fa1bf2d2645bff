"""What `status` and the operator's page say is wrong, before anybody misses a mail."""

from datetime import timedelta

import pytest
from invented import START, Clock, fill, join, with_settings

from paperpost.service import wrong as service
from paperpost.service.installation import Installation
from paperpost.service.overview import overview
from paperpost.service.standing import standings
from paperpost.service.status import status
from paperpost.service.train import train
from paperpost.store import requests

SOURCE = "arxiv:cs.LG"


@pytest.fixture
def served(any_installation: Installation) -> Installation:
    """An installation where nothing is wrong yet: papers, a model, a source just asked."""
    here = with_settings(any_installation, sources=(SOURCE,))
    fill(here, [START.date()])
    train(here)
    asked(here)
    return here


def asked(installation: Installation) -> None:
    with installation.database.writing() as session:
        requests.record_run(session, SOURCE, "ok", "12 papers", installation.clock())


def wrong(installation: Installation) -> list[str]:
    with installation.database.reading() as session:
        stand = standings(session, installation.settings, installation.clock())
    return service.wrong(installation, stand)


def told(installation: Installation) -> str:
    """The one thing that is wrong, which all places say alike."""
    (line,) = wrong(installation)
    assert line in status(installation)["wrong"]
    assert line in overview(installation)["wrong"]
    return line


def test_where_all_is_done_nothing_is_wrong(served: Installation, clock: Clock) -> None:
    join(served, "ada", "graph neural networks")
    assert wrong(served) == []
    clock.turn(hours=6, minutes=5)
    assert not [line for line in wrong(served) if SOURCE in line]


def test_a_source_that_nobody_ever_asked_is_told_at_once(served: Installation) -> None:
    line = told(with_settings(served, sources=(SOURCE, "arxiv:math.CO")))
    assert line.startswith("arxiv:math.CO was never asked: is `paperpost serve`")


def test_a_source_that_nobody_has_asked_for_hours_is_told(
    served: Installation, clock: Clock
) -> None:
    clock.turn(hours=7, minutes=1)
    line = told(served)
    assert line.startswith(f"{SOURCE} was last asked on 7 April 2026, 09:00 UTC: is `paperpost")
    asked(served)
    assert wrong(served) == []


def test_digests_that_nobody_composes_are_told_after_an_hour(
    served: Installation, clock: Clock
) -> None:
    join(served, "ada", "graph neural networks", hour=10)
    clock.turn(hours=2, minutes=10)  # with the jitter
    asked(served)
    assert told(served).startswith("digests: 1 are over an hour late: is `paperpost serve`")
    assert clock.now - START < timedelta(hours=3)


def test_papers_that_nothing_was_learnt_from_are_told(any_installation: Installation) -> None:
    here = with_settings(any_installation, sources=())
    assert told(here).startswith("no papers yet: ")
    fill(here, [START.date()])
    assert told(here).startswith("nothing was learnt from the papers yet: ")
    train(here)
    assert wrong(here) == []
