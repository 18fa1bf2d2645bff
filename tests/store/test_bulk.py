"""Many rows at once arrive as single ones would."""

from datetime import date, timedelta
from typing import Any

import pytest
from invented import START
from sqlmodel import select

from paperpost.store.bulk import insert_all, new_numbers
from paperpost.store.database import Database, StoreError
from paperpost.store.tables import Delivery, DeliveryKind, DeliveryState

DELIVERIES = Delivery.metadata.tables["delivery"]


def delivery(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "kind": DeliveryKind.ALARM,
        "subscriber_id": None,
        "local_date": date(2026, 4, 7),
        "state": DeliveryState.QUEUED,
        "content": {"said": 'tab\t, line\n, back\\slash, "quote", ü'},
        "created_at": START,
        "due_at": START + timedelta(hours=1),
        "expires_at": START + timedelta(days=1),
        "attempts": 0,
        "message_id": f"<{number}@example.org>",
        "reply": "\\N",
    } | changes


def test_rows_come_back_as_they_were(database: Database) -> None:
    with database.writing() as session:
        numbers = new_numbers(session, DELIVERIES, 3)
        wanted = [delivery(number) for number in numbers]
        insert_all(session, DELIVERIES, wanted)
        insert_all(session, DELIVERIES, [])
    with database.writing() as session:
        more = new_numbers(session, DELIVERIES, 2)
        assert sorted({*numbers, *more}) == [*numbers, *more]
        insert_all(session, DELIVERIES, [delivery(number, content=None) for number in more])
    with database.reading() as session:
        stored = session.exec(select(Delivery).order_by(DELIVERIES.c.id)).all()
    found = [{name: getattr(one, name) for name in wanted[0]} for one in stored]
    assert found == [*wanted, *(delivery(number, content=None) for number in more)]
    assert {one.domain for one in stored} == {""}


def test_half_a_character_comes_back_as_it_was(database: Database) -> None:
    with database.writing() as session:
        insert_all(session, DELIVERIES, [delivery(1, content={"said": "a \ud83d"})])
    with database.reading() as session:
        assert session.exec(select(Delivery.content)).all() == [{"said": "a \ud83d"}]


def test_a_row_that_does_not_fit_is_told_in_one_line_and_none_is_stored(
    database: Database,
) -> None:
    twice = [delivery(1), delivery(1)]
    with pytest.raises(StoreError, match="cannot use the database"), database.writing() as session:
        insert_all(session, DELIVERIES, twice)
    with database.reading() as session:
        assert session.exec(select(Delivery)).all() == []
