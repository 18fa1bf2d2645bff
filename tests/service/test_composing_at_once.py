"""Two processes compose neighbouring blocks at once, on PostgreSQL: neither waits for the other."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Event

import pytest
from invented import Clock, fill, join
from sqlmodel import Session, select

from paperpost.service.compose import compose_block
from paperpost.service.installation import Installation
from paperpost.service.train import train
from paperpost.settings import load_settings
from paperpost.store import subscribers
from paperpost.store.database import Database
from paperpost.store.tables import Digest, Fragment, Subscriber

DAY = date(2026, 4, 7)
NO_PATIENCE = "&options=-c%20lock_timeout%3D1s"  # to wait for a lock is to fail


class SlowToCommit(Database):
    """Waits for a sign before it commits digests."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.has_frozen, self.may_commit = Event(), Event()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with super().writing() as session:
            yield session
            if session.exec(select(Digest.id)).first() is not None:
                self.has_frozen.set()
                assert self.may_commit.wait(30)


def opened(url: str, database: Database, folder: Path, clock: Clock) -> Installation:
    settings = load_settings(home=folder, database_url=url, secret_key=("a key for tests only",))
    return Installation(settings, database, clock)


def person(installation: Installation, email: str) -> list[Subscriber]:
    with installation.database.reading() as session:
        found = subscribers.by_email(session, email)
    assert found is not None
    return [found]


@pytest.mark.parametrize("is_first_block", [True, False])
def test_neither_of_two_that_freeze_the_same_papers_waits(
    postgresql_url: str, tmp_path: Path, clock: Clock, is_first_block: bool
) -> None:
    slow = SlowToCommit(postgresql_url)
    one = opened(postgresql_url, slow, tmp_path / "home", clock)
    hasty = Database(postgresql_url + NO_PATIENCE)
    other = opened(postgresql_url, hasty, tmp_path / "home", clock)
    fill(other, [DAY])
    train(other)
    ada, ben, cleo = (join(other, name, "graph neural networks") for name in ("ada", "ben", "cleo"))
    if not is_first_block:  # the texts are stored already
        slow.may_commit.set()
        compose_block(one, person(other, cleo), DAY)
        slow.has_frozen.clear()
        slow.may_commit.clear()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(compose_block, one, person(other, ada), DAY)
        assert slow.has_frozen.wait(30)
        assert compose_block(other, person(other, ben), DAY) == {"queued": 1}
        assert not running.done()
        slow.may_commit.set()
        assert running.result(timeout=30) == {"queued": 1}
    with other.database.reading() as session:
        shown = [[item["fragment"] for item in one.items] for one in session.exec(select(Digest))]
        kept = session.exec(select(Fragment.id)).all()
    assert len(shown) == (2 if is_first_block else 3)
    assert all(set(own) == set(kept) for own in shown)
    one.close()
    other.close()
