"""A mark in a database whose rows were restored, and which is not yet ready to work with: the
version of its tables, the key or what was due since may be missing. It comes with the rows, in one
transaction, and goes with the last step. A table that is there or is not: migrations pass over it.
"""

from sqlalchemy import Connection, inspect

TABLE = "unfinished_restore"


def mark(connection: Connection) -> None:
    """Refuse everybody but a restore, as soon as this transaction is committed."""
    connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {TABLE} (since INTEGER)")


def unmark(connection: Connection) -> None:
    """Let others work again, as soon as this transaction is committed."""
    connection.exec_driver_sql(f"DROP TABLE {TABLE}")


def is_marked(connection: Connection) -> bool:
    """Whether a restore has put its rows and has not ended."""
    return inspect(connection).has_table(TABLE)
