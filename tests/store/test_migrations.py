"""Migrations: both ways, on both databases, and in step with the models."""

from pathlib import Path

import pytest
from sqlalchemy import inspect

from paperpost.store.database import Database, StoreError, migrations_folder


def test_models_and_migrations_agree(database: Database) -> None:
    assert database.difference() == []


def test_the_way_back_removes_every_table_and_forward_again_restores_them(
    database: Database,
) -> None:
    before = set(inspect(database.engine).get_table_names())
    database.downgrade("base")
    assert set(inspect(database.engine).get_table_names()) == {"alembic_version"}
    database.upgrade()
    assert set(inspect(database.engine).get_table_names()) == before


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    database.upgrade()
    database.require_current()


def test_a_missing_database_asks_for_an_upgrade(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="run `paperpost upgrade`"):
        Database(f"sqlite:///{tmp_path / 'none.db'}").require_current()


def test_tables_of_another_version_are_refused(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'other'")
    with pytest.raises(StoreError, match="another, newer Paperpost"):
        database.require_current()


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="not a database") as error:
        Database(f"sqlite:///{path}").require_current()
    assert "\n" not in str(error.value)


def test_the_migrations_folder_does_not_hide_the_library() -> None:
    # With an __init__.py in it, `import alembic` in a checkout would find our folder.
    assert not list(migrations_folder().rglob("__init__.py"))
    import alembic.command

    assert "site-packages" in str(alembic.command.__file__)


def test_sqlite_keeps_foreign_keys_and_a_write_ahead_log(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.close()


def test_a_server_that_is_not_there_is_one_clear_line() -> None:
    pytest.importorskip("psycopg")
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=2")
    with pytest.raises(StoreError, match="cannot use the database"):
        database.require_current()
