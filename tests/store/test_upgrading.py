"""Migrations of full tables, beside processes of the version before that go on working."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from postgresql_locks import wait_until_it_waits
from sqlalchemy import Connection, event, text

from paperpost.store.database import Database, StoreError
from paperpost.store.postgresql import process_name

NO_PATIENCE = "&options=-c%20lock_timeout%3D1s"  # to wait for a lock for longer is to fail
PAPERS = 2_500
BEFORE = "2026-04-01 00:00:00+00"
# Locks and indexes are what is looked for: not how numbers are made, nor that a statement may be
# repeated, which is what a transaction, or `paperpost/store/migrating.py`, is for.
RULES = (
    "ban-drop-constraint",
    "ban-drop-not-null",
    "prefer-bigint-over-int",
    "prefer-identity",
    "prefer-robust-stmts",
    "require-statement-timeout",
)


@pytest.fixture
def older(postgresql_url: str) -> Iterator[Database]:
    """A database of version 0004 with papers and a reader; to be patient there is to fail."""
    migrated = Database(postgresql_url)
    migrated.downgrade("0004")
    migrated.close()
    opened = Database(postgresql_url + NO_PATIENCE)
    with opened.engine.begin() as connection:
        connection.execute(text(_PAPERS), {"first": 1, "last": PAPERS})
        connection.exec_driver_sql(_SUBSCRIBER.format(email="ada@example.org"))
    yield opened
    opened.close()


_PAPERS = (
    "INSERT INTO paper (number, id, title, abstract, authors, categories, announced, source, "
    "added_at, changed_at) SELECT n, '2604.' || n, 'Geese ' || n, 'Birds of a feather.', "
    f"'[\"Ada\"]', '[\"cs.LG\"]', '2026-04-01', 'file', '{BEFORE}', '{BEFORE}' "
    "FROM generate_series(cast(:first AS int), cast(:last AS int)) AS n"
)
_SUBSCRIBER = (
    "INSERT INTO subscriber (email, state, timezone, hour, size, frequency, joined_at, "
    "digest_count) VALUES ('{email}', 'active', 'UTC', 8, 10, 'daily', now(), 0)"
)
# What the version before does all day: somebody subscribes, votes, is mailed; papers come, change
# and go.
_DAILY = (
    _SUBSCRIBER.format(email="ben@example.org"),
    "INSERT INTO interest (subscriber_id, kind, value) VALUES (1, 'keyword', 'geese')",
    "INSERT INTO vote (subscriber_id, paper_number, value, origin, cast_at, counts_at) "
    "VALUES (1, 2, 1, 'mail', now(), now())",
    "INSERT INTO delivery (id, kind, subscriber_id, local_date, state, created_at, due_at, "
    "expires_at, attempts, message_id, reply) "
    "VALUES (5, 'digest', 1, '2026-04-01', 'queued', now(), now(), now(), 0, '<5@x>', '')",
    "INSERT INTO digest (subscriber_id, local_date, delivery_id, composed_at, template_version, "
    "frequency, why, considered, newest_paper, items) "
    "VALUES (1, '2026-04-01', 5, now(), 'v', 'daily', '', 1, 1, '[]')",
    "UPDATE subscriber SET digest_count = digest_count + 1 WHERE id = 1",
    "INSERT INTO paper (number, id, title, abstract, authors, categories, announced, source, "
    "added_at, changed_at) VALUES (9000, '2604.9000', 'Swans', '', '[]', '[]', '2026-04-01', "
    "'file', now(), now())",
    "UPDATE paper SET title = 'Cranes' WHERE number IN (3, 2400)",
    "DELETE FROM paper WHERE number IN (4, 2401)",
    "SELECT count(*) FROM paper, subscriber, interest, vote, digest, delivery",
)


def _a_day(store: Database) -> None:
    for statement in _DAILY:
        with store.engine.begin() as connection:
            connection.exec_driver_sql(statement)


def _begun(store: Database, work: Callable[[], None]) -> Future[None]:
    """Work that has begun beside us, and waits for a lock, or has ended."""
    pool = ThreadPoolExecutor(1)
    running = pool.submit(work)
    pool.shutdown(wait=False)
    wait_until_it_waits(store, running)
    return running


def _upgrade(url: str) -> None:
    database = Database(url)
    database.upgrade()
    database.close()


def _found(connection: Connection, word: str) -> list[int]:
    query = "SELECT paper_number FROM paper_words WHERE words @@ to_tsquery('english', :word)"
    return sorted(connection.execute(text(query), {"word": word}).scalars())


def test_nobody_waits_while_the_words_of_all_papers_are_taken_in(
    older: Database, postgresql_url: str
) -> None:
    with older.engine.connect() as holder:
        # In the middle of them.
        holder.exec_driver_sql("SELECT 1 FROM paper WHERE number = 1500 FOR UPDATE")
        running = _begun(older, lambda: _upgrade(postgresql_url))
        assert not running.done()
        _a_day(older)
    running.result(60)
    older.require_current()
    with older.engine.connect() as connection:
        assert _found(connection, "swan") == [9000]
        assert _found(connection, "crane") == [3, 2400]
        assert _found(connection, "geese") == sorted({*range(1, PAPERS + 1)} - {3, 4, 2400, 2401})


def test_nobody_waits_while_an_index_is_built(older: Database, postgresql_url: str) -> None:
    with older.engine.connect() as holder:
        # An index is whole only when everybody has ended who saw the table without it.
        holder.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.exec_driver_sql("SELECT 1 FROM pg_class")
        running = _begun(older, lambda: _upgrade(postgresql_url))
        assert not running.done()
        _a_day(older)
    running.result(60)
    assert older.difference() == []


def test_a_table_that_is_in_use_for_long_is_asked_for_again_without_stopping_the_others(
    older: Database, postgresql_url: str
) -> None:
    with older.engine.connect() as holder:
        holder.exec_driver_sql("SELECT count(*) FROM subscriber")  # a backup may take an hour
        running = _begun(older, lambda: _upgrade(postgresql_url))
        assert not running.done()
        for _ in range(3):  # each would wait behind the one who waits for the table
            with older.engine.begin() as connection:
                connection.exec_driver_sql("UPDATE subscriber SET hour = 9")
    running.result(60)
    older.require_current()


def test_an_upgrade_that_was_killed_goes_on_where_it_was(
    older: Database, postgresql_url: str
) -> None:
    with older.engine.connect() as holder:
        holder.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.exec_driver_sql("SELECT 1 FROM pg_class")
        running = _begun(older, lambda: _upgrade(postgresql_url))
        with older.engine.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query LIKE 'CREATE INDEX CONCURRENTLY%%'"
            )
        with pytest.raises(StoreError, match="terminat"):
            running.result(60)
    invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    with older.engine.connect() as connection:
        assert connection.exec_driver_sql(invalid).scalars().all() == ["ix_interest_named_id"]
    older.upgrade()
    with older.engine.connect() as connection:
        assert connection.exec_driver_sql(invalid).scalars().all() == []
        assert len(_found(connection, "geese")) == PAPERS
    assert older.difference() == []


def test_of_two_upgrades_at_once_one_waits(database: Database, database_url: str) -> None:
    database.downgrade("base")
    with ThreadPoolExecutor(2) as pool:
        for running in [pool.submit(_upgrade, database_url) for _ in range(2)]:
            running.result(60)
    database.require_current()


def test_an_upgrade_that_waits_says_for_what(database: Database, database_url: str) -> None:
    others = database.lock("upgrade")
    assert others.take()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        others.give_back()

    second = Database(database_url)
    second.upgrade(say=say)
    second.close()
    assert said == [f"waiting for {process_name('paperpost')}, which upgrades"]


def test_readers_of_sqlite_go_on_and_a_writer_waits_for_one_migration_at_a_time(
    sqlite_url: str,
) -> None:
    database, reader = Database(sqlite_url), Database(sqlite_url)
    database.downgrade("0004")
    with reader.engine.connect() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM subscriber").scalar()
        database.upgrade()
        assert connection.exec_driver_sql("SELECT count(*) FROM subscriber").scalar() == before
    reader.require_current()
    database.close()
    reader.close()


def test_no_migration_has_a_statement_that_locks_a_full_table(
    postgresql_url: str, tmp_path: Path
) -> None:
    database = Database(postgresql_url)
    database.downgrade("base")
    said = _statements(database)
    database.upgrade()
    database.close()
    path = tmp_path / "migrations.sql"
    path.write_text("\n".join(said), encoding="utf-8")
    squawk = [
        str(Path(sys.executable).with_name("squawk")),
        "--pg-version=14.0",
        *(f"--exclude={rule}" for rule in RULES),
        str(path),
    ]
    found = subprocess.run(squawk, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def _statements(database: Database) -> list[str]:
    """What will be said to the database, with the transactions that it is said in."""
    said: list[str] = []

    def is_begun(connection: Connection) -> bool:
        return connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT"

    @event.listens_for(database.engine, "begin")
    def begin(connection: Connection) -> None:
        if is_begun(connection):
            said.append("BEGIN;")

    @event.listens_for(database.engine, "commit")
    def commit(connection: Connection) -> None:
        if is_begun(connection):
            said.append("COMMIT;")

    @event.listens_for(database.engine, "rollback")
    def rollback(connection: Connection) -> None:
        if is_begun(connection):
            said.append("ROLLBACK;")

    @event.listens_for(database.engine, "before_cursor_execute")
    def statement(*about: object) -> None:
        words = re.sub(r"%\(\w+\)s(::\w+)?", "1", str(about[2])).strip().rstrip(";")
        if not words.startswith(("SELECT", "SET LOCAL")):
            said.append(words + ";")

    return said
