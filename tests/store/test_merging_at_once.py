"""Papers are merged while somebody writes what points to them, on PostgreSQL: nothing is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from invented import START, Invented, arrival
from postgresql_locks import wait_until_it_waits
from sqlmodel import Session, select

from paperpost.store import library, merging, subscribers, votes
from paperpost.store.database import Database
from paperpost.store.intake import put_all
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Paper, Subscriber, Vote

ONE = arrival(Invented("2604.00001", "graph", date(2026, 4, 7)))
OTHER = replace(ONE, name="doi:10.1234/abc", title_keys=("hf:other",))
BRIDGE = replace(ONE, version=2, also=(OTHER.name,))


@pytest.fixture
def store(postgresql_url: str) -> Iterator[Database]:
    """Two papers that are one, and a subscriber with the number 1."""
    opened = Database(postgresql_url)
    with opened.writing() as session:
        put_all(session, [ONE, OTHER], START)
        subscribers.add(session, Subscriber(email="a@example.org", state="active", joined_at=START))
    yield opened
    opened.close()


def merge(session: Session) -> None:
    put_all(session, [BRIDGE], START)


def vote(session: Session) -> None:
    """On the paper whose row is given up."""
    person = subscribers.by_email(session, "a@example.org")
    assert person is not None
    later = START + timedelta(minutes=1)
    votes.cast(session, id_of(person), 2, 1, origin="link", now=later, counts_at=later)


def collect(session: Session) -> None:
    """A library that has the paper whose row is given up."""
    person = subscribers.by_email(session, "a@example.org")
    assert person is not None
    library.cast(session, id_of(person), {2: START}, START)


def run(store: Database, act: Callable[[Session], None]) -> None:
    with store.writing() as session:
        act(session)


@pytest.mark.parametrize(
    ("first", "second"), [(merge, vote), (vote, merge), (merge, collect), (collect, merge)]
)
def test_a_vote_and_a_merger_at_the_same_moment_are_both_kept(
    store: Database, first: Callable[[Session], None], second: Callable[[Session], None]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with store.writing() as session:
            first(session)
            session.flush()
            running = pool.submit(run, store, second)
            wait_until_it_waits(store, running)
            assert not running.done()
        running.result(timeout=30)
    with store.reading() as session:
        (paper,) = session.exec(select(Paper))
        (cast,) = session.exec(select(Vote))
        assert cast.paper_number == number_of(paper) == 1
        assert merging.successors(session, [1, 2]) == {2: 1}
