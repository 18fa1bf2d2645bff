"""What a migration does to rows that are there already, without stopping who works with them.

For migrations alone. On PostgreSQL each of these commits by itself, whatever came before it in the
migration included, and may be repeated: a migration that was killed is simply run again. None of
them locks out readers or writers. On SQLite they are parts of the migration's one transaction.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alembic import op
from sqlalchemy import Connection, text

from paperpost.store.upgrading import PATIENCE_FOR_A_TABLE

BATCH = 1_000
_IS_INVALID = text(
    "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(quote_ident(:name))"
)


def build_index(
    name: str,
    table: str,
    columns: Sequence[str],
    *,
    unique: bool = False,
    using: str = "btree",
    where: str | None = None,
    include: Sequence[str] = (),
) -> None:
    """An index. What a crash left of it (an invalid one) is removed first:
    https://www.postgresql.org/docs/current/sql-createindex.html, "Building Indexes Concurrently".
    What it is to `include` beside its columns SQLite cannot.
    """
    kind = "UNIQUE INDEX" if unique else "INDEX"
    listed = f"({', '.join(columns)})"
    if include and not _is_sqlite():
        listed += f" INCLUDE ({', '.join(include)})"
    if where:
        listed += f" WHERE {where}"
    with _beside_the_others() as connection:
        if _is_sqlite():
            connection.exec_driver_sql(f"CREATE {kind} IF NOT EXISTS {name} ON {table} {listed}")
            return
        if connection.execute(_IS_INVALID, {"name": name}).scalar():
            connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY {name}")
        connection.exec_driver_sql(
            f"CREATE {kind} CONCURRENTLY IF NOT EXISTS {name} ON {table} USING {using} {listed}"
        )


def remove_index(name: str) -> None:
    """An index that nothing needs any more."""
    how = "" if _is_sqlite() else "CONCURRENTLY "
    with _beside_the_others() as connection:
        connection.exec_driver_sql(f"DROP INDEX {how}IF EXISTS {name}")


def validate(table: str, constraint: str) -> None:
    """Look whether all rows keep a constraint that was added NOT VALID, as new rows do since."""
    with _beside_the_others() as connection:
        if not _is_sqlite():
            connection.exec_driver_sql(f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")


def fill(table: str, key: str, statement: str) -> None:
    """Run a statement for the rows of a table from `:first` to `:last` by their integer key, some
    at a time, up to the highest that is there now.

    The statement passes over what is done already, and rows that come later are seen to by what
    was made before it: a default, a trigger.
    """
    with _beside_the_others() as connection:
        ends = f"SELECT min({key}), max({key}) FROM {table}"  # noqa: S608 - names from a migration
        first, last = connection.exec_driver_sql(ends).one()
        if first is None:
            return
        step = last - first + 1 if _is_sqlite() else BATCH
        for start in range(first, last + 1, step):
            connection.execute(text(statement), {"first": start, "last": start + step - 1})


@contextmanager
def _beside_the_others() -> Iterator[Connection]:
    """PostgreSQL: each statement is a transaction, and waits for as long as it has to. None of
    these has a lock meanwhile that keeps others from reading or writing rows."""
    if _is_sqlite():
        yield op.get_bind()
        return
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        connection.exec_driver_sql("SET lock_timeout = 0")
        try:
            yield connection
        finally:
            connection.exec_driver_sql(f"SET lock_timeout = '{PATIENCE_FOR_A_TABLE}'")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
