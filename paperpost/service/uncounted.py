"""Votes that do not count, as their owner sees them: held ones, and those taken for a program's."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from mailer.plain import readable
from paperpost.errors import PaperpostError
from paperpost.service import quarantine
from paperpost.service.installation import Installation
from paperpost.service.quarantine import PAUSE
from paperpost.store import papers, votes
from paperpost.store.tables import Vote

SHOWN_FOR = timedelta(days=7)
RESTORED = "restored"


class NothingTicked(PaperpostError):
    """Nobody said which votes were theirs."""

    def __init__(self) -> None:
        super().__init__("tick the papers on which it was you, then press the button")


class NothingIgnored(PaperpostError):
    """None of those votes is ignored, any more."""

    def __init__(self) -> None:
        super().__init__("these clicks are not ignored any more")


@dataclass(frozen=True, slots=True)
class Uncounted:
    """What was said of a paper (1, -1, or 0 for a withdrawal), and from when on it counts unless
    it was voided; `number` names it to `restore`."""

    number: int
    paper_id: str
    title: str
    value: int
    counts_at: datetime


@dataclass(frozen=True, slots=True)
class Ignored:
    """Votes that were voided together."""

    reason: str
    cast_at: datetime
    votes: tuple[Uncounted, ...]


def held(session: Session, subscriber_id: int, now: datetime) -> tuple[Uncounted, ...]:
    """The votes that wait to count, oldest first."""
    return _told(session, votes.held(session, subscriber_id, now))


def ignored(session: Session, subscriber_id: int, now: datetime) -> tuple[Ignored, ...]:
    """The votes of the last days that were taken for a program's, burst by burst, newest first."""
    return tuple(
        Ignored(
            reason=burst[0].voided or "",
            cast_at=burst[-1].cast_at,
            votes=_told(session, burst),
        )
        for burst in _bursts(session, subscriber_id, now)[::-1]
    )


def restore(
    installation: Installation, session: Session, subscriber_id: int, ticked: Collection[str]
) -> None:
    """Cast ignored votes anew, those of the numbers that their owner ticked: they count at once,
    and are out of reach of the rules that voided them. Raises NothingTicked and NothingIgnored.

    Programs submit forms as they find them; that a box has to be ticked keeps them out.
    """
    if not ticked:
        raise NothingTicked
    now = installation.clock()
    own = votes.ignored(session, subscriber_id, now - SHOWN_FOR)
    chosen = [act for act in own if str(act.id) in ticked]
    if not chosen:
        raise NothingIgnored
    for act in chosen:
        votes.cast(
            session,
            subscriber_id,
            act.paper_number,
            act.value,
            origin=RESTORED,
            now=now,
            counts_at=now,
        )


def _bursts(session: Session, subscriber_id: int, now: datetime) -> list[list[Vote]]:
    acts = votes.ignored(session, subscriber_id, now - SHOWN_FOR)
    return list(quarantine.bursts(acts, lambda act: act.cast_at, PAUSE))


def _told(session: Session, acts: Iterable[Vote]) -> tuple[Uncounted, ...]:
    acts = list(acts)
    named = papers.by_number(session, [act.paper_number for act in acts])
    return tuple(
        Uncounted(
            number=act.id or 0,
            paper_id=named[act.paper_number].id,
            title=readable(named[act.paper_number].title),
            value=act.value,
            counts_at=act.counts_at,
        )
        for act in acts
    )
