"""What is told about databases that cannot be used."""

import pytest
from postgresql_server import database_of, run_sql

from paperpost.store.database import Database, StoreError


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ada:s3cret@db.example.org:54x2/paperpost",
        "postgresql+psycopg:/ada:s3cret@db.example.org",
    ],
)
def test_a_wrong_address_is_told_in_one_line_without_its_password(url: str) -> None:
    with pytest.raises(StoreError, match=r"^PAPERPOST_DATABASE_URL cannot be used: ") as told:
        Database(url)
    assert "s3cret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_database_that_does_not_hold_every_text_is_refused(postgresql_server: str) -> None:
    how = "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    run_sql(postgresql_server, f"CREATE DATABASE plain {how}")
    store = Database(database_of(postgresql_server, "plain"))
    with pytest.raises(StoreError, match="has the encoding SQL_ASCII"):
        store.upgrade()
    store.close()
    run_sql(postgresql_server, "DROP DATABASE plain")
