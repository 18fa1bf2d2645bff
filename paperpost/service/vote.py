"""Votes, by the links of a mail and by command."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from mailer.plain import readable
from paperpost.errors import PaperpostError
from paperpost.service import links, presses, quarantine, uncounted
from paperpost.service.account import member, named
from paperpost.service.installation import Installation
from paperpost.service.letters import web_address
from paperpost.service.links import Purpose
from paperpost.service.quarantine import YOUNG
from paperpost.service.uncounted import Ignored
from paperpost.store import arrivals, papers, subscribers, vote_posts, votes
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Paper, VotePost
from paperpost.store.votes import Standing

VALUES = {"up": 1, "down": -1, "none": 0}
WORDS = {value: word for word, value in VALUES.items()}


class CannotVote(PaperpostError):
    """The vote names a subscriber, a paper or a value that does not exist."""


@dataclass(frozen=True, slots=True)
class VotePage:
    """What a vote link shows: the paper, what the link stands for, and how the vote stands.

    `wanted` and `value` are "up", "down" or "none"; a held vote counts from `counts_at`. `ignored`
    is the burst of votes for which the newest one on this paper was taken for a program's;
    `votes_itself`: whether a script may press the first button.
    """

    paper_id: str
    title: str
    authors: tuple[str, ...]
    address: str
    wanted: str
    value: str
    held: bool
    counts_at: datetime | None
    ignored: Ignored | None
    votes_itself: bool


def show(installation: Installation, token: str) -> VotePage:
    """What a vote link is about. Changes nothing. Raises LinkError, and CannotVote where the paper
    is gone."""
    with installation.database.reading() as session:
        ballot = _ballot(installation, session, token)
        return _page(installation, session, ballot)


def cast_by_link(installation: Installation, token: str, value: str) -> VotePage:
    """Record a vote that a form behind a vote link posted; it counts after the hold, unless a
    program seems to have cast it (quarantine.py).

    The link is the authority for both thumbs and the withdrawal on its paper. Saying the same
    again changes nothing, but the post is kept.
    """
    if value not in VALUES:
        raise CannotVote(f"a vote is up, down or none, not {value[:20]!r}")
    now = installation.clock()
    hold = timedelta(seconds=installation.settings.vote_hold_seconds)
    with installation.database.writing() as session:
        ballot = _ballot(installation, session, token)
        subscribers.take_turns(session, ballot.subscriber_id)
        votes.cast(
            session,
            ballot.subscriber_id,
            number_of(ballot.paper),
            VALUES[value],
            origin=votes.LINK,
            now=now,
            counts_at=now + hold,
        )
        vote_posts.add(session, ballot.post(VALUES[value], now))
        if hold:
            number = ballot.subscriber_id
            found = quarantine.void_automatic(session, number, now, hold)
            presses.undo_automatic(session, number, found, now)
        return _page(installation, session, ballot)


def restore_by_link(installation: Installation, token: str, ticked: Collection[str]) -> VotePage:
    """Have the ignored votes of these numbers count after all (uncounted.py). Raises LinkError,
    CannotVote, NothingTicked and NothingIgnored."""
    with installation.database.writing() as session:
        ballot = _ballot(installation, session, token)
        subscribers.take_turns(session, ballot.subscriber_id)
        uncounted.restore(installation, session, ballot.subscriber_id, ticked)
        return _page(installation, session, ballot)


def cast_by_command(installation: Installation, email: str, paper_id: str, value: str) -> Standing:
    """Record a vote that counts at once."""
    with installation.database.reading() as session:
        number = id_of(named(session, email))
    return cast_at_once(installation, number, paper_id, value, origin="command")


def cast_at_once(
    installation: Installation, number: int, paper_id: str, value: str, *, origin: str
) -> Standing:
    """Record what a subscriber says of a paper, of which it is certain that they say it: it counts
    at once. Raises CannotVote, and BadLink if they are gone."""
    if value not in VALUES:
        raise CannotVote(f"a vote is up, down or none, not {value!r}")
    now = installation.clock()
    with installation.database.writing() as session:
        subscribers.take_turns(session, number)
        member(session, number)
        paper = papers.find_public(session, paper_id)
        if paper is None:
            raise CannotVote(f"there is no paper {paper_id}")
        return votes.cast(
            session,
            number,
            number_of(paper),
            VALUES[value],
            origin=origin,
            now=now,
            counts_at=now,
        )


@dataclass(frozen=True, slots=True)
class _Ballot:
    """Whose vote on which paper a link is, the value it stands for, and when it was made."""

    subscriber_id: int
    paper: Paper
    wanted: int
    issued_at: datetime

    def post(self, value: int, now: datetime) -> VotePost:
        """The record of what was posted behind the link."""
        return VotePost(
            subscriber_id=self.subscriber_id,
            paper_number=number_of(self.paper),
            link_value=self.wanted,
            value=value,
            issued_at=self.issued_at,
            posted_at=now,
        )


def _ballot(installation: Installation, session: Session, token: str) -> _Ballot:
    _, link = links.owner(installation, session, token, Purpose.VOTE)
    subscriber_id, paper_number, wanted = link.fields
    paper = papers.by_number(session, [paper_number]).get(paper_number)
    if paper is None:
        raise CannotVote("this link's paper is no longer stored")
    return _Ballot(subscriber_id, paper, wanted, link.issued)


def _page(installation: Installation, session: Session, ballot: _Ballot) -> VotePage:
    paper, now = ballot.paper, installation.clock()
    standing = votes.standing(session, ballot.subscriber_id, number_of(paper), now)
    return VotePage(
        paper_id=paper.id,
        title=readable(paper.title),
        authors=tuple(map(readable, paper.authors)),
        address=paper.url or web_address(installation.settings, paper),
        wanted=WORDS[ballot.wanted],
        value=WORDS[standing.value],
        held=standing.held,
        counts_at=standing.counts_at,
        ignored=_ignored(session, ballot, now),
        votes_itself=_votes_itself(installation, session, ballot, now),
    )


def _ignored(session: Session, ballot: _Ballot, now: datetime) -> Ignored | None:
    for burst in uncounted.ignored(session, ballot.subscriber_id, now):
        if any(vote.paper_id == ballot.paper.id for vote in burst.votes):
            return burst
    return None


def _votes_itself(
    installation: Installation, session: Session, ballot: _Ballot, now: datetime
) -> bool:
    """Whether following the link may be the vote: of a mail that is no longer being checked, and
    only the first time, so that a page that is opened again does not undo what was said since."""
    if not installation.settings.vote_one_tap:
        return False
    arrived_at = arrivals.of_digest(session, ballot.subscriber_id, ballot.issued_at)
    if arrived_at is None or now - arrived_at < YOUNG:
        return False
    return votes.last_said(session, ballot.subscriber_id, number_of(ballot.paper)) is None
