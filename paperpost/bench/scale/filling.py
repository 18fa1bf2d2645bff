"""A database of an installation that has worked for months, row by row as it would be found."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import psycopg

from paperpost.bench.scale.copying import connected
from paperpost.bench.scale.papers import add_papers
from paperpost.bench.scale.readers import Readers
from paperpost.bench.scale.voting import Shelf, add_votes
from paperpost.bench.scale.wording import DAY, Wording, made_up_papers, topics_of
from paperpost.bench.scale.yesterday import add_digests
from paperpost.store.database import Database


@dataclass(frozen=True, slots=True)
class Library:
    """So many papers, `each_day` of them on every day up to yesterday; `now` is when somebody looks
    at them."""

    papers: int
    each_day: int
    now: datetime

    @property
    def shelf(self) -> Shelf:
        """What there is to vote on."""
        last = datetime.combine((self.now - DAY).date(), datetime.min.time(), self.now.tzinfo)
        ago = (self.papers - 1 - np.arange(self.papers)) // self.each_day
        days = np.asarray(last.timestamp() - ago * DAY.total_seconds(), dtype=np.float64)
        return Shelf(topics_of(self.papers), days)

    @property
    def of_yesterday(self) -> range:
        """The numbers of yesterday's papers."""
        return range(max(1, self.papers - self.each_day + 1), self.papers + 1)


def fill_with_papers(url: str, library: Library) -> None:
    """Make the tables of an empty database, and the papers."""
    database = Database(url)
    try:
        database.upgrade()
        with connected(database) as connection:
            topics, yesterday = topics_of(library.papers), (library.now - DAY).date()
            papers = made_up_papers(Wording.invent(), topics, 0, yesterday, library.each_day)
            add_papers(connection, papers, library.now.date())
        _tidy(database)
    finally:
        database.close()


def fill_with_readers(url: str, library: Library, mailed: int) -> tuple[int, int]:
    """Subscribers, `mailed` of whom get a digest each day, with interests, votes and the digests of
    yesterday; how many subscribers and votes there are."""
    database = Database(url)
    readers, wording = Readers(mailed, library.now), Wording.invent()
    try:
        with connected(database) as connection:
            readers.add(connection, wording)
            votes = add_votes(connection, readers, library.shelf)
            add_digests(connection, readers, wording, library.of_yesterday)
        _tidy(database)
        return readers.number, votes
    finally:
        database.close()


def _tidy(database: Database) -> None:
    """What the server does by itself within some minutes, and before anything is measured: all it
    has is on disk, and it knows what its tables are like."""
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)  # noqa: S101 - for the type checker
        driver.autocommit = True
        driver.execute("VACUUM (FREEZE, ANALYZE)")
        driver.execute("CHECKPOINT")
        driver.autocommit = False
