"""Who waits for whom in a PostgreSQL database."""

from concurrent.futures import Future
from typing import Any

from sqlmodel import text

from paperpost.store.database import Database


def wait_until_it_waits(store: Database, running: Future[Any]) -> None:
    """Until what is running in the same database waits for a lock, or has ended."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while not running.done():
        with store.engine.connect() as connection:
            if connection.execute(waiting).scalar():
                return
