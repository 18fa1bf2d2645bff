"""All rows of all tables as they are at one moment, while others go on writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Inspector, inspect
from sqlalchemy.types import TypeEngine

from paperpost.store.copy_text import lines
from paperpost.store.database import Database, is_of_models
from paperpost.store.errors import StoreError, clearly
from paperpost.store.postgresql import allow_pauses

VERSIONS = "alembic_version"
# Trained again from the rest.
LEFT_OUT = {"snapshot", "snapshot_part"}
ROWS_AT_ONCE = 2_000
BYTES_AT_ONCE = 1 << 18


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table: `last` is the highest number that a row of it ever had, where they are numbered,
    and `blocks` are its rows as lines (copy_text.py), some at a time, to be read once."""

    name: str
    columns: tuple[str, ...]
    last: int | None
    blocks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Dump:
    """The version of the tables, and they themselves, in an order in which none points to a later
    one; each has to be read before the next."""

    revision: str
    tables: Iterator[TableRows]


@contextmanager
def dumping(database: Database) -> Iterator[Dump]:
    """All tables as of the moment of the first look."""
    level = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    with clearly(), database.engine.connect() as plain:
        connection = plain.execution_options(**level)
        look = inspect(connection)
        names = [name for name in table_names(look) if name not in LEFT_OUT]
        connection.rollback()  # the moment is when no migration can begin any more
        if not database.is_sqlite:
            _prepare_postgresql(connection, names)
        query = f"SELECT version_num FROM {VERSIONS}"  # noqa: S608 - a name from here
        revision = connection.exec_driver_sql(query).scalar_one()
        yield Dump(revision, (_table(connection, look, name) for name in names))


def _prepare_postgresql(connection: Connection, names: list[str]) -> None:
    listed = ", ".join([VERSIONS, *(f'"{name}"' for name in names)])
    connection.exec_driver_sql(f"LOCK TABLE {listed} IN ACCESS SHARE MODE")
    allow_pauses(connection)
    for setting in ("TimeZone = 'UTC'", "DateStyle = 'ISO'", "extra_float_digits = 1"):
        connection.exec_driver_sql(f"SET LOCAL {setting}")


def table_names(look: Inspector) -> list[str]:
    """Our tables, those that point to others after them."""
    names = [name for name, _ in look.get_sorted_table_and_fkc_names() if name is not None]
    return [name for name in names if name != VERSIONS and is_of_models(name, "table", None)]


def _table(connection: Connection, look: Inspector, name: str) -> TableRows:
    types = {column["name"]: column["type"] for column in look.get_columns(name)}
    listed = ", ".join(f'"{column}"' for column in types)
    if connection.dialect.name == "sqlite":
        blocks = _from_sqlite(connection, f'SELECT {listed} FROM "{name}"', list(types.values()))  # noqa: S608
    else:
        blocks = _from_postgresql(connection, f'COPY "{name}" ({listed}) TO STDOUT')
    return TableRows(name, tuple(types), last_number(connection, look, name), blocks)


def _from_sqlite(
    connection: Connection, query: str, types: list[TypeEngine[Any]]
) -> Iterator[bytes]:
    with raw(connection) as driver:
        cursor = driver.execute(query)
        while found := cursor.fetchmany(ROWS_AT_ONCE):
            yield lines(found, types)


def _from_postgresql(connection: Connection, query: str) -> Iterator[bytes]:
    with raw(connection) as driver, driver.cursor() as cursor, cursor.copy(query) as copy:
        block = bytearray()
        for line in copy:
            block += line
            if len(block) >= BYTES_AT_ONCE:
                yield bytes(block)
                block.clear()
        if block:
            yield bytes(block)


def last_number(connection: Connection, look: Inspector, name: str) -> int | None:
    """The highest number that a row of a table ever had, as far as the database knows; None where
    its rows are not numbered by the database."""
    numbered = numbering(connection, look, name)
    if numbered is None:
        return None
    column, sequence = numbered
    found = connection.exec_driver_sql(f'SELECT max("{column}") FROM "{name}"').scalar() or 0  # noqa: S608
    if sequence is not None:
        query = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"  # noqa: S608
        kept = connection.exec_driver_sql(query).scalar()
    else:
        query = "SELECT max(seq) FROM sqlite_sequence WHERE name = ?"
        kept = connection.exec_driver_sql(query, (name,)).scalar()
    return int(max(found, kept or 0))


def numbering(connection: Connection, look: Inspector, name: str) -> tuple[str, str | None] | None:
    """The column that the database numbers rows by, and PostgreSQL's sequence for it."""
    types = {column["name"]: column["type"] for column in look.get_columns(name)}
    key = look.get_pk_constraint(name)["constrained_columns"]
    if len(key) != 1 or types[key[0]].python_type is not int:
        return None
    if connection.dialect.name == "sqlite":
        return key[0], None
    query = "SELECT pg_get_serial_sequence(quote_ident(%s), %s)"
    sequence = connection.exec_driver_sql(query, (name, key[0])).scalar()
    return None if sequence is None else (key[0], sequence)


@contextmanager
def raw(connection: Connection) -> Iterator[Any]:
    """The driver's own connection, in the same transaction; what it raises is told as StoreError,
    in one line, for the rest may quote a row."""
    try:
        yield connection.connection.driver_connection
    except connection.dialect.loaded_dbapi.Error as error:
        reason = str(error).strip().partition("\n")[0]
        raise StoreError(f"cannot use the database: {reason}") from error
