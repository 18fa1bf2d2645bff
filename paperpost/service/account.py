"""A subscriber's own account: preferences, pause, export and deletion.

Preferences and pause work by the links of every mail. Export and deletion ask for a link mailed
fresh, so that a forwarded digest does not give its owner away. Whoever calls with a subscriber's
number has made sure (`owner`) that they may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from paperpost.errors import PaperpostError
from paperpost.service import calendar, links, presses, wishes
from paperpost.service.export import everything, liked
from paperpost.service.installation import Installation
from paperpost.service.last_digest import LastDigest, last_digest
from paperpost.service.letters import remove_files
from paperpost.service.links import BadLink, Purpose
from paperpost.service.subscribe import apply
from paperpost.service.suppression import lift
from paperpost.service.uncounted import SHOWN_FOR
from paperpost.service.wishes import InvalidWish, Wishes, percent
from paperpost.store import library, outbox, subscribers, vote_lists, votes
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber

LONGEST_PAUSE = timedelta(days=366)


class UnknownSubscriber(PaperpostError):
    """There is nobody with that address."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a subscriber's pages show of them.

    `next_at` is when the next digest is due, None where none is mailed as things stand;
    `threshold` is in per cent; `library_votes` are of all votes those that their own library
    became; `held_votes` wait to count, `ignored_votes` were taken for a program's; `undone_at` is
    when a program's press of the unsubscribe button was undone, `leave_token` opens the page that
    has it, `feed_token` their Atom feed.
    """

    state: str
    next_at: datetime | None
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
    held_votes: int
    ignored_votes: int
    last: LastDigest
    leave_token: str
    feed_token: str


def owner(installation: Installation, token: str, door: Purpose) -> Subscriber:
    """Whose link this is. Changes nothing. Raises LinkError."""
    with installation.database.reading() as session:
        return links.owner(installation, session, token, door)[0]


def show(installation: Installation, number: int) -> Account:
    """A subscriber's account. Changes nothing. Raises BadLink if they are gone."""
    with installation.database.reading() as session:
        return _account(installation, session, member(session, number))


def change(installation: Installation, number: int, wanted: Wishes) -> Account:
    """Make interests and schedule as asked for. Raises BadLink if they are gone."""
    with installation.database.writing() as session:
        person = member(session, number)
        apply(session, person, wanted, installation.clock())
        return _account(installation, session, person)


def pause(installation: Installation, number: int, until: str) -> Account:
    """Send nothing before the date `until` (YYYY-MM-DD); an empty one ends the pause.

    Raises BadLink if they are gone, and InvalidWish for what is no date within a year.
    """
    with installation.database.writing() as session:
        person = member(session, number)
        today = calendar.local_date(person.timezone, installation.clock())
        person.paused_until = _pause_end(until.strip(), today)
        session.add(person)
        return _account(installation, session, person)


def mail_again(installation: Installation, number: int) -> Account:
    """Mail again to an address that sent mail back. Raises BadLink if they are gone."""
    with installation.database.writing() as session:
        person = member(session, number)
        lift(session, person, installation.clock())
        return _account(installation, session, person)


def member(session: Session, number: int) -> Subscriber:
    """The subscriber of that number, whose link was good a moment ago. Raises BadLink if they are
    gone since."""
    person = subscribers.by_id(session, [number]).get(number)
    if person is None:
        raise BadLink("Whoever this link belonged to is no longer stored.")
    return person


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


def export_by_link(installation: Installation, token: str) -> dict[str, Any]:
    """Everything stored about the owner of a fresh link. Raises LinkError."""
    with installation.database.reading() as session:
        person, _ = links.owner(installation, session, token, Purpose.ACCESS)
        return everything(installation, session, person)


def liked_by_link(installation: Installation, token: str) -> str:
    """The papers that the owner of a fresh link likes, as BibTeX. Raises LinkError."""
    with installation.database.reading() as session:
        person, _ = links.owner(installation, session, token, Purpose.ACCESS)
        return liked(installation, session, person)


def delete_by_link(installation: Installation, token: str) -> None:
    """Delete everything about the owner of a fresh link. Raises LinkError."""
    with installation.database.writing() as session:
        person, _ = links.owner(installation, session, token, Purpose.ACCESS)
        remove(installation, session, person)


def export(installation: Installation, email: str) -> dict[str, Any]:
    """Everything stored about an address, for the operator."""
    with installation.database.reading() as session:
        return everything(installation, session, named(session, email))


def export_liked(installation: Installation, email: str) -> str:
    """The papers that the owner of an address likes, as BibTeX, for the operator."""
    with installation.database.reading() as session:
        return liked(installation, session, named(session, email))


def delete(installation: Installation, email: str) -> None:
    """Delete everything stored about an address, for good."""
    with installation.database.writing() as session:
        remove(installation, session, named(session, email))


def remove(installation: Installation, session: Session, person: Subscriber) -> None:
    """Remove a subscriber and all that is stored about them."""
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


def _account(installation: Installation, session: Session, person: Subscriber) -> Account:
    number, now = id_of(person), installation.clock()
    own = subscribers.interests(session, [number])[number]
    return Account(
        state=person.state,
        next_at=next_digest(person, now),
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
        votes=sum(vote_lists.count_by_value(session, number, now).values()),
        library_votes=library.count(session, number),
        held_votes=len(votes.held(session, number, now)),
        ignored_votes=len(votes.ignored(session, number, now - SHOWN_FOR)),
        last=last_digest(session, number),
        leave_token=links.token(installation.signer, Purpose.UNSUBSCRIBE, now, number),
        feed_token=links.lasting_token(installation.signer, Purpose.FEED, person),
    )


def next_digest(person: Subscriber, now: datetime) -> datetime | None:
    """When a subscriber's next digest is due: at once if it should have come, after the pause if
    there is one; None for those who are mailed none."""
    if person.next_due_at is None or person.suppressed_at is not None:
        return None
    until = person.paused_until
    if until is None or not calendar.is_paused(until, person.timezone, person.next_due_at):
        return person.next_due_at
    before_it = calendar.instant(until, 0, person.timezone) - timedelta(seconds=1)
    return calendar.next_due(person.frequency, person.hour, person.timezone, before_it).at
