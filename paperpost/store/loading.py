"""All rows of all tables put into a database that nobody else works with, in one transaction."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alembic.migration import MigrationContext
from sqlalchemy import Connection, Inspector, inspect, text
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

from paperpost.store import unfinished
from paperpost.store.copy_text import NotARow, rows
from paperpost.store.database import WRITES, Database, StoreError
from paperpost.store.dumping import (
    LEFT_OUT,
    VERSIONS,
    TableRows,
    last_number,
    numbering,
    raw,
    table_names,
)
from paperpost.store.errors import clearly
from paperpost.store.load_checks import require_among, require_within_limits

_IN_USE = "somebody else works with the database{who}: stop every `serve` and `work` first"


def is_empty(database: Database) -> bool:
    """Whether there are no rows, or no tables."""
    with clearly(), database.engine.connect() as connection:
        tables = table_names(inspect(connection))
        query = " UNION ALL ".join(f'SELECT 1 WHERE EXISTS (SELECT 1 FROM "{t}")' for t in tables)  # noqa: S608
        return not tables or connection.exec_driver_sql(query).first() is None


def require_nobody_else(database: Database) -> None:
    """Raise StoreError while another process has the database open."""
    with _alone(database):
        pass


def empty(database: Database) -> None:
    """Remove all rows."""
    with _alone(database) as connection:
        _remove_rows(connection, table_names(inspect(connection)))
        connection.commit()


@contextmanager
def loading(database: Database, revision: str) -> Iterator["Load"]:
    """A load in place of all rows that are there, into tables of this version. It is committed at
    the end, with the mark of a restore that has not ended (unfinished.py), or undone by an
    exception: what was there is then there still."""
    with _alone(database) as connection:
        if MigrationContext.configure(connection).get_current_revision() != revision:
            raise StoreError("somebody else has changed the tables meanwhile: run this again")
        look = inspect(connection)
        tables = table_names(look)
        _remove_rows(connection, tables)
        yield Load(connection, look, frozenset(tables) - LEFT_OUT)
        unfinished.mark(connection)
        connection.commit()


@dataclass
class Load:
    """Where rows go: `put_all` the tables, then look at them, and do to them what is to be done
    before anybody sees them."""

    connection: Connection
    look: Inspector
    tables: frozenset[str]

    def __post_init__(self) -> None:
        self._last: dict[str, int] = {}

    def put_all(self, tables: Iterable[TableRows]) -> None:
        """Add the rows of all tables; raises StoreError if they are not of these."""
        found = set()
        with _without_indexes(self.connection):
            for table in tables:
                self._put(table)
                found.add(table.name)
        if missing := sorted(self.tables - found):
            raise StoreError(f"the backup lacks what should be in {', '.join(missing)}")
        self._number_on()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session in this transaction, which stays open at its end."""
        with Session(self.connection, expire_on_commit=False) as session:
            yield session
            session.commit()  # sent to the database; whether it stays is told by the load's end

    def _put(self, table: TableRows) -> None:
        if table.name not in self.tables:
            raise StoreError(f"the backup has a table that this database has not: {table.name!r}")
        types = self._types(table.name)
        if sorted(types) != sorted(table.columns):
            raise StoreError(f"the backup has other columns of {table.name} than this database")
        listed = ", ".join(f'"{column}"' for column in table.columns)
        if self.connection.dialect.name == "sqlite":
            self._put_in_sqlite(table, listed, [types[column] for column in table.columns])
        else:
            self._put_in_postgresql(table, listed)
        require_within_limits(self.connection, table.name, types)
        if table.last is not None:
            self._last[table.name] = table.last

    def _types(self, table: str) -> Mapping[str, TypeEngine[Any]]:
        return {column["name"]: column["type"] for column in self.look.get_columns(table)}

    def _put_in_sqlite(
        self, table: TableRows, listed: str, types: Sequence[TypeEngine[Any]]
    ) -> None:
        marks = ", ".join("?" * len(types))
        insert = f'INSERT INTO "{table.name}" ({listed}) VALUES ({marks})'  # noqa: S608 - known names
        try:
            with raw(self.connection) as driver:
                for block in table.blocks:
                    driver.executemany(insert, rows(block, types))
        except NotARow as error:
            raise StoreError(f"the backup has a row of {table.name} that is none") from error

    def _put_in_postgresql(self, table: TableRows, listed: str) -> None:
        with (
            raw(self.connection) as driver,
            driver.cursor() as cursor,
            cursor.copy(f'COPY "{table.name}" ({listed}) FROM STDIN') as copy,
        ):
            for block in table.blocks:
                copy.write(block)

    def execute(self, statement: str, **values: object) -> int:
        """Run a statement; how many rows it changed."""
        return self.connection.execute(text(statement), values).rowcount

    def require_among(self, table: str, column: str, known: Collection[object]) -> None:
        """Raise StoreError if a column, where this version has it, has any other value."""
        if table in self.tables and column in self._types(table):
            require_among(self.connection, table, column, known)

    def _number_on(self) -> None:
        """Let new rows get numbers that no row ever had: a link in an old mail never reaches a
        stranger."""
        for name, last in self._last.items():
            numbered = numbering(self.connection, self.look, name)
            highest = max(last, last_number(self.connection, self.look, name) or 0)
            if numbered is None or not highest:
                continue
            if numbered[1] is not None:
                # Not by setval(), which stays when the rest is undone.
                self.connection.exec_driver_sql(
                    f"ALTER SEQUENCE {numbered[1]} RESTART WITH {highest + 1}"
                )
            elif _is_autoincremented(self.connection, name):
                for statement in (
                    "DELETE FROM sqlite_sequence WHERE name = :name",
                    "INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :highest)",
                ):
                    self.execute(statement, name=name, highest=highest)


