"""Whether a person pressed a button whose effect nobody wants from a program.

Leaving and deleting by a page's button, and saying that ignored votes were one's own. What checks
mail presses buttons as soon as it has loaded a page; a person reads it first. So the page tells
when it was opened, and such a button acts only some seconds later. That moment is not signed:
whoever holds the link may do all this anyway.
"""

from datetime import UTC, datetime, timedelta
from math import ceil

from sqlmodel import Session

from paperpost.errors import PaperpostError
from paperpost.service.installation import Installation
from paperpost.store import arrivals, vote_posts

# What runs pages presses a button as soon as it is there; a person looks at it first.
GLANCE = timedelta(seconds=3)
# When there is reason to suspect a program: longer than it spends on one page.
READING = timedelta(seconds=10)
# Mail is checked within minutes of its delivery.
YOUNG = timedelta(minutes=10)
# After the last post behind a vote link, what made it may still be at work.
CALM = timedelta(seconds=60)


class TooSoon(PaperpostError):
    """The button was pressed as fast as a program does; `opened` is what its page has to tell at
    the next try, which acts in `seconds`."""

    def __init__(self, now: datetime, opened: datetime, ready: datetime) -> None:
        self.seconds = max(1, ceil((ready - now).total_seconds()))
        self.opened = stamp(opened)
        super().__init__(
            "programs that check mail press buttons too; if it was you, please press once more, in "
            f"{self.seconds} second{'s' if self.seconds != 1 else ''} or later"
        )


def stamp(moment: datetime) -> str:
    """When a page was opened, as its forms say it: whole seconds since 1970."""
    return str(int(moment.timestamp()))


def _read(opened: str, now: datetime) -> datetime:
    """What a form said; now, if that is no moment of the past."""
    if not (opened.isascii() and opened.isdigit() and len(opened) <= 11):
        return now
    return min(datetime.fromtimestamp(int(opened), UTC), now)


def require_a_person(
    installation: Installation, session: Session, subscriber_id: int, opened: str
) -> None:
    """Raise TooSoon for a button pressed at once; shortly after a mail or a vote by link it has to
    be looked at for longer. Without a hold on votes no rule against programs applies.
    """
    now = installation.clock()
    if installation.settings.vote_hold_seconds:
        opened_at = _read(opened, now)
        pause = READING if _is_suspicious(session, subscriber_id, now) else GLANCE
        _refuse_before(opened_at + pause, now, opened_at)


def require_calm(
    installation: Installation, session: Session, subscriber_id: int, opened: str
) -> None:
    """Raise TooSoon for a button pressed at once, or before the last burst of posts is over."""
    now = installation.clock()
    opened_at = _read(opened, now)
    voted_at = vote_posts.newest_at(session, subscriber_id)
    calm_at = now if voted_at is None else voted_at + CALM
    _refuse_before(max(opened_at + READING, calm_at), now, opened_at)


def _is_suspicious(session: Session, subscriber_id: int, now: datetime) -> bool:
    arrived_at = arrivals.newest(session, subscriber_id, now)
    voted_at = vote_posts.newest_at(session, subscriber_id)
    return (arrived_at is not None and now - arrived_at < YOUNG) or (
        voted_at is not None and now - voted_at < CALM
    )


def _refuse_before(ready: datetime, now: datetime, opened: datetime) -> None:
    if now < ready:
        raise TooSoon(now, opened, ready)
