"""The papers of the last months, as an import would have stored them: rows straight in, because
importing is measured by `bench import`, and those of the last day come by a real fetch."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from paperpost.bench.scale.copying import (
    Connection,
    copy_rows,
    indexes_afterwards,
    number_after,
)
from paperpost.service.ingest import records_of
from paperpost.sources.found import checked
from paperpost.store.records import Record, columns
from paperpost.store.related import names_of

_AT_ONCE = 5_000
_COLUMNS = (
    "id",
    "title",
    "abstract",
    "authors",
    "categories",
    "comment",
    "announced",
    "version",
    "url",
    "source",
)


def add_papers(connection: Connection, papers: Iterable[dict[str, Any]], today: date) -> None:
    """Papers in the form of an import, numbered from 1 in their order, into empty tables; the words
    to search by are made by the database, as always."""
    remaining = enumerate(_records(papers, today), start=1)
    # The next papers are made up while the server works out the words of the last ones.
    with (
        indexes_afterwards(connection, ["paper", "paper_alias", "paper_words"]),
        ThreadPoolExecutor(1) as thread,
    ):
        adding: list[Future[None]] = []
        while some := list(islice(remaining, _AT_ONCE)):
            for last in adding:
                last.result()
            adding = [thread.submit(_add, connection, some)]
        for last in adding:
            last.result()
    number_after(connection, "paper", "number")


def _records(papers: Iterable[dict[str, Any]], today: date) -> Iterator[Record]:
    for paper in papers:
        yield from records_of([checked(paper, source="arxiv", today=today)])


def _add(connection: Connection, some: Sequence[tuple[int, Record]]) -> None:
    names = [(name, number) for number, told in some for name in sorted(names_of([told]))]
    rows = (_row(number, columns([record])) for number, record in some)
    copy_rows(connection, "paper", ("number", *_COLUMNS, "added_at", "changed_at"), rows)
    copy_rows(connection, "paper_alias", ("alias", "paper_number"), names)


def _row(number: int, values: Mapping[str, Any]) -> list[object]:
    lists = {name: json.dumps(values[name]) for name in ("authors", "categories")}
    added = datetime.combine(values["announced"], datetime.min.time(), UTC) + timedelta(hours=1)
    told = {**values, **lists}
    return [number, *(told[name] for name in _COLUMNS), added.isoformat(), added.isoformat()]
