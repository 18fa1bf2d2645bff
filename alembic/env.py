"""Alembic's door: run by `paperpost upgrade`, or by the `alembic` command in a checkout."""

from typing import Any, Literal

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlmodel import SQLModel

from paperpost.settings import load_settings
from paperpost.store import tables  # noqa: F401 - registers the tables
from paperpost.store.database import WRITES, Database, StoreError, is_of_models
from paperpost.store.upgrading import migrating

# Migrations name the database's types, not ours: ours may change or go.
PLAIN_TYPES = {"AutoString": "sa.String()", "UtcDateTime": "sa.DateTime(timezone=True)"}


def plain_type(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """How a column's type is written into a new migration."""
    return PLAIN_TYPES.get(type(item).__name__, False) if kind == "type" else False


def migrate(connection: Connection) -> None:
    """Run what was asked for on this connection, each migration in a transaction of its own."""
    on_sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=on_sqlite,  # SQLite cannot alter columns
        compare_type=True,
        compare_server_default=True,
        include_name=is_of_models,
        render_item=plain_type,
        transaction_per_migration=True,
        transactional_ddl=True,  # SQLite's is, too
        on_version_apply=look_at_foreign_keys if on_sqlite else None,
    )
    with context.begin_transaction():
        context.run_migrations()


def look_at_foreign_keys(ctx: MigrationContext, **_step: Any) -> None:
    """Undo a migration after which rows point to nothing: SQLite was told not to look before."""
    if ctx.connection is None or ctx.connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StoreError("the migration was undone: rows would point to nothing")


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    engine = Database(load_settings().store_url).engine
    with migrating(engine.execution_options(**{WRITES: True})) as own:
        migrate(own)
