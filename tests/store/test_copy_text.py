"""Rows as COPY's text: what is written is read again, and PostgreSQL means the same by it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Boolean, Connection, Date, DateTime, Float, Integer, String, create_engine
from sqlalchemy.types import TypeEngine

from paperpost.store.copy_text import NotARow, lines, rows

TYPES: list[TypeEngine[Any]] = [String(), Integer(), Float(), Boolean(), DateTime(), Date()]
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_times = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001 - as SQLite has
    lambda moment: moment.isoformat(" ", "microseconds")
)
_rows = st.lists(
    st.tuples(
        st.none() | _texts | st.sampled_from(["\\N", "\\.", "", "\t", "a\nb", "\r\x0b\x85\u2028"]),
        st.none() | st.integers(-(2**31), 2**31 - 1),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.sampled_from([0, 1]),
        st.none() | _times,
        st.none() | st.dates().map(str),
    ),
    min_size=1,
    max_size=5,
)


@given(_rows)
def test_what_is_written_is_read_again(told: list[tuple[Any, ...]]) -> None:
    written = lines(told, TYPES)
    assert rows(written, TYPES) == told
    assert written.count(b"\n") == len(told)
    assert b"\n\\.\n" not in b"\n" + written


@pytest.mark.parametrize(
    "line",
    [
        b"a\t1\n",
        b"a\tx\t1\tt\t\\N\t\\N\n",
        b"\\q\t1\t1\tt\t\\N\t\\N\n",
        b"\xff\t1\t1\tt\t\\N\t\\N\n",
    ],
)
def test_what_is_no_row_is_refused(line: bytes) -> None:
    with pytest.raises(NotARow):
        rows(line, TYPES)


def test_postgresql_reads_what_we_write_and_we_what_it_writes(postgresql_url: str) -> None:
    told = [
        (
            "tab\t back\\slash \\N \n\r\b\f\v \u2028 \u00e9",
            1,
            0.1 + 0.2,
            1,
            "2026-04-07 09:00:00.000120",
            "2026-04-07",
        ),
        ("", -5, 1e-300, 0, "2026-04-07 09:00:00.000000", "0001-01-01"),
        (None, None, None, None, None, None),
    ]
    engine = create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET TimeZone = 'UTC'")
        connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE kept "
            "(a VARCHAR, b INTEGER, c FLOAT, d BOOLEAN, e TIMESTAMP WITH TIME ZONE, f DATE)"
        )
        assert rows(_through(connection, lines(told, TYPES)), TYPES) == told
        kept = connection.exec_driver_sql("SELECT a, c, e FROM kept").all()
    engine.dispose()
    moment = datetime(2026, 4, 7, 9, 0, 0, 120, UTC)
    assert tuple(kept[0]) == (told[0][0], told[0][2], moment)


def _through(connection: Connection, written: bytes) -> bytes:
    """In by COPY, and out again."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        with cursor.copy("COPY kept FROM STDIN") as copy:
            copy.write(written)
        with cursor.copy("COPY kept TO STDOUT") as copy:
            return b"".join(bytes(block) for block in copy)
