"""Works that a subscriber has had under another id: no candidates any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.service.train import text_of
from paperpost.store import digests, papers
from paperpost.store.papers import number_of
from paperpost.store.tables import Paper

if TYPE_CHECKING:
    from recommender.duplicates import Group

# What was mailed longer ago may come again when it is posted again; what was voted on may not.
LOOK_BACK = timedelta(days=60)

# The copies of each candidate that has any, by its position: their numbers, and when they were
# announced.
Copies = Mapping[int, Mapping[int, date]]


def look_back(on: date) -> date:
    """The first day whose papers may be copies of a candidate of `on`, if not voted on."""
    return date.fromordinal(max(on.toordinal() - LOOK_BACK.days, 1))


def already_had(
    session: Session, voted: Mapping[int, Collection[int]], copies: Sequence[Copies], on: date
) -> dict[int, list[int]]:
    """The positions of candidates that are copies of what a subscriber was mailed in the last
    two months, or voted on, by subscriber number.

    `voted` names the subscribers and the numbers of the papers they voted on.
    """
    found = _merged(copies)
    if not found:
        return {}
    oldest = min(announced for own in found.values() for announced in own.values())
    # A paper is mailed on the day it is announced or later.
    mailed = digests.mailed(session, list(voted), max(oldest, look_back(on)), but_not=on)
    return {
        subscriber: [
            position
            for position, numbers in found.items()
            if numbers.keys() & (mailed.get(subscriber, set()) | set(own))
        ]
        for subscriber, own in voted.items()
    }


def recent_copies(
    session: Session,
    candidates: Sequence[Paper],
    groups: Collection[Group],
    first_day: date,
    on: date,
) -> Copies:
    """The copies of candidates among one another, which are `groups`, and among the papers of two
    months: much more than was mailed, but it is found without reading everybody's digests. All
    papers announced from `first_day` on are candidates."""
    among = {
        position: {
            number_of(candidates[copy]): candidates[copy].announced
            for copy in group
            if copy != position
        }
        for group in groups
        for position in group
    }
    recent = papers.announced(session, look_back(on), first_day)
    return _merged([among, copies_among(candidates, recent)])


def copies_among(candidates: Sequence[Paper], known: Iterable[Paper]) -> Copies:
    """The copies of candidates among other papers; candidates in `known` are passed over."""
    from recommender.duplicates import copies

    new = {number_of(paper) for paper in candidates}
    older = sorted((paper for paper in known if number_of(paper) not in new), key=number_of)
    if not older:
        return {}
    found = copies([text_of(paper) for paper in candidates], [text_of(paper) for paper in older])
    return {
        position: {number_of(older[place]): older[place].announced for place in places}
        for position, places in found.items()
    }


def _merged(copies: Iterable[Copies]) -> Copies:
    merged: dict[int, dict[int, date]] = {}
    for found in copies:
        for position, own in found.items():
            merged.setdefault(position, {}).update(own)
    return merged
