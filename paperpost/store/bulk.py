"""Very many rows at once, as fast as each database takes them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

_NUMBERS = text(
    "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :many)"
)


def new_numbers(session: Session, table: Table, how_many: int) -> Sequence[int]:
    """Numbers (`id`) for new rows of a table, in ascending order; in a transaction that writes."""
    if session.get_bind().dialect.name == "postgresql":
        values = {"name": table.name, "many": how_many}
        return session.connection().execute(_NUMBERS, values).scalars().all()
    last = session.connection().execute(select(func.max(table.c.id))).scalar() or 0
    return range(last + 1, last + 1 + how_many)


def insert_all(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same columns; what they leave out is left to the database."""
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows)
    else:
        connection.execute(insert(table), rows)


def _copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """By COPY, which takes a third of the time that as many INSERTs do."""
    from psycopg.types.json import set_json_dumps

    dialect, driver = connection.dialect, connection.connection.driver_connection
    columns = [table.c[name] for name in rows[0]]
    # Each value as an INSERT would send it.
    processors = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
    quote = dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in columns)
    statement = f"COPY {quote(table.name)} ({names}) FROM STDIN"
    base = dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor:  # type: ignore[union-attr]
            set_json_dumps(_json, cursor)
            with cursor.copy(statement) as copy:
                for row in rows:
                    values = zip(processors, row.values(), strict=True)
                    copy.write_row([value if to is None else to(value) for to, value in values])
    except base as error:
        raise DBAPIError.instance(
            statement, None, error, base, hide_parameters=True, dialect=dialect
        ) from error


def _json(value: Any) -> bytes | str:
    """In a third of the time of `json`, and shorter; half a character, which UTF-8 lacks, is
    written as `json` does."""
    try:
        return to_json(value)
    except PydanticSerializationError:
        return json.dumps(value)
