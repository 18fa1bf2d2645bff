"""What lists and pages say to a subscriber who is signed in: how their votes on these papers stand,
and in which digest they were mailed them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from paperpost.service.browse import PaperView
from paperpost.service.installation import Installation
from paperpost.service.vote import WORDS, CannotVote, cast_at_once
from paperpost.store import listings, papers

SITE = "site"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """A subscriber's vote on a paper ("up", "down" or "none"), and the date of the digest in which
    it was mailed to them."""

    value: str = "none"
    mailed_on: date | None = None


def marks(
    installation: Installation, subscriber: int, shown: Collection[PaperView]
) -> Mapping[int, Mark]:
    """What is to be said of each of these papers, by its number."""
    if not shown:
        return {}
    # Where the subscriber is, it may be the day before.
    since = min(paper.announced for paper in shown) - DAY
    numbers = [paper.number for paper in shown]
    with installation.database.reading() as session:
        said = listings.said(session, subscriber, numbers)
        mailed = listings.mailed_on(session, subscriber, since)
    values = {number: WORDS[act.value] for number, act in said.items()}
    return {number: Mark(values.get(number, "none"), mailed.get(number)) for number in numbers}


def cast_on_site(installation: Installation, subscriber: int, paper_id: str, value: str) -> str:
    """Record what a subscriber who is signed in says of a paper of the public pages, and give it
    back. Raises CannotVote."""
    with installation.database.reading() as session:
        paper = papers.find_public(session, paper_id)
    if paper is None:
        raise CannotVote(f"there is no paper {paper_id[:100]}")
    standing = cast_at_once(installation, subscriber, paper.id, value, origin=SITE)
    return WORDS[standing.value]
