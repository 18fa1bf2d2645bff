"""What lists of papers are made of before any paper is loaded: numbers and counts."""

import json
from collections import Counter
from collections.abc import Collection
from datetime import date

from sqlalchemy import ColumnElement, String, cast
from sqlmodel import Session, col, func, select

from paperpost.store.database import in_chunks
from paperpost.store.merging import successors
from paperpost.store.tables import (
    NEVER_ANNOUNCED,
    Delivery,
    DeliveryState,
    Digest,
    Paper,
    Vote,
)


def numbers(session: Session, first: date, last: date, category: str = "") -> list[int]:
    """The numbers of the papers announced from `first` to `last`, both included, the newest first;
    of one category if that is named."""
    query = select(Paper.number).where(*_announced(first, last))
    if category:
        # As it stands in JSON: no category is a part of another one in its quotes.
        query = query.where(_categories().contains(json.dumps(category), autoescape=True))
    newest_first = query.order_by(col(Paper.announced).desc(), col(Paper.number).desc())
    return [number for number in session.exec(newest_first) if number is not None]


def categories(session: Session, first: date, last: date) -> Counter[str]:
    """How many papers of these days each category has."""
    query = select(_categories(), func.count()).where(*_announced(first, last))
    found: Counter[str] = Counter()
    for together, papers in session.exec(query.group_by(_categories())):
        for category in set(json.loads(together)):
            found[category] += papers
    return found


def _announced(first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    day = col(Paper.announced)
    return day > NEVER_ANNOUNCED, day >= first, day <= last


def _categories() -> ColumnElement[str]:
    return cast(col(Paper.categories), String)


def said(session: Session, subscriber_id: int, paper_numbers: Collection[int]) -> dict[int, Vote]:
    """What a subscriber said last of each of these papers, whether it counts already or is held."""
    found: dict[int, Vote] = {}
    for chunk in in_chunks(paper_numbers):
        newest = (
            select(func.max(Vote.id))
            .where(
                Vote.subscriber_id == subscriber_id,
                col(Vote.paper_number).in_(chunk),
                col(Vote.voided).is_(None),
            )
            .group_by(col(Vote.paper_number))
        )
        acts = session.exec(select(Vote).where(col(Vote.id).in_(newest)))
        found.update({act.paper_number: act for act in acts})
    return found


def mailed_on(session: Session, subscriber_id: int, since: date) -> dict[int, date]:
    """In which digest, dated `since` or later, a subscriber was mailed which papers; by the numbers
    that the papers have now."""
    query = (
        select(col(Digest.local_date), col(Digest.items))
        .join(Delivery, col(Delivery.id) == col(Digest.delivery_id))
        .where(
            Digest.subscriber_id == subscriber_id,
            Digest.local_date >= since,
            Delivery.state == DeliveryState.SENT,
        )
        .order_by(col(Digest.local_date).desc())
    )
    found = {item["paper"]: day for day, items in session.exec(query) for item in items}
    moved = successors(session, found)
    return {moved.get(number, number): day for number, day in found.items()}
