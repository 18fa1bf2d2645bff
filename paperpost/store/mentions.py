"""Papers in which words stand, found without an index: among the newest ones only."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import Text, cast
from sqlmodel import Session, col, select

from paperpost.store.papers import newest_number
from paperpost.store.tables import NEVER_ANNOUNCED, Paper

Place = Literal["text", "authors", "categories"]


def holding(
    session: Session, place: Place, patterns: Sequence[str], among: int, limit: int
) -> list[Paper]:
    """The newest papers that match all patterns (those of LIKE, without escapes) in that place,
    whatever the case of ASCII letters, among the last `among` taken in.

    Authors and categories are JSON there, with other letters than ASCII as `\\uXXXX`.
    """
    text = {
        "text": col(Paper.title) + " " + col(Paper.abstract),
        "authors": cast(col(Paper.authors), Text),
        "categories": cast(col(Paper.categories), Text),
    }[place]
    # SQLite's LIKE knows no case; its way to say ILIKE is three times as slow.
    sqlite = session.get_bind().dialect.name == "sqlite"
    query = (
        select(Paper)
        .where(
            col(Paper.number) > newest_number(session) - among,
            col(Paper.announced) > NEVER_ANNOUNCED,  # what a reader's library alone tells of
            *(text.like(pattern) if sqlite else text.ilike(pattern) for pattern in patterns),
        )
        .order_by(col(Paper.number).desc())
        .limit(limit)
    )
    return list(session.exec(query))
