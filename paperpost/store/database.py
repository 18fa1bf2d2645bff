"""One database of one installation: connections, transactions, migrations.

Reading and writing are told apart from the start. SQLite cannot turn a transaction that has
read into one that writes while another process writes, so a writing one says BEGIN IMMEDIATE.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlmodel import Session, SQLModel

from paperpost.errors import PaperpostError

HERE = Path(__file__).resolve().parent.parent
T = TypeVar("T")
WRITES = "paperpost_writes"
SECONDS_TO_WAIT_FOR_A_LOCK = 60
Job: TypeAlias = Literal["tick", "fetch"]
# Arbitrary numbers that name their advisory locks in PostgreSQL.
LOCKS: dict[Job, int] = {"tick": 7_203_115, "fetch": 7_203_116}


class StoreError(PaperpostError):
    """The database cannot be used as it is."""


def migrations_folder() -> Path:
    """`alembic/` in a checkout, `paperpost/_alembic` in a wheel."""
    return next(d for d in (HERE / "_alembic", HERE.parent / "alembic") if d.is_dir())


class Database:
    """The store's connections. Cheap to make: nothing is opened before it is used."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            self.engine = _engine(parsed.render_as_string(hide_password=False))
        except (ArgumentError, ImportError) as error:
            raise StoreError(f"PAPERPOST_DATABASE_URL cannot be used: {error}") from error
        self._writer = self.engine.execution_options(**{WRITES: True})
        self._path = Path(parsed.database) if self.is_sqlite and parsed.database else None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a SQLite file rather than a PostgreSQL server."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads; what it gives stays usable afterwards."""
        with _clearly(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that is committed at the end, or rolled back by an exception."""
        with _clearly(), Session(self._writer, expire_on_commit=False) as session:
            yield session
            session.commit()

    def upgrade(self, revision: str = "head") -> None:
        """Create the tables or migrate them."""
        from alembic import command
        from alembic.util import CommandError

        if self._path is not None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Addresses and votes are nobody else's business on this machine.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        with self._migrating() as connection:
            try:
                command.upgrade(self._alembic(connection), revision)
            except CommandError as error:
                raise StoreError(
                    f"the database cannot be upgraded by this version: {error}"
                ) from error

    def downgrade(self, revision: str) -> None:
        """Migrate back."""
        from alembic import command

        with self._migrating() as connection:
            command.downgrade(self._alembic(connection), revision)

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

    def require_current(self) -> None:
        """Refuse to work on tables that are missing or of another version."""
        if self._path is not None and not self._path.exists():
            raise StoreError(f"there is no database at {self._path} yet: run `paperpost upgrade`")
        wanted, found = self._head(), self._revision()
        if found is None:
            raise StoreError("the database has no tables yet: run `paperpost upgrade`")
        if found == wanted:
            return
        if not self._is_known(found):
            raise StoreError(
                f"the database was made by another, newer Paperpost (version {found}): "
                "install that one"
            )
        raise StoreError(
            f"the database is at version {found}, this Paperpost needs {wanted}: "
            "run `paperpost upgrade`"
        )

    @contextmanager
    def lock(self, name: Job) -> Iterator[bool]:
        """Whether this process may do a job that one at a time may do; a dead one's lock is free at
        once."""
        take = self._flock(name) if self._path is not None else self._advisory_lock(LOCKS[name])
        with take as taken:
            yield taken

    def size(self, session: Session) -> int:
        """How many bytes the store takes on disk."""
        query = "SELECT pg_database_size(current_database())"
        if self.is_sqlite:
            query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        return int(session.connection().exec_driver_sql(query).scalar_one())

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    @contextmanager
    def _migrating(self) -> Iterator[Connection]:
        """One transaction for migrations. SQLite changes a column by making its table anew, and
        would take along what points to it: it is told to look at foreign keys at the end only."""
        with _clearly(), self._writer.connect() as connection:
            if not self.is_sqlite:
                with connection.begin():
                    yield connection
                return
            _look_at_foreign_keys(connection, "OFF")  # which only works outside a transaction
            try:
                with connection.begin():
                    yield connection
                    if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                        raise StoreError("the migration was undone: rows would point to nothing")
            finally:
                _look_at_foreign_keys(connection, "ON")

    def _alembic(self, connection: Connection) -> Any:
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(migrations_folder()))
        config.attributes["connection"] = connection
        return config

    def _head(self) -> str | None:
        from alembic.script import ScriptDirectory

        return ScriptDirectory(str(migrations_folder())).get_current_head()

    def _is_known(self, revision: str) -> bool:
        from alembic.script import ScriptDirectory

        scripts = ScriptDirectory(str(migrations_folder()))
        return any(script.revision == revision for script in scripts.walk_revisions())

    def _revision(self) -> str | None:
        from alembic.migration import MigrationContext

        with _clearly(), self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    @contextmanager
    def _flock(self, name: Job) -> Iterator[bool]:
        assert self._path is not None  # noqa: S101 - for the type checker; lock chose
        with self._path.with_name(f"{self._path.name}.{name}").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    @contextmanager
    def _advisory_lock(self, number: int) -> Iterator[bool]:
        with self.engine.connect() as connection:
            query = text("SELECT pg_try_advisory_lock(:number)")
            taken = bool(connection.execute(query, {"number": number}).scalar())
            connection.commit()  # the lock is the session's, not the transaction's
            try:
                yield taken
            finally:
                if taken:
                    release = text("SELECT pg_advisory_unlock(:number)")
                    connection.execute(release, {"number": number})
                    connection.commit()


@contextmanager
def _clearly() -> Iterator[None]:
    """Turn what a database driver says into one line for the operator."""
    try:
        yield
    except DBAPIError as error:
        # The first line: the rest may quote the values of a row, addresses among them.
        reason = str(error.orig).strip().partition("\n")[0]
        raise StoreError(f"cannot use the database: {reason}") from error


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
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
    by itself, the words to search by (words.py) and SQLite's own tables for them."""
    return kind != "table" or not (name or "").startswith("paper_words")


def _look_at_foreign_keys(connection: Connection, how: str) -> None:
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.execute(f"PRAGMA foreign_keys = {how}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def in_chunks(values: Iterable[T], size: int = 1000) -> Iterator[list[T]]:
    """Lists of at most `size`: databases limit how many values one statement may name."""
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk


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
