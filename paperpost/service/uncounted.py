"""Votes that do not count, as their owner sees them: held ones, and those taken for a program's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from mailer.plain import readable
from paperpost.errors import PaperpostError
from paperpost.service import presses, quarantine
from paperpost.service.installation import Installation
from paperpost.store import papers, votes
from paperpost.store.tables import Vote

SHOWN_FOR = timedelta(days=7)
RESTORED = "restored"


class NothingIgnored(PaperpostError):
    """There are no ignored votes of that number, any more."""


@dataclass(frozen=True, slots=True)
class Uncounted:
    """What was said of a paper (1, -1, or 0 for a withdrawal), and from when on it counts unless
    it was voided."""

    paper_id: str
    title: str
    value: int
    counts_at: datetime


@dataclass(frozen=True, slots=True)
class Ignored:
    """Votes that were voided together; `number` names them to `restore`."""

    number: int
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
            number=burst[0].id or 0,
            reason=burst[0].voided or "",
            cast_at=burst[-1].cast_at,
            votes=_told(session, burst),
        )
        for burst in _bursts(session, subscriber_id, now)[::-1]
    )


def restore(
    installation: Installation, session: Session, subscriber_id: int, number: str, opened: str
) -> None:
    """Cast a burst of ignored votes anew, because their owner says so: they count at once, and are
    out of reach of the rules that voided them. Raises TooSoon and NothingIgnored."""
    now = installation.clock()
    own = _bursts(session, subscriber_id, now)
    burst = next((acts for acts in own if str(acts[0].id) == number), None)
    if burst is None:
        raise NothingIgnored("these clicks are not ignored any more")
    presses.require_calm(installation, session, subscriber_id, opened)
    for act in burst:
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
    return list(quarantine.bursts(acts, lambda act: act.cast_at))


def _told(session: Session, acts: Iterable[Vote]) -> tuple[Uncounted, ...]:
    acts = list(acts)
    named = papers.by_number(session, [act.paper_number for act in acts])
    return tuple(
        Uncounted(
            paper_id=named[act.paper_number].id,
            title=readable(named[act.paper_number].title),
            value=act.value,
            counts_at=act.counts_at,
        )
        for act in acts
    )
