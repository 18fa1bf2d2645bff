"""Leaving, by the link of any mail, however old; and coming back soon after."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from mailer.links import Link
from paperpost.service import links, presses, quarantine
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.subscribe import deactivate, reactivate
from paperpost.store import subscribers
from paperpost.store.tables import Subscriber, SubscriberState

SECOND_THOUGHTS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Leaving:
    """What asking to leave led to: `may_come_back` by the same link; the button `sleeps` while a
    mail is new; `undone` because a program pressed it."""

    subscribed: bool
    may_come_back: bool = False
    sleeps: bool = False
    undone: bool = False


GONE = Leaving(subscribed=False)


def leave(installation: Installation, token: str) -> Leaving:
    """Unsubscribe, for good and always. Somebody who is gone already is unsubscribed too
    (RFC 8058: no error). Raises BadLink for what was never such a link."""
    number = _leaver(installation, token)
    with installation.database.writing() as session:
        person = _in_turn(session, number)
        if person is None:
            return GONE
        now = installation.clock()
        presses.settle(session, number)
        _unsubscribe(session, person, now)
        return _left(person, now)


def press_leave(installation: Installation, token: str) -> Leaving:
    """Unsubscribe by our own page's button, unless a program seems to have pressed it
    (presses.py); without a hold on votes no rule against programs applies. Raises BadLink."""
    if not installation.settings.vote_hold_seconds:
        return leave(installation, token)
    link = _link(installation, token)
    number = link.fields[0]
    with installation.database.writing() as session:
        person = _in_turn(session, number)
        if person is None:
            return GONE
        now = installation.clock()
        gets_mail = person.state != SubscriberState.UNSUBSCRIBED
        if gets_mail and presses.is_too_early(session, number, link.issued, now):
            return Leaving(subscribed=True, sleeps=True)
        presses.note(session, person, now)
        _unsubscribe(session, person, now)
        if presses.undo_automatic(session, number, quarantine.judge(session, number, now), now):
            return Leaving(subscribed=True, undone=True)
        return _left(person, now)


def _in_turn(session: Session, number: int) -> Subscriber | None:
    subscribers.take_turns(session, number)
    return subscribers.by_id(session, [number]).get(number)


def _unsubscribe(session: Session, person: Subscriber, now: datetime) -> None:
    if person.state != SubscriberState.UNSUBSCRIBED:
        deactivate(person, now)
        session.add(person)
        session.flush()


def _left(person: Subscriber, now: datetime) -> Leaving:
    return Leaving(subscribed=False, may_come_back=_may_come_back(person, now))


def come_back(installation: Installation, token: str) -> bool:
    """Undo an unsubscription, for who was unsubscribed by mistake; False if they are gone, never
    confirmed their address, or left more than a day ago: old mails get around."""
    number = _leaver(installation, token)
    with installation.database.writing() as session:
        person, now = _in_turn(session, number), installation.clock()
        if person is None or not _may_come_back(person, now):
            return False
        if person.state == SubscriberState.UNSUBSCRIBED:
            reactivate(session, person, now)
        return True


def _may_come_back(person: Subscriber, now: datetime) -> bool:
    if person.confirmed_at is None:
        return False
    return person.left_at is None or now - person.left_at <= SECOND_THOUGHTS


def is_subscribed(installation: Installation, token: str) -> bool:
    """Whether the person behind an unsubscribe link still gets mail. Raises BadLink."""
    number = _leaver(installation, token)
    with installation.database.reading() as session:
        person = subscribers.by_id(session, [number]).get(number)
    return person is not None and person.state != SubscriberState.UNSUBSCRIBED


def _leaver(installation: Installation, token: str) -> int:
    return _link(installation, token).fields[0]


def _link(installation: Installation, token: str) -> Link:
    return links.read(installation.signer, token, Purpose.UNSUBSCRIBE, installation.clock())
