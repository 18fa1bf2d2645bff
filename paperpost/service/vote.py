"""Votes, by the links of a mail and by command."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from mailer.plain import readable
from paperpost.errors import PaperpostError
from paperpost.service import links
from paperpost.service.account import named
from paperpost.service.installation import Installation
from paperpost.service.letters import web_address
from paperpost.service.links import Purpose
from paperpost.store import papers, subscribers, votes
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Paper
from paperpost.store.votes import Standing

VALUES = {"up": 1, "down": -1, "none": 0}
WORDS = {value: word for word, value in VALUES.items()}


class CannotVote(PaperpostError):
    """The vote names a subscriber, a paper or a value that does not exist."""


@dataclass(frozen=True, slots=True)
class VotePage:
    """What a vote link shows: the paper, what the link stands for, and how the vote stands.

    `wanted` and `value` are "up", "down" or "none"; a held vote counts from `counts_at`.
    """

    paper_id: str
    title: str
    authors: tuple[str, ...]
    address: str
    wanted: str
    value: str
    held: bool
    counts_at: datetime | None


def show(installation: Installation, token: str) -> VotePage:
    """What a vote link is about. Changes nothing. Raises LinkError, and CannotVote where the
    subscriber or the paper is gone."""
    with installation.database.reading() as session:
        ballot = _ballot(installation, session, token)
        standing = votes.standing(
            session, ballot.subscriber_id, number_of(ballot.paper), installation.clock()
        )
    return _page(installation, ballot, standing)


def cast_by_link(installation: Installation, token: str, value: str) -> VotePage:
    """Record a vote that a form behind a vote link posted; it counts after the hold.

    The link is the authority for both thumbs and the withdrawal on its paper. Saying the same
    again changes nothing.
    """
    if value not in VALUES:
        raise CannotVote(f"a vote is up, down or none, not {value[:20]!r}")
    now = installation.clock()
    hold = timedelta(seconds=installation.settings.vote_hold_seconds)
    with installation.database.writing() as session:
        ballot = _ballot(installation, session, token)
        standing = votes.cast(
            session,
            ballot.subscriber_id,
            number_of(ballot.paper),
            VALUES[value],
            origin="link",
            now=now,
            counts_at=now + hold,
        )
    return _page(installation, ballot, standing)


def cast_by_command(installation: Installation, email: str, paper_id: str, value: str) -> Standing:
    """Record a vote that counts at once."""
    if value not in VALUES:
        raise CannotVote(f"a vote is up, down or none, not {value!r}")
    now = installation.clock()
    with installation.database.writing() as session:
        person = named(session, email)
        paper = papers.find(session, paper_id)
        if paper is None:
            raise CannotVote(f"there is no paper {paper_id}")
        return votes.cast(
            session,
            id_of(person),
            number_of(paper),
            VALUES[value],
            origin="command",
            now=now,
            counts_at=now,
        )


@dataclass(frozen=True, slots=True)
class _Ballot:
    """Whose vote on which paper a link is, and the value it stands for."""

    subscriber_id: int
    paper: Paper
    wanted: int


def _ballot(installation: Installation, session: Session, token: str) -> _Ballot:
    link = links.read(installation.signer, token, Purpose.VOTE, installation.clock())
    subscriber_id, paper_number, wanted = link.fields
    paper = papers.by_number(session, [paper_number]).get(paper_number)
    if paper is None or subscriber_id not in subscribers.by_id(session, [subscriber_id]):
        raise CannotVote("this link's paper or subscriber is no longer stored")
    return _Ballot(subscriber_id, paper, wanted)


def _page(installation: Installation, ballot: _Ballot, standing: Standing) -> VotePage:
    paper = ballot.paper
    return VotePage(
        paper_id=paper.id,
        title=readable(paper.title),
        authors=tuple(map(readable, paper.authors)),
        address=paper.url or web_address(installation.settings, paper),
        wanted=WORDS[ballot.wanted],
        value=WORDS[standing.value],
        held=standing.held,
        counts_at=standing.counts_at,
    )
