"""What a training reads: all votes and the texts of papers, as plain rows in parts."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from paperpost.store.database import in_chunks
from paperpost.store.tables import NEVER_ANNOUNCED, Paper, Vote

# So many rows are in memory at once.
ROWS_AT_ONCE = 50_000


class Words(NamedTuple):
    """A paper's number, id, title, abstract and authors."""

    number: int
    id: str
    title: str
    abstract: str
    authors: list[str]


def acts(session: Session, now: datetime) -> Iterator[Sequence[Sequence[int]]]:
    """Subscriber, paper and value of all votes that count by now, overridden ones as well, in the
    order in which they were cast, in parts."""
    query = (
        select(Vote.subscriber_id, Vote.paper_number, Vote.value)
        .where(Vote.counts_at <= now, col(Vote.voided).is_(None))
        .order_by(col(Vote.id))
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    yield from session.connection().execute(query).partitions()


def words(session: Session, numbers: Iterable[int]) -> Iterator[Words]:
    """The texts of papers that sources have told of; those that are gone are left out."""
    columns = [getattr(Paper, name) for name in Words._fields]
    is_public = col(Paper.announced) > NEVER_ANNOUNCED
    for chunk in in_chunks(numbers):
        rows = session.execute(sql_select(*columns).where(col(Paper.number).in_(chunk), is_public))
        yield from (Words(*row) for row in rows)
