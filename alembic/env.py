"""Alembic's door: run by `paperpost upgrade`, or by the `alembic` command in a checkout."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from paperpost.settings import load_settings
from paperpost.store import tables  # noqa: F401 - registers the tables
from paperpost.store.database import Database, is_of_models

# Migrations name the database's types, not ours: ours may change or go.
PLAIN_TYPES = {"AutoString": "sa.String()", "UtcDateTime": "sa.DateTime(timezone=True)"}


def plain_type(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """How a column's type is written into a new migration."""
    return PLAIN_TYPES.get(type(item).__name__, False) if kind == "type" else False


def migrate(connection: Connection) -> None:
    """Run what was asked for on this connection."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",  # SQLite cannot alter columns
        compare_type=True,
        compare_server_default=True,
        include_name=is_of_models,
        render_item=plain_type,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with Database(load_settings().store_url).engine.begin() as own:
        migrate(own)
