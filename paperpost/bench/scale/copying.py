"""Very many rows at once: PostgreSQL's COPY, with indexes and references made after the rows, as
`pg_restore` does."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql

from paperpost.store.database import Database

# Of PostgreSQL's binary format: its first 19 bytes, and its last two.
# https://www.postgresql.org/docs/current/sql-copy.html
_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TAIL = b"\xff\xff"
_ROWS_AT_ONCE = 20_000

Connection = psycopg.Connection[tuple[Any, ...]]


@contextmanager
def connected(database: Database) -> Iterator[Connection]:
    """The driver's own connection, in one transaction."""
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)  # noqa: S101 - for the type checker
        with driver.transaction():
            yield driver


@contextmanager
def indexes_afterwards(connection: Connection, tables: Sequence[str]) -> Iterator[None]:
    """While rows come in, these tables have no indexes but those of their keys and refer to no
    others; then all of it is made again, and checked."""
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique",
        [list(tables)],
    ).fetchall()
    references = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = ANY(%s::regclass[]) AND contype = 'f'",
        [list(tables)],
    ).fetchall()
    for table, name, _ in references:
        connection.execute(_raw(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    for name, _ in indexes:
        connection.execute(_raw(f"DROP INDEX {name}"))
    yield
    for _, definition in indexes:
        connection.execute(_raw(definition))
    for table, name, definition in references:
        connection.execute(_raw(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"))


def copy_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Rows of anything that has a text; None is NULL."""
    statement = _copy(table, columns, sql.SQL(""))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in _in_blocks(rows):
            copy.write("".join(block))


def _in_blocks(rows: Iterable[Sequence[object]]) -> Iterator[list[str]]:
    block: list[str] = []
    for row in rows:
        block.append("\t".join(map(_as_text, row)) + "\n")
        if len(block) == _ROWS_AT_ONCE:
            yield block
            block = []
    yield block


def _as_text(value: object) -> str:
    if value is None:
        return r"\N"
    text = str(value).replace("\\", r"\\")
    return text.replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


def copy_records(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    blocks: Iterable[npt.NDArray[np.void]],
) -> None:
    """Rows of one width, as `record_type` lays them out."""
    statement = _copy(table, columns, sql.SQL("WITH (FORMAT binary)"))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEAD)
        for block in blocks:
            copy.write(block.tobytes())
        copy.write(_TAIL)


def record_type(columns: Sequence[tuple[str, str]]) -> np.dtype[np.void]:
    """Rows in PostgreSQL's binary format, of columns with numpy's types (`>i4`, `S4`; "" for NULL):
    how many columns, then of each its size and its value."""
    fields = [("columns", ">i2")]
    for name, kind in columns:
        fields.append((f"size of {name}", ">i4"))
        if kind:
            fields.append((name, kind))
    return np.dtype(fields)


def records(columns: Sequence[tuple[str, str]], rows: int) -> npt.NDArray[np.void]:
    """So many rows, to be filled with values."""
    made = np.zeros(rows, record_type(columns))
    made["columns"] = len(columns)
    for name, kind in columns:
        made[f"size of {name}"] = np.dtype(kind).itemsize if kind else -1
    return made


def number_after(connection: Connection, table: str, column: str) -> None:
    """Let the next row get the number after the greatest there is."""
    connection.execute(
        _raw(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), "  # noqa: S608
            f"(SELECT coalesce(max({column}), 1) FROM {table}))"
        )
    )


def _copy(table: str, columns: Sequence[str], how: sql.SQL) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN {}").format(sql.Identifier(table), names, how)


def _raw(statement: str) -> sql.SQL:
    """A statement of names that the database itself gave, or that stand in this package."""
    return sql.SQL(statement)
