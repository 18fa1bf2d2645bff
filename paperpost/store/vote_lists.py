"""A subscriber's votes that hold, as lists: by page, by paper, by value."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session, col, func, select

from paperpost.store.tables import Paper, PaperMerged, Vote


def _newest(subscriber_id: int, now: datetime) -> Any:
    """The numbers of the newest acts that count on each paper."""
    return (
        select(func.max(Vote.id))
        .where(
            Vote.subscriber_id == subscriber_id,
            Vote.counts_at <= now,
            col(Vote.voided).is_(None),
        )
        .group_by(col(Vote.paper_number))
    )


def _holding(query: Any, subscriber_id: int, now: datetime, value: int | None) -> Any:
    holds = query.where(col(Vote.id).in_(_newest(subscriber_id, now)))
    return holds.where(Vote.value != 0 if value is None else Vote.value == value)


def page(
    session: Session,
    subscriber_id: int,
    now: datetime,
    value: int | None,
    *,
    limit: int,
    offset: int = 0,
) -> list[tuple[Vote, Paper]]:
    """Votes that hold, of that value (1 or -1) or of both, and their papers, newest first."""
    query: Select[tuple[Vote, Paper]] = _holding(
        select(Vote, Paper).join(Paper, col(Paper.number) == col(Vote.paper_number)),
        subscriber_id,
        now,
        value,
    )
    query = query.order_by(col(Vote.cast_at).desc(), col(Vote.id).desc())
    return [(vote, paper) for vote, paper in session.execute(query.limit(limit).offset(offset))]


def count_by_value(session: Session, subscriber_id: int, now: datetime) -> dict[int, int]:
    """How many votes hold: value (1 and -1) -> number."""
    query = _holding(select(Vote.value, func.count()), subscriber_id, now, None)
    found = session.execute(query.group_by(col(Vote.value)))
    return {1: 0, -1: 0} | dict(found.all())


def values(session: Session, subscriber_id: int, now: datetime) -> dict[int, int]:
    """The votes that hold: paper number -> 1 or -1."""
    query = _holding(select(Vote.paper_number, Vote.value), subscriber_id, now, None)
    return dict(session.execute(query).all())


def values_of_old(session: Session, subscriber_id: int, now: datetime) -> dict[int, int]:
    """The same for the numbers that were given up for those of these papers."""
    query = select(PaperMerged.number, Vote.value).join(
        Vote, col(Vote.paper_number) == col(PaperMerged.paper_number)
    )
    return dict(session.execute(_holding(query, subscriber_id, now, None)).all())
