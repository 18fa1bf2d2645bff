"""The interests that subscribers keep apart, by names of their own, and the terms of each."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import update
from sqlmodel import Session, col, delete, select

from paperpost.store.database import among, in_chunks
from paperpost.store.tables import Interest, InterestKind, NamedInterest

# What may belong to a named interest; what is muted or forgotten is so for the whole person.
KINDS = (InterestKind.KEYWORD, InterestKind.AUTHOR, InterestKind.CATEGORY)

Terms = Mapping[InterestKind, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Named:
    """A named interest: its share from 1 to 100, and its terms by kind, in the order given."""

    number: int
    name: str
    share: int
    terms: Terms


def of_subscribers(session: Session, subscriber_ids: Collection[int]) -> dict[int, list[Named]]:
    """The named interests of those who have any, in the order they were made."""
    rows = [
        row
        for chunk in in_chunks(subscriber_ids)
        for row in session.exec(
            select(NamedInterest)
            .where(among(session, col(NamedInterest.subscriber_id), chunk))
            .order_by(col(NamedInterest.id))
        )
    ]
    terms = _terms_of(session, {row.subscriber_id for row in rows})
    found: dict[int, list[Named]] = defaultdict(list)
    for row in rows:
        number = row.id or 0
        found[row.subscriber_id].append(Named(number, row.name, row.share, terms[number]))
    return dict(found)


def _terms_of(
    session: Session, subscriber_ids: Collection[int]
) -> Mapping[int, dict[InterestKind, list[str]]]:
    """The terms of each named interest of these subscribers, by its number."""
    found: dict[int, dict[InterestKind, list[str]]] = defaultdict(lambda: defaultdict(list))
    for chunk in in_chunks(subscriber_ids):
        rows = session.exec(
            select(Interest)
            .where(col(Interest.subscriber_id).in_(chunk), col(Interest.named_id).is_not(None))
            .order_by(col(Interest.id))
        )
        for row in rows:
            found[row.named_id or 0][InterestKind(row.kind)].append(row.value)
    return found


def add(session: Session, subscriber_id: int, name: str, share: int) -> int:
    """Make a named interest without terms; its number."""
    row = NamedInterest(subscriber_id=subscriber_id, name=name, share=share)
    session.add(row)
    session.flush()
    return row.id or 0


def change(session: Session, number: int, name: str, share: int) -> None:
    """Give a named interest this name and share."""
    session.exec(
        update(NamedInterest).where(col(NamedInterest.id) == number).values(name=name, share=share)
    )


def remove(session: Session, number: int) -> None:
    """Remove a named interest; its terms stay, and belong to none."""
    session.exec(update(Interest).where(col(Interest.named_id) == number).values(named_id=None))
    session.exec(delete(NamedInterest).where(col(NamedInterest.id) == number))


def put(
    session: Session,
    subscriber_id: int,
    kind: InterestKind,
    values: Collection[str],
    number: int | None,
) -> None:
    """Have these terms, which the subscriber has, belong to that named interest, or to none."""
    for chunk in in_chunks(values):
        session.exec(
            update(Interest)
            .where(
                col(Interest.subscriber_id) == subscriber_id,
                col(Interest.kind) == kind,
                col(Interest.value).in_(chunk),
            )
            .values(named_id=number)
        )
