"""One database of one installation: connections, transactions, migrations.

Reading and writing are told apart from the start. SQLite cannot turn a transaction that has
read into one that writes while another process writes, so a writing one says BEGIN IMMEDIATE.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    URL,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    any_,
    create_engine,
    event,
    literal,
    make_url,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Mapped
from sqlmodel import Session, SQLModel

from paperpost.store import unfinished
from paperpost.store.errors import StoreError as StoreError
from paperpost.store.errors import clearly as clearly
from paperpost.store.locks import (
    NUMBERS,
    FileLock,
    Holder,
    Job,
    JobLock,
    SessionLock,
    holder_at,
    holder_of,
    others_of,
)
from paperpost.store.postgresql import limit_pauses, postgresql_engine, process_name
from paperpost.store.upgrading import migrate

HERE = Path(__file__).resolve().parent.parent
T = TypeVar("T")
WRITES = "paperpost_writes"
SECONDS_TO_WAIT_FOR_A_LOCK = 60
# What comes of the way to the server and of clocks that are kept right.
CLOCKS_MAY_DIFFER = timedelta(seconds=1)


def migrations_folder() -> Path:
    """`alembic/` in a checkout, `paperpost/_alembic` in a wheel."""
    return next(d for d in (HERE / "_alembic", HERE.parent / "alembic") if d.is_dir())


def _silently(_line: str) -> None:
    """For who is not told."""


class Database:
    """The store's connections. Cheap to make: nothing is opened before it is used."""

    def __init__(self, url: str, application: str = "paperpost") -> None:
        """`application` is the name that PostgreSQL shows of this process."""
        try:
            parsed = make_url(url)
            self.engine = _engine(parsed, application)
        except (ArgumentError, ImportError) as error:
            raise StoreError(f"PAPERPOST_DATABASE_URL cannot be used: {error}") from error
        except ValueError:  # it may quote a password; "@", ":" and "/" in one have to be escaped
            raise StoreError(
                "PAPERPOST_DATABASE_URL cannot be used: what stands after the host's `:` is no "
                "port (in a password `/` is written as %2F, `:` as %3A, `@` as %40)"
            ) from None
        self._writer = self.engine.execution_options(**{WRITES: True})
        self._path = Path(parsed.database) if self.is_sqlite and parsed.database else None
        self._application = application
        self._locks: dict[Job, JobLock] = {}
        # How far the server's clock was ahead of this machine's, if that is worth telling.
        self.ahead = timedelta()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a SQLite file rather than a PostgreSQL server."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads; what it gives stays usable afterwards."""
        with clearly(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that is committed at the end, or rolled back by an exception."""
        with clearly(), Session(self._writer, expire_on_commit=False) as session:
            yield session
            session.commit()

    def upgrade(self, revision: str = "head", say: Callable[[str], None] = _silently) -> None:
        """Create the tables or migrate them, beside processes that serve (upgrading.py); `say` is
        told what it waits for."""
        from alembic import command
        from alembic.util import CommandError

        def run(connection: Connection) -> None:
            command.upgrade(self._alembic(connection), revision)

        try:
            with clearly():
                migrate(self._writer, self._path, run, say)
        except CommandError as error:
            raise StoreError(f"the database cannot be upgraded by this version: {error}") from error

    def downgrade(self, revision: str) -> None:
        """Migrate back."""
        from alembic import command

        with clearly():
            migrate(
                self._writer,
                self._path,
                lambda connection: command.downgrade(self._alembic(connection), revision),
                _silently,
            )

    def difference(self) -> list[Any]:
        """What the models have and the migrated tables lack, or the other way round."""
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        from paperpost.store import tables  # noqa: F401 - registers the tables

        with self.engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "include_name": is_of_models}
            )
            return list(compare_metadata(context, SQLModel.metadata))

    def is_missing(self) -> bool:
        """Whether there is no file yet."""
        return self._path is not None and not self._path.exists()

    def require_current(self) -> None:
        """Refuse to work on tables that are missing or of another version."""
        if self.is_missing():
            raise StoreError(f"there is no database at {self._path} yet: run `paperpost upgrade`")
        wanted, found = self.head(), self.revision()
        if found is None:
            raise StoreError("the database has no tables yet: run `paperpost upgrade`")
        if self.is_half_restored():
            raise StoreError(
                "a restore of this database has not ended: if none is running, run it again"
            )
        if found == wanted:
            return
        if not self.knows(found):
            raise StoreError(
                f"the database was made by another, newer Paperpost (version {found}): "
                "install that one"
            )
        raise StoreError(
            f"the database is at version {found}, this Paperpost needs {wanted}: "
            "run `paperpost upgrade`"
        )

    def is_half_restored(self) -> bool:
        """Whether a restore has put its rows and has not ended (unfinished.py)."""
        with clearly(), self.engine.connect() as connection:
            return unfinished.is_marked(connection)

    def lock(self, job: Job) -> JobLock:
        """The right to do a job that one process at a time may do; one for each job."""
        if job not in self._locks:
            self._locks[job] = self._new_lock(job)
        return self._locks[job]

    def _new_lock(self, job: Job) -> JobLock:
        if self._path is not None:
            return FileLock(_lock_file(self._path, job), process_name(self._application))
        return SessionLock(self.engine, NUMBERS[job])

    def holder(self, job: Job) -> Holder | None:
        """Who has the right to do a job; None if nobody has."""
        if self._path is not None:
            return holder_at(_lock_file(self._path, job))
        with clearly():
            return holder_of(self.engine, NUMBERS[job])

    def others(self) -> list[str]:
        """The names of the other processes that work with a server's database; a file has none to
        tell."""
        if self.is_sqlite:
            return []
        with clearly():
            return others_of(self.engine)

    def is_pooled(self) -> bool:
        """Whether a pool such as pgbouncer stands before the server: it tells clients numbers of
        its own."""
        with clearly(), self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            return bool(number != driver.info.backend_pid)

    def compare_clocks(self) -> timedelta:
        """How far the server's clock is ahead of this machine's: for the rows of several machines
        there has to be one time, and it is the server's. A file has this machine's."""
        if not self.is_sqlite:
            with clearly(), self.engine.connect() as connection:
                before = datetime.now(UTC)
                there = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
                ahead: timedelta = there - before - (datetime.now(UTC) - before) / 2
            self.ahead = ahead if abs(ahead) > CLOCKS_MAY_DIFFER else timedelta()
        return self.ahead

    def size(self, session: Session) -> int:
        """How many bytes the store takes on disk."""
        query = "SELECT pg_database_size(current_database())"
        if self.is_sqlite:
            query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        return int(session.connection().exec_driver_sql(query).scalar_one())

    def close(self) -> None:
        """Give all locks and connections back."""
        for lock in self._locks.values():
            lock.give_back()
        self.engine.dispose()

    def _alembic(self, connection: Connection) -> Any:
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(migrations_folder()))
        config.attributes["connection"] = connection
        return config

    def head(self) -> str | None:
        """The version of the tables that this program works with."""
        from alembic.script import ScriptDirectory

        return ScriptDirectory(str(migrations_folder())).get_current_head()

    def knows(self, revision: str) -> bool:
        """Whether a version of the tables is this program's or an earlier one."""
        from alembic.script import ScriptDirectory

        scripts = ScriptDirectory(str(migrations_folder()))
        return any(script.revision == revision for script in scripts.walk_revisions())

    def revision(self) -> str | None:
        """The version that the tables are of; None if there are none."""
        from alembic.migration import MigrationContext

        with clearly(), self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()


def _lock_file(path: Path, job: Job) -> Path:
    return path.with_name(f"{path.name}.{job}")


def _engine(url: URL, application: str) -> Engine:
    if url.get_backend_name() != "sqlite":
        engine = postgresql_engine(url, application)
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    # `check_same_thread`: the pool hands a connection to one thread at a time.
    engine = create_engine(
        url,
        hide_parameters=True,  # they are rows, and rows hold addresses
        connect_args={"timeout": SECONDS_TO_WAIT_FOR_A_LOCK, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in (
        "journal_mode = WAL",  # readers and the writer do not block each other
        # A commit survives a killed process; only a power cut may take the last ones back,
        # and then a mail is marked as queued again: twice, never lost.
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def is_of_models(name: str | None, kind: str, _parents: object) -> bool:
    """Whether alembic compares what has this name with the models: not so what the database keeps
    by itself, the words to search by (words.py) and SQLite's own tables for them, and the mark of a
    restore (unfinished.py)."""
    return kind != "table" or not (name or "").startswith(("paper_words", unfinished.TABLE))


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES):
        limit_pauses(connection)


def in_chunks(values: Iterable[T], size: int = 1000) -> Iterator[list[T]]:
    """Lists of at most `size`: databases limit how many values one statement may name."""
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk


def among(session: Session, column: Mapped[Any], numbers: Collection[int]) -> ColumnElement[bool]:
    """Whether a column has one of these numbers. PostgreSQL is given them as one value: a statement
    that names each takes longer to read than to run."""
    if session.get_bind().dialect.name == "postgresql":
        return column == any_(literal(list(numbers), ARRAY(Integer)))
    return column.in_(numbers)


def printable(text: str, longest: int = 1_000) -> str:
    """A text from outside as one line that every database takes and every terminal shows."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 2 * longest])
    return " ".join(shown.split())[:longest]


def add_or_leave(
    session: Session, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows, leaving those that another process has just inserted as they are."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    session.execute(insert(table).on_conflict_do_nothing(), list(rows))


def take_turns(session: Session, table: str) -> None:
    """Let one transaction at a time write to a table (SQLite's writers take turns anyway).

    Before it holds any row: two that wait for one another would be ended by PostgreSQL. The order
    for all is: the names of papers (`paper_alias`), a subscriber, papers, votes.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
