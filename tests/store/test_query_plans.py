"""What PostgreSQL reads from an index in the order wanted, however full its tables are."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from paperpost.store import leases, votes
from paperpost.store.database import Database

NOW = datetime(2026, 4, 7, tzinfo=UTC)
# What a planner would rather do with an empty table.
FOR_FEW = ("enable_seqscan", "enable_bitmapscan")
SORTING = ("enable_sort", "enable_incremental_sort")


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    opened = Database(postgresql_url)
    yield opened
    opened.close()


def plan_of(database: Database, ask: Callable[[Session], object], *without: str) -> str:
    """How the first query of `ask` is worked out `without` some ways."""
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    with database.writing() as session:
        connection = session.connection()
        for way in without:
            connection.exec_driver_sql(f"SET LOCAL {way} = off")
        event.listen(database.engine, "before_cursor_execute", listen)
        ask(session)
        statement, values = next(one for one in asked if one[0].startswith("SELECT"))
        return "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars())


def test_what_readers_said_is_read_from_an_index_alone(database: Database) -> None:
    def look(session: Session) -> object:
        return votes.opinions(session, NOW, ("library",), [1, 2, 3])

    plan = plan_of(database, look, *FOR_FEW)
    assert "Index Only Scan using ix_vote_subscriber_id on vote" in plan


def test_the_next_mails_of_very_many_are_found_without_sorting_them(database: Database) -> None:
    def claim(session: Session) -> object:
        end, before = NOW + timedelta(minutes=1), NOW - timedelta(hours=1)
        return leases.claim(session, "one", end, NOW, limit=100, retry_all_before=before, room={})

    plan = plan_of(database, claim, *FOR_FEW, *SORTING)
    assert "Index Scan using ix_delivery_state_due_at_id on delivery" in plan
    assert "Sort" not in plan
