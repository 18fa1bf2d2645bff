"""A subscriber's own doors: preferences, pause, leaving, export and deletion.

Preferences, pause and leaving work by the links of every mail. Export and deletion ask for a
link mailed fresh, so that a forwarded digest does not give its owner away. Where a `door` is
asked for it is PREFERENCES or ACCESS: the purpose that the token must have been signed for.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from paperpost.errors import PaperpostError
from paperpost.service import calendar, links, presses, quarantine, uncounted, wishes
from paperpost.service.export import everything
from paperpost.service.installation import Installation
from paperpost.service.last_digest import LastDigest, last_digest
from paperpost.service.letters import remove_files
from paperpost.service.links import Purpose
from paperpost.service.subscribe import apply, deactivate, mail_access_link, reactivate
from paperpost.service.suppression import lift
from paperpost.service.uncounted import Ignored, Uncounted
from paperpost.service.wishes import InvalidWish, Wishes, percent
from paperpost.store import library, outbox, subscribers, votes
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber, SubscriberState

LONGEST_PAUSE = timedelta(days=366)
SECOND_THOUGHTS = timedelta(days=1)


class UnknownSubscriber(PaperpostError):
    """There is nobody with that address."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a subscriber's pages show of them. `library_votes` are of all votes those that their own
    library became. `may_take_all` is true behind a fresh link;
    `interests` are by kind; `threshold` is in per cent; `undone_at` is when a program's press of
    the unsubscribe button was undone, `leave_token` opens the page that has it."""

    email: str
    state: str
    interests: Mapping[str, list[str]]
    timezone: str
    hour: int
    size: int
    frequency: str
    threshold: int | None
    explore: bool
    quiet_note: bool
    revisions: bool
    paused_until: date | None
    suppressed_at: datetime | None
    suppressed_because: str | None
    undone_at: datetime | None
    votes: int
    library_votes: int
    held_votes: tuple[Uncounted, ...]
    ignored_votes: tuple[Ignored, ...]
    last: LastDigest
    may_take_all: bool
    leave_token: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """What asking to leave led to: `may_come_back` by the same link; the button `sleeps` while a
    mail is new; `undone` because a program pressed it."""

    subscribed: bool
    may_come_back: bool = False
    sleeps: bool = False
    undone: bool = False


GONE = Leaving(subscribed=False)


def owner(installation: Installation, token: str, door: Purpose) -> Subscriber:
    """Whose link this is. Changes nothing. Raises LinkError."""
    with installation.database.reading() as session:
        return links.owner(installation, session, token, door)[0]


def show(installation: Installation, token: str, door: Purpose) -> Account:
    """The account behind a preferences link or a fresh one. Changes nothing. Raises LinkError."""
    with installation.database.reading() as session:
        person, _ = links.owner(installation, session, token, door)
        return _account(installation, session, person, door)


def change(installation: Installation, token: str, door: Purpose, wanted: Wishes) -> Account:
    """Make interests and schedule as asked for. Raises LinkError."""
    with installation.database.writing() as session:
        person, _ = links.owner(installation, session, token, door)
        apply(session, person, wanted, installation.clock())
        return _account(installation, session, person, door)


def pause(installation: Installation, token: str, door: Purpose, until: str) -> Account:
    """Send nothing before the date `until` (YYYY-MM-DD); an empty one ends the pause.

    Raises LinkError, and InvalidWish for what is no date within a year.
    """
    with installation.database.writing() as session:
        person, _ = links.owner(installation, session, token, door)
        today = calendar.local_date(person.timezone, installation.clock())
        person.paused_until = _pause_end(until.strip(), today)
        session.add(person)
        return _account(installation, session, person, door)


def mail_again(installation: Installation, token: str, door: Purpose) -> Account:
    """Mail again to an address that sent mail back. Raises LinkError."""
    with installation.database.writing() as session:
        person, _ = links.owner(installation, session, token, door)
        lift(session, person, installation.clock())
        return _account(installation, session, person, door)


def _pause_end(text: str, today: date) -> date | None:
    if not text:
        return None
    try:
        until = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidWish(f"not a date: {text[:20]!r} (write it like 2026-12-24)") from error
    if not today < until <= today + LONGEST_PAUSE:
        raise InvalidWish("a pause ends on a day after today, within a year")
    return until


def mail_link(installation: Installation, token: str, door: Purpose) -> tuple[Account, bool]:
    """Have a fresh link mailed; False if one was just before. Raises LinkError."""
    shown = show(installation, token, door)
    return shown, mail_access_link(installation, shown.email)


def restore(
    installation: Installation, token: str, door: Purpose, ticked: Collection[str]
) -> Account:
    """Have ignored votes count after all (uncounted.py). Raises LinkError, NothingTicked and
    NothingIgnored."""
    with installation.database.writing() as session:
        person, _ = links.owner(installation, session, token, door)
        subscribers.take_turns(session, id_of(person))
        uncounted.restore(installation, session, id_of(person), ticked)
        return _account(installation, session, person, door)


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
    number = _leaver(installation, token)
    with installation.database.writing() as session:
        person = _in_turn(session, number)
        if person is None:
            return GONE
        now = installation.clock()
        gets_mail = person.state != SubscriberState.UNSUBSCRIBED
        if gets_mail and presses.is_too_early(session, number, now):
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


def export_by_link(installation: Installation, token: str) -> dict[str, Any]:
    """Everything stored about the owner of a fresh link. Raises LinkError."""
    with installation.database.reading() as session:
        person, _ = links.owner(installation, session, token, Purpose.ACCESS)
        return everything(installation, session, person)


def delete_by_link(installation: Installation, token: str) -> None:
    """Delete everything about the owner of a fresh link. Raises LinkError."""
    with installation.database.writing() as session:
        person, _ = links.owner(installation, session, token, Purpose.ACCESS)
        _remove(installation, session, person)


def export(installation: Installation, email: str) -> dict[str, Any]:
    """Everything stored about an address, for the operator."""
    with installation.database.reading() as session:
        return everything(installation, session, named(session, email))


def delete(installation: Installation, email: str) -> None:
    """Delete everything stored about an address, for good."""
    with installation.database.writing() as session:
        _remove(installation, session, named(session, email))


def _remove(installation: Installation, session: Session, person: Subscriber) -> None:
    library.take_turns(session, id_of(person))
    mails = outbox.of_subscriber(session, id_of(person))
    library.remove_all(session, id_of(person))
    subscribers.remove(session, id_of(person))
    remove_files(installation, mails, person.email)


def named(session: Session, email: str) -> Subscriber:
    """The subscriber with that address, in whatever state; raises UnknownSubscriber."""
    person = subscribers.by_email(session, wishes.address(email))
    if person is None:
        raise UnknownSubscriber(f"{email} is not a subscriber")
    return person


def _leaver(installation: Installation, token: str) -> int:
    link = links.read(installation.signer, token, Purpose.UNSUBSCRIBE, installation.clock())
    return link.fields[0]


def _account(
    installation: Installation, session: Session, person: Subscriber, door: Purpose
) -> Account:
    number, now = id_of(person), installation.clock()
    own = subscribers.interests(session, [number])[number]
    cast = votes.counted(session, now, [number])
    return Account(
        email=person.email,
        state=person.state,
        interests={kind.value: values for kind, values in own.items()},
        timezone=person.timezone,
        hour=person.hour,
        size=person.size,
        frequency=person.frequency,
        threshold=percent(person.threshold),
        explore=person.explore,
        quiet_note=person.quiet_note,
        revisions=person.revisions,
        paused_until=person.paused_until,
        suppressed_at=person.suppressed_at,
        suppressed_because=person.suppressed_because,
        undone_at=presses.undone_at(session, number),
        votes=len(cast.get(number, {})),
        library_votes=library.count(session, number),
        held_votes=uncounted.held(session, number, now),
        ignored_votes=uncounted.ignored(session, number, now),
        last=last_digest(session, number),
        may_take_all=door == Purpose.ACCESS,
        leave_token=links.token(installation.signer, Purpose.UNSUBSCRIBE, now, number),
    )