def _is_autoincremented(connection: Connection, name: str) -> bool:
    query = "SELECT sql LIKE '%AUTOINCREMENT%' FROM sqlite_master WHERE type = 'table' AND name = ?"
    return bool(connection.exec_driver_sql(query, (name,)).scalar())


def _remove_rows(connection: Connection, tables: Sequence[str]) -> None:
    if connection.dialect.name == "sqlite":
        for name in reversed(tables):
            connection.exec_driver_sql(f'DELETE FROM "{name}"')  # noqa: S608 - known names
        return
    listed = ", ".join(f'"{name}"' for name in tables)
    connection.exec_driver_sql(f"TRUNCATE {listed} CASCADE")  # and the words of papers


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """A transaction on a database that no other process has open."""
    database.close()  # ours, too
    take = _alone_on_sqlite if database.is_sqlite else _alone_on_postgresql
    engine = database.engine.execution_options(**{WRITES: True})
    with clearly(), engine.connect() as connection:
        take(connection)
        try:
            yield connection
        finally:
            connection.rollback()
            connection.invalidate()


def _alone_on_sqlite(connection: Connection) -> None:
    """SQLite leaves its write-ahead log only for who has the file alone
    (https://sqlite.org/wal.html); the next one who opens it begins one again."""
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - for the type checker; it was just opened
    driver.execute("PRAGMA busy_timeout = 1000")
    try:
        driver.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        raise StoreError(_IN_USE.format(who="")) from error
    driver.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.begin()


def _alone_on_postgresql(connection: Connection) -> None:
    """Whoever comes after our second look waits for the version of the tables, and then finds what
    we have left."""
    _require_no_others(connection)
    if inspect(connection).has_table(VERSIONS):
        connection.exec_driver_sql(f"LOCK TABLE {VERSIONS} IN ACCESS EXCLUSIVE MODE")
        _require_no_others(connection)
    for setting in ("TimeZone = 'UTC'", "DateStyle = 'ISO'"):
        connection.exec_driver_sql(f"SET LOCAL {setting}")


def _require_no_others(connection: Connection) -> None:
    others = text(
        "SELECT DISTINCT coalesce(nullif(application_name, ''), usename) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    if found := sorted(connection.execute(others).scalars()):
        raise StoreError(_IN_USE.format(who=f" ({', '.join(found)})"))


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    """PostgreSQL: foreign keys and indexes are made again when the rows are there, in a third of
    the time, and in little memory: it would keep a note of each row until it has looked where the
    row points to."""
    if connection.dialect.name == "sqlite":
        yield
        return
    keys = connection.exec_driver_sql(_FOREIGN_KEYS).all()
    indexes = connection.exec_driver_sql(_INDEXES).all()
    for table, name, _ in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    yield
    connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
    for _, definition in indexes:
        connection.exec_driver_sql(definition)
    for table, name, definition in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


_FOREIGN_KEYS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
ORDER BY conname
"""
# Those that are no constraint's.
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = current_schema()::regnamespace
AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
ORDER BY 1
"""
