"""Where a test's database comes from: a SQLite file in its home, or a PostgreSQL server of ours.

`pytest --store postgresql` has every test that runs on one database run on PostgreSQL.
"""

import os
import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

from postgresql_server import database_of, run_sql
from sqlalchemy import make_url
from sqlmodel import SQLModel

from paperpost.store import tables  # noqa: F401 - registers the tables
from paperpost.store.database import Database

TEMPLATE = "template_paperpost"
_numbers = count()


class Stores(Protocol):
    """Makes databases."""

    def make(self, home: Path, like: str | None = None) -> str:
        """The URL of a copy of the database `like`, which nobody has open, or of a migrated, empty
        one; a file lies in the home, which is made if need be."""

    def make_bare(self, home: Path) -> str:
        """The URL of a database that has not been migrated yet."""

    def drop(self, url: str) -> None:
        """Remove a database, whoever has it open."""


@dataclass(frozen=True)
class SqliteStores:
    """Files, which go with the homes they lie in."""

    template: Path

    def make(self, home: Path, like: str | None = None) -> str:
        url = self.make_bare(home)
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(_path(like) if like else self.template, _path(url))
        return url

    def make_bare(self, home: Path) -> str:
        return f"sqlite:///{home / 'paperpost.db'}"

    def drop(self, url: str) -> None:
        pass


@dataclass(frozen=True)
class PostgresqlStores:
    """Databases of one server, which has the migrated one to copy."""

    server_url: str

    def make(self, home: Path, like: str | None = None) -> str:
        return self._create(f"TEMPLATE {make_url(like).database if like else TEMPLATE}")

    def make_bare(self, home: Path) -> str:
        return self._create()

    def drop(self, url: str) -> None:
        run_sql(self.server_url, f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _create(self, options: str = "") -> str:
        name = f"test{os.getpid()}_{next(_numbers)}"
        run_sql(self.server_url, f"CREATE DATABASE {name} {options}")
        return database_of(self.server_url, name)


def _path(url: str) -> str:
    path = make_url(url).database
    assert path is not None
    return path


def everything(database: Database) -> list[str]:
    """All rows of all tables, as text."""
    with database.engine.connect() as connection:
        return [
            f"{table.name} {row!r}"
            for table in SQLModel.metadata.sorted_tables
            for row in sorted(map(repr, connection.execute(table.select())))
        ]
