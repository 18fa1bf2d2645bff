"""A process that is frozen in the middle of a transaction, on PostgreSQL, where rows are locked
one by one."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from invented import Clock, fill, join
from sqlmodel import col, select

from paperpost.engine.runs import compose_all_of
from paperpost.service.deliver import StoreOutbox, send
from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.store.database import Database
from paperpost.store.tables import Delivery

DAY = date(2026, 4, 7)
NO_PATIENCE = "&options=-c%20lock_timeout%3D1s"  # to wait for a lock is to fail


@pytest.fixture
def office(postgresql_url: str, tmp_path: Path, clock: Clock) -> Iterator[Installation]:
    settings = load_settings(
        home=tmp_path / "home", database_url=postgresql_url, secret_key=("a key for tests only",)
    )
    opened = Installation(settings, Database(postgresql_url + NO_PATIENCE), clock)
    yield opened
    opened.close()


def test_who_is_frozen_in_a_transaction_keeps_nobody_else_from_sending(
    office: Installation, clock: Clock
) -> None:
    fill(office, [DAY])
    for name in ("ada", "ben", "cleo"):
        join(office, name, "graph neural networks", size=3)
    compose_all_of(office, DAY)
    StoreOutbox(office, lease="elsewhere|1|0.0|x").claim(clock(), 2)
    clock.turn(seconds=31)
    with office.database.writing() as frozen:
        leased = select(Delivery.id).where(col(Delivery.lease).is_not(None)).limit(1)
        assert frozen.exec(leased.with_for_update()).all()
        assert send(office, patient=False).sent == 2
    assert send(office, patient=False).sent == 1
