"""Migrations: both ways, on both databases, and in step with the models."""

from pathlib import Path

import pytest
from invented import START
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from paperpost.store import library
from paperpost.store.database import Database, StoreError, migrations_folder
from paperpost.store.tables import Delivery, Digest, Paper, Snapshot, Subscriber


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


def _fill_the_first_tables(database: Database) -> None:
    """A subscriber with an interest, a vote on a paper and a digest, as version 0001 keeps them."""
    for statement in (
        "INSERT INTO paper (number, id, title, abstract, authors, categories, announced, source, "
        "added_at, changed_at) VALUES (1, '2604.00001', 'Geese', 'Birds.', '[]', '[]', "
        "'2026-04-01', 'file', '2026-04-01 00:00:00', '2026-04-01 00:00:00')",
        "INSERT INTO subscriber (id, email, state, timezone, hour, size, frequency, joined_at, "
        "digest_count) VALUES (7, 'ada@example.org', 'active', 'UTC', 8, 10, 'daily', "
        "'2026-04-01 00:00:00', 3)",
        "INSERT INTO interest (subscriber_id, kind, value) VALUES (7, 'keyword', 'geese')",
        "INSERT INTO vote (subscriber_id, paper_number, value, origin, cast_at, counts_at) "
        "VALUES (7, 1, 1, 'mail', '2026-04-01 00:00:00', '2026-04-01 00:00:00')",
        "INSERT INTO delivery (id, kind, subscriber_id, local_date, state, created_at, due_at, "
        "expires_at, attempts, message_id, reply) VALUES (5, 'digest', 7, '2026-04-01', 'queued', "
        "'2026-04-01 00:00:00', '2026-04-01 00:00:00', '2026-04-02 00:00:00', 0, '<5@x>', '')",
        "INSERT INTO digest (subscriber_id, local_date, delivery_id, composed_at, "
        "template_version, frequency, why, considered, newest_paper, items) VALUES (7, "
        "'2026-04-01', 5, '2026-04-01 00:00:00', 'v', 'daily', '', 1, 1, '[]')",
    ):
        with database.engine.begin() as connection:
            connection.exec_driver_sql(statement)


def _counts(database: Database) -> list[int]:
    with database.engine.connect() as connection:
        return [
            connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            for table in ("paper", "subscriber", "interest", "vote", "delivery", "digest")
        ]


def test_the_first_versions_rows_migrate_and_go_back_whole(database: Database) -> None:
    database.downgrade("0001")
    _fill_the_first_tables(database)
    database.upgrade()
    with database.reading() as session:
        ada = session.exec(select(Subscriber)).one()
        paper = session.exec(select(Paper)).one()
        delivery = session.exec(select(Delivery)).one()
        digest = session.exec(select(Digest)).one()
    assert (delivery.domain, delivery.content) == ("example.org", None)
    assert digest.silence == ""
    assert (ada.email, ada.digest_count) == ("ada@example.org", 3)
    assert (ada.threshold, ada.explore) == (None, True)
    assert (paper.upvotes, paper.upvotes_at) == (None, None)
    assert _counts(database) == [1, 1, 1, 1, 1, 1]
    database.downgrade("0001")
    assert _counts(database) == [1, 1, 1, 1, 1, 1]


def test_why_a_digest_was_silent_is_kept_with_the_digest(database: Database) -> None:
    database.downgrade("0001")
    _fill_the_first_tables(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE delivery SET state = 'silent', reply = 'no new papers since the last digest'"
        )
    database.upgrade()
    with database.engine.connect() as connection:
        silence = connection.exec_driver_sql("SELECT silence FROM digest").scalar_one()
    assert silence == "No new papers since the last digest."


def _aliases(database: Database) -> list[tuple[str, int]]:
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT alias, paper_number FROM paper_alias")
        return sorted((alias, number) for alias, number in rows)


def test_the_names_of_papers_migrate_and_of_two_with_one_title_the_first_keeps_it(
    database: Database,
) -> None:
    database.downgrade("0003")
    _fill_the_first_tables(database)
    second = (
        "INSERT INTO paper (number, id, title, abstract, authors, categories, announced, source, "
        "added_at, changed_at) VALUES (2, '2604.00002', 'Geese', '', '[]', '[]', '2026-04-02', "
        "'file', '2026-04-02 00:00:00', '2026-04-02 00:00:00')"
    )
    named = "INSERT INTO paper_alias (alias, paper_number) VALUES "
    with database.engine.begin() as connection:
        connection.exec_driver_sql(second)
        for name in ("('2604.00001', 1)", "('hf:geese', 1)", "('2604.00002', 2)"):
            connection.exec_driver_sql(named + name)
    before = [("2604.00001", 1), ("2604.00002", 2), ("hf:geese", 1)]
    assert _aliases(database) == before
    database.upgrade()
    assert _aliases(database) == before
    with database.engine.begin() as connection:
        connection.exec_driver_sql(named + "('hf:geese', 2)")
    assert _aliases(database) == [*before, ("hf:geese", 2)]
    database.downgrade("0003")
    assert _aliases(database) == before
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM paper WHERE number = 1")
    assert _aliases(database) == [("2604.00002", 2)]


def test_a_deleted_subscribers_number_does_not_return_after_the_migration(
    database: Database,
) -> None:
    database.downgrade("0001")
    _fill_the_first_tables(database)
    database.upgrade()
    insert = (
        "INSERT INTO subscriber (email, state, timezone, hour, size, frequency, joined_at, "
        "digest_count) VALUES ('ben@example.org', 'active', 'UTC', 8, 10, 'daily', "
        "'2026-04-01 00:00:00', 0)"
    )
    with database.engine.begin() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SELECT setval('subscriber_id_seq', 7)")
        connection.exec_driver_sql("DELETE FROM subscriber")
        connection.exec_driver_sql(insert)
        assert connection.exec_driver_sql("SELECT id FROM subscriber").scalar_one() == 8


@pytest.mark.parametrize("threshold", ["-0.1", "1.1"])
def test_a_threshold_is_a_probability(database: Database, threshold: str) -> None:
    _fill_the_first_tables(database)
    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE subscriber SET threshold = {threshold}")


def test_on_the_way_back_what_only_a_readers_library_tells_of_goes(database: Database) -> None:
    _fill_the_first_tables(database)
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("SELECT setval('paper_number_seq', 1)")
    work = library.Work(("2611.00001",), "A manuscript of Ada's", "Hers.", ("Ada",), ())
    with database.writing() as session:
        (number,) = library.keep(session, 7, [work], START)
        assert library.cast(session, 7, {number: START}, START) == {number}
    assert _counts(database)[:4] == [2, 1, 1, 2]
    database.downgrade("0003")
    assert _counts(database)[:4] == [1, 1, 1, 1]
    assert _aliases(database) == []


def test_a_snapshot_of_before_has_seen_the_votes_of_before(database: Database) -> None:
    database.downgrade("0007")
    _fill_the_first_tables(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO snapshot (file, trained_at, papers, votes, seconds) "
            "VALUES ('model', '2026-04-02 00:00:00', 1, 1, 1)"
        )
    database.upgrade()
    with database.reading() as session:
        assert session.exec(select(Snapshot.last_vote)).one() == 1
    database.downgrade("0007")
    assert _counts(database) == [1, 1, 1, 1, 1, 1]
