"""A library is changed while a source tells of its works, on PostgreSQL: the one waits for the
other, and neither is ended for it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from invented import Clock, join
from postgresql_locks import wait_until_it_waits

from paperpost.service import account, ingest, library
from paperpost.service.installation import Installation
from paperpost.service.shelf import give_way
from paperpost.settings import load_settings
from paperpost.sources.found import FoundPaper, checked
from paperpost.store import subscribers
from paperpost.store.database import Database
from paperpost.store.intake import put_all

WORK = "@misc{tides, title = {On the Tides of Large Models}, eprint = {2604.00001}}"
ADA = "ada@example.org"


@pytest.fixture
def office(postgresql_url: str, tmp_path: Path, clock: Clock) -> Iterator[Installation]:
    """Where Ada, the first subscriber, has a work in her library that no source has told."""
    settings = load_settings(
        home=tmp_path / "home", database_url=postgresql_url, secret_key=("a key for tests only",)
    )
    opened = Installation(settings, Database(postgresql_url), clock)
    join(opened, "ada")
    bring(opened)
    yield opened
    opened.close()


def bring(office: Installation) -> None:
    library.take_in(office, 1, library.read(WORK.encode(), "mine.bib"))


def take_back(office: Installation) -> None:
    library.take_back(office, 1)


def delete(office: Installation) -> None:
    account.delete(office, ADA)


@pytest.mark.parametrize(("act", "left"), [(bring, 1), (take_back, 0), (delete, 0)])
def test_who_changes_a_library_waits_without_holding_what_ingesting_needs(
    office: Installation, act: Callable[[Installation], None], left: int
) -> None:
    found = checked(
        {"id": "2604.00001", "announced": "2026-04-07", "title": "On the tides of large models"},
        source="test",
        today=date(2026, 4, 7),
    )
    assert isinstance(found, FoundPaper)
    told = ingest.records_of([found])
    with ThreadPoolExecutor(1) as pool:
        with office.database.writing() as session:
            put_all(session, told, office.clock())
            running = pool.submit(act, office)
            wait_until_it_waits(office.database, running)
            assert not running.done()
            subscribers.take_turns(session, 1)
            give_way(session, told)
        running.result(timeout=30)
    assert library.votes(office, 1) == left
