"""How two machines tell that they work on one database, whatever each of them calls it."""

from sqlalchemy import text
from sqlmodel import Session

# Made when the server's data was, and kept by its copies; and which of its databases it is.
_NAME = text(
    "SELECT (SELECT system_identifier FROM pg_control_system()) || ' ' || oid "
    "FROM pg_database WHERE datname = current_database()"
)


def name_of_database(session: Session) -> str:
    """What no other database of PostgreSQL is called."""
    return str(session.connection().execute(_NAME).scalar_one())
