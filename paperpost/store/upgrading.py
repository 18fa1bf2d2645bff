"""Running migrations beside processes that serve.

PostgreSQL: each migration is a transaction of its own. A statement that waits for a table makes
everybody wait who comes after it, so it gives up after half a second, and the migration is begun
again a little later (the last one that ended is where it goes on). That is also less than the
second after which PostgreSQL ends one of two that wait for each other (`deadlock_timeout`): it is
us who step back, never somebody's vote.

SQLite: a migration is a writing transaction. Readers go on, writers wait for it.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from paperpost.store.locks import NUMBERS, FileLock, Holder, holder_at, holder_of
from paperpost.store.postgresql import process_name

PATIENCE_FOR_A_TABLE = "500ms"
ATTEMPTS = 200
PAUSE_SECONDS = 1.5
# https://www.postgresql.org/docs/current/errcodes-appendix.html: lock_not_available (what
# `lock_timeout` raises), deadlock_detected.
_STEPPED_BACK = {"55P03", "40P01"}


def migrate(
    engine: Engine,
    path: Path | None,
    command: Callable[[Connection], None],
    say: Callable[[str], None],
) -> None:
    """Run an alembic command on a connection of its own; `path` is the SQLite file.

    Waits for another process that migrates, and begins again where somebody was in the way; `say`
    is told once what it waits for.
    """
    with _alone_at(path, say) if path is not None else nullcontext():
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with migrating(engine, say) as connection:
                    command(connection)
                return
            except PendingRollbackError as error:  # alembic's, of a connection that has broken
                raise _cause(error) from error
            except DBAPIError as error:
                if _state(error) not in _STEPPED_BACK or attempt == ATTEMPTS:
                    raise
                if attempt == 1:
                    say("waiting for a table that others use")
            time.sleep(PAUSE_SECONDS)


@contextmanager
def migrating(engine: Engine, say: Callable[[str], None]) -> Iterator[Connection]:
    """A connection for migrations, which they begin and commit transactions on."""
    with engine.connect() as connection:
        try:
            if engine.dialect.name == "sqlite":
                _prepare_sqlite(connection)
            else:
                _prepare_postgresql(connection, say)
            yield connection
        finally:
            connection.invalidate()  # what was set on it, and the lock, end with it


def _prepare_sqlite(connection: Connection) -> None:
    """SQLite changes a column by making its table anew, and would take along what points to it: it
    is told to look at foreign keys at the end only (alembic/env.py)."""
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - for the type checker; it was just opened
    driver.execute("PRAGMA foreign_keys = OFF")  # which only works outside a transaction


def _prepare_postgresql(connection: Connection, say: Callable[[str], None]) -> None:
    # Looked at now and then: who waits for a lock in a statement has a snapshot, and to build an
    # index beside writers is to wait for all older snapshots.
    take = text("SELECT pg_try_advisory_lock(:number)")
    number = NUMBERS["upgrade"]

    def is_taken() -> bool:
        taken = bool(connection.execute(take, {"number": number}).scalar())
        connection.rollback()  # which leaves the session's lock
        return taken

    _wait_until(is_taken, lambda: holder_of(connection.engine, number), say)
    connection.exec_driver_sql(f"SET lock_timeout = '{PATIENCE_FOR_A_TABLE}'")
    connection.commit()


def _wait_until(
    is_taken: Callable[[], bool], holder: Callable[[], Holder | None], say: Callable[[str], None]
) -> None:
    told = False
    while not is_taken():
        if not told:
            other = holder()
            say(f"waiting for {other.process if other else 'another process'}, which upgrades")
            told = True
        time.sleep(PAUSE_SECONDS)


def _cause(error: BaseException) -> BaseException:
    """What went wrong before an error that only says that nothing goes any more."""
    while error.__context__ is not None and not isinstance(error, DBAPIError):
        error = error.__context__
    return error


def _state(error: DBAPIError) -> Any:
    return getattr(error.orig, "sqlstate", None)


@contextmanager
def _alone_at(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Make the file, which nobody else on this machine may read, and wait for our turn with it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    file = path.with_name(f"{path.name}.upgrade")
    lock = FileLock(file, process_name("paperpost"))
    _wait_until(lock.take, lambda: holder_at(file), say)
    try:
        yield
    finally:
        lock.give_back()
