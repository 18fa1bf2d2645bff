"""What databases take, and we do not: looked for among the rows of a load before it is committed,
so that whoever reads them later never meets it."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.types import Date, DateTime, Float, TypeEngine

from paperpost.store.errors import StoreError

# PostgreSQL knows `infinity`, years before the first and after the last of Python's, and numbers
# that are none. SQLite keeps times as texts, which compare as times do. A time is some way from
# both ends: it is told in time zones, and waits are added to it.
_WITHIN = (
    (DateTime, "'1900-01-01 00:00:00.000000'", "'9000-01-01 00:00:00.000000'"),
    (Date, "'0001-01-01'", "'9999-12-31'"),
    (Float, "-1e300", "1e300"),
)


def require_within_limits(
    connection: Connection, table: str, types: Mapping[str, TypeEngine[Any]]
) -> None:
    """Raise StoreError if there is a time, a date or a number that Python does not have."""
    wrong = [
        f'NOT ("{column}" BETWEEN {first} AND {last})'
        for column, kind in types.items()
        for limited, first, last in _WITHIN
        if isinstance(kind, limited)
    ]
    if not wrong:
        return
    query = f'SELECT 1 FROM "{table}" WHERE {" OR ".join(wrong)} LIMIT 1'  # noqa: S608 - known names
    if connection.exec_driver_sql(query).first() is not None:
        raise StoreError(f"the backup has a time or a number in {table} that is none")


def require_among(
    connection: Connection, table: str, column: str, known: Collection[object]
) -> None:
    """Raise StoreError if a column has a value that is none of these."""
    query = f'SELECT DISTINCT "{column}" FROM "{table}"'  # noqa: S608 - known names
    for (value,) in connection.exec_driver_sql(query):
        if value not in known:
            raise StoreError(f"the backup has an unknown {column} in {table}: {str(value)[:60]!r}")
