"""A subscriber's own votes, as their page of votes has them: those that hold, by page; those that
do not count (uncounted.py); taking some back, and undoing that."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from mailer.plain import readable
from paperpost.errors import PaperpostError
from paperpost.service import uncounted
from paperpost.service.account import member
from paperpost.service.installation import Installation
from paperpost.service.marks import SITE
from paperpost.service.uncounted import Ignored, Uncounted
from paperpost.store import papers, subscribers, vote_lists, votes, withdrawals
from paperpost.store.papers import number_of
from paperpost.store.tables import NEVER_ANNOUNCED, Paper, Vote

PAGE_SIZE = 50


class NothingToTakeBack(PaperpostError):
    """None of the votes that were named holds."""

    def __init__(self) -> None:
        super().__init__("tick the votes that you want to take back, then press the button")


@dataclass(frozen=True, slots=True)
class OwnVote:
    """A vote that holds: 1 or -1. `paper_id` is None for a work that only the subscriber's library
    tells of, which has no page; `origin` is where it was cast; `number` names the paper to
    `take_back` and `put_back`."""

    number: int
    paper_id: str | None
    title: str
    value: int
    origin: str
    cast_at: datetime


@dataclass(frozen=True, slots=True)
class OwnVotes:
    """One page of the votes that hold, newest first, and all that do not count. `ups` and `downs`
    are of all that hold; pages run from 1 to `pages`, which is 1 where there are none."""

    votes: tuple[OwnVote, ...]
    ups: int
    downs: int
    page: int
    pages: int
    held: tuple[Uncounted, ...]
    ignored: tuple[Ignored, ...]


def show(
    installation: Installation, number: int, value: int | None = None, page: int = 1
) -> OwnVotes:
    """A page of a subscriber's votes of that value (1 or -1), or of both. Changes nothing."""
    now = installation.clock()
    with installation.database.reading() as session:
        counts = vote_lists.count_by_value(session, number, now)
        total = sum(counts.values()) if value is None else counts[value]
        found = vote_lists.page(
            session, number, now, value, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE
        )
        return OwnVotes(
            votes=tuple(_told(vote, paper) for vote, paper in found),
            ups=counts[1],
            downs=counts[-1],
            page=page,
            pages=max(1, -(-total // PAGE_SIZE)),
            held=uncounted.held(session, number, now),
            ignored=uncounted.ignored(session, number, now),
        )


def _told(vote: Vote, paper: Paper) -> OwnVote:
    return OwnVote(
        number=number_of(paper),
        paper_id=None if paper.announced == NEVER_ANNOUNCED else paper.id,
        title=readable(paper.title),
        value=vote.value,
        origin=vote.origin,
        cast_at=vote.cast_at,
    )


def take_back(installation: Installation, number: int, ticked: Collection[str]) -> dict[int, str]:
    """Withdraw the votes on the papers of these numbers, at once; the titles of those papers, by
    number. Raises NothingToTakeBack.

    Programs submit forms as they find them; that a box has to be ticked keeps them out.
    """
    with installation.database.writing() as session:
        now = _turn(installation, session, number)
        holding = vote_lists.values(session, number, now)
        chosen = [paper for paper in holding if str(paper) in ticked]
        if not chosen:
            raise NothingToTakeBack
        for paper in chosen:
            votes.cast(session, number, paper, 0, origin=SITE, now=now, counts_at=now)
        named = papers.by_number(session, chosen)
        return {paper: readable(named[paper].title) for paper in chosen}


def put_back(installation: Installation, number: int, papers_named: Collection[str]) -> int:
    """Have votes hold again as they did before they were taken back, those on the papers of these
    numbers; how many."""
    with installation.database.writing() as session:
        _turn(installation, session, number)
        return withdrawals.undo(session, number, _numbers(papers_named))


def restore(installation: Installation, number: int, ticked: Collection[str]) -> None:
    """Have ignored votes count after all (uncounted.py). Raises NothingTicked and
    NothingIgnored."""
    with installation.database.writing() as session:
        _turn(installation, session, number)
        uncounted.restore(installation, session, number, ticked)


def _turn(installation: Installation, session: Session, number: int) -> datetime:
    """Wait for this subscriber's turn; the time. Raises BadLink if they are gone."""
    subscribers.take_turns(session, number)
    member(session, number)
    return installation.clock()


def _numbers(texts: Collection[str]) -> list[int]:
    """Those of the texts that may be a row's number."""
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 10]
