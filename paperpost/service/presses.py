"""The button of the page that unsubscribes, which programs press too.

What checks mail opens its links and submits the forms behind them. So the button sleeps during a
mail's first minute; after that it acts at once, and is undone if it was pressed among the votes
that a program cast. What a mail program asks for as RFC 8058 says is no press, and acts always.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from paperpost.service.quarantine import ALL_THUMBS, HASTE, LOOKS_BACK, PAUSE
from paperpost.service.subscribe import reactivate
from paperpost.store import arrivals, presses, subscribers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Press, Subscriber, SubscriberState, VotePost


def is_too_early(session: Session, subscriber_id: int, issued_at: datetime, now: datetime) -> bool:
    """Whether the mail whose links were issued then arrived so lately that a program may press its
    buttons. A link that no mail brought stands on a page that any mail may have led to: there the
    newest decides."""
    arrived_at = arrivals.of_digest(session, subscriber_id, issued_at)
    if arrived_at is None:
        arrived_at = arrivals.newest(session, subscriber_id)
    return arrived_at is not None and abs(now - arrived_at) <= HASTE


def note(session: Session, person: Subscriber, now: datetime) -> None:
    """Keep what is needed to undo a press; to be called before it acts."""
    if person.state == SubscriberState.ACTIVE:
        due_at = person.next_due_at
        presses.put(session, Press(subscriber_id=id_of(person), pressed_at=now, due_at=due_at))


def settle(session: Session, subscriber_id: int) -> None:
    """Have nothing undone any more: they left in a way that always acts."""
    presses.remove(session, subscriber_id)


def undone_at(session: Session, subscriber_id: int) -> datetime | None:
    """When somebody whom a program had unsubscribed was subscribed again, if that was lately."""
    press = presses.of_subscriber(session, subscriber_id)
    return press.undone_at if press else None


def undo_automatic(
    session: Session, subscriber_id: int, found: Sequence[tuple[VotePost, str]], now: datetime
) -> bool:
    """Subscribe somebody again whom a program unsubscribed; whether it did. `found` are the posts
    that programs made lately (quarantine.py)."""
    if not found:
        return False
    person = subscribers.by_id(session, [subscriber_id])[subscriber_id]
    press = _that_unsubscribed(session, person)
    if press is None or not _is_a_programs(press, found):
        return False
    # As if they had never left: a digest that has become due meanwhile is composed.
    person.next_due_at, press.undone_at = press.due_at, now
    reactivate(session, person, now)
    presses.put(session, press)
    return True


def _that_unsubscribed(session: Session, person: Subscriber) -> Press | None:
    """The press by which somebody left, if it was one."""
    press = presses.of_subscriber(session, id_of(person))
    if person.state != SubscriberState.UNSUBSCRIBED or press is None:
        return None
    return press if press.pressed_at == person.left_at else None


def _is_a_programs(press: Press, found: Sequence[tuple[VotePost, str]]) -> bool:
    """Whether a press lies no farther than a PAUSE from what a program posted; for one that takes
    link after link, as far as that is looked at."""
    at = press.pressed_at
    return any(
        abs(at - post.posted_at) <= (LOOKS_BACK if reason == ALL_THUMBS else PAUSE)
        for post, reason in found
    )
