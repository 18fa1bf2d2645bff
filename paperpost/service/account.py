"""A subscriber's own doors: preferences, pause, leaving, export and deletion.

Preferences, pause and leaving work by the links of every mail. Export and deletion ask for a
link mailed fresh, so that a forwarded digest does not give its owner away. Where a `door` is
asked for it is PREFERENCES or ACCESS: the purpose that the token must have been signed for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from paperpost.errors import PaperpostError
from paperpost.service import calendar, links, uncounted, wishes
from paperpost.service.installation import Installation
from paperpost.service.last_digest import LastDigest, last_digest
from paperpost.service.letters import remove_files
from paperpost.service.links import BadLink, Purpose
from paperpost.service.presses import require_a_person
from paperpost.service.subscribe import apply, deactivate, mail_access_link, reschedule
from paperpost.service.suppression import lift
from paperpost.service.uncounted import Ignored, Uncounted
from paperpost.service.wishes import InvalidWish, Wishes, percent
from paperpost.store import bounces, digests, outbox, papers, subscribers, vote_posts, votes
from paperpost.store.subscribers import id_of
from paperpost.store.tables import (
    Bounce,
    Delivery,
    Digest,
    InterestKind,
    Subscriber,
    SubscriberState,
    Vote,
    VotePost,
)

LONGEST_PAUSE = timedelta(days=366)
SECOND_THOUGHTS = timedelta(days=1)


class UnknownSubscriber(PaperpostError):
    """There is nobody with that address."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a subscriber's pages show of them. `may_take_all` is true behind a fresh link;
    `interests` are by kind; `threshold` is in per cent; `leave_token` opens the page that
    unsubscribes."""

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
    paused_until: date | None
    suppressed_at: datetime | None
    suppressed_because: str | None
    votes: int
    held_votes: tuple[Uncounted, ...]
    ignored_votes: tuple[Ignored, ...]
    last: LastDigest
    may_take_all: bool
    leave_token: str


def show(installation: Installation, token: str, door: Purpose) -> Account:
    """The account behind a preferences link or a fresh one. Changes nothing. Raises LinkError."""
    with installation.database.reading() as session:
        person = _owner(installation, session, token, door)
        return _account(installation, session, person, door)


def change(installation: Installation, token: str, door: Purpose, wanted: Wishes) -> Account:
    """Make interests and schedule as asked for. Raises LinkError."""
    with installation.database.writing() as session:
        person = _owner(installation, session, token, door)
        apply(session, person, wanted, installation.clock())
        return _account(installation, session, person, door)


def pause(installation: Installation, token: str, door: Purpose, until: str) -> Account:
    """Send nothing before the date `until` (YYYY-MM-DD); an empty one ends the pause.

    Raises LinkError, and InvalidWish for what is no date within a year.
    """
    with installation.database.writing() as session:
        person = _owner(installation, session, token, door)
        today = calendar.local_date(person.timezone, installation.clock())
        person.paused_until = _pause_end(until.strip(), today)
        session.add(person)
        return _account(installation, session, person, door)


def mail_again(installation: Installation, token: str, door: Purpose) -> Account:
    """Mail again to an address that sent mail back. Raises LinkError."""
    with installation.database.writing() as session:
        person = _owner(installation, session, token, door)
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


def mail_link(
    installation: Installation, token: str, door: Purpose, opened: str | None
) -> tuple[Account, bool]:
    """Have a fresh link mailed; False if one was just before. `opened` as for `leave`. Raises
    LinkError and TooSoon."""
    with installation.database.reading() as session:
        person = _owner(installation, session, token, door)
        if opened is not None:
            require_a_person(installation, session, id_of(person), opened)
        shown = _account(installation, session, person, door)
    return shown, mail_access_link(installation, shown.email)


def restore(
    installation: Installation, token: str, door: Purpose, burst: str, opened: str
) -> Account:
    """Have a burst of ignored votes count after all (uncounted.py). Raises LinkError, TooSoon and
    NothingIgnored."""
    with installation.database.writing() as session:
        person = _owner(installation, session, token, door)
        uncounted.restore(installation, session, id_of(person), burst, opened)
        return _account(installation, session, person, door)


def leave(installation: Installation, token: str, opened: str | None = None) -> bool:
    """Unsubscribe; whether they may come back by the same link. Somebody who is gone already is
    unsubscribed too (RFC 8058: no error).

    `opened`: when the page was, whose button was pressed (presses.py); None for a program that
    asks as RFC 8058 says, and is obeyed always. Raises TooSoon, and BadLink for what was never such
    a link.
    """
    number = _leaver(installation, token)
    with installation.database.writing() as session:
        person = subscribers.by_id(session, [number]).get(number)
        if person is not None and person.state != SubscriberState.UNSUBSCRIBED:
            if opened is not None:
                require_a_person(installation, session, number, opened)
            deactivate(person, installation.clock())
            session.add(person)
        return person is not None and _may_come_back(person, installation.clock())


def come_back(installation: Installation, token: str) -> bool:
    """Undo an unsubscription, for who was unsubscribed by mistake; False if they are gone, never
    confirmed their address, or left more than a day ago: old mails get around."""
    number = _leaver(installation, token)
    with installation.database.writing() as session:
        person = subscribers.by_id(session, [number]).get(number)
        if person is None or not _may_come_back(person, installation.clock()):
            return False
        if person.state == SubscriberState.UNSUBSCRIBED:
            person.state, person.left_at = SubscriberState.ACTIVE, None
            reschedule(person, installation.clock())
            session.add(person)
            outbox.unsuppress(session, number, installation.clock())
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
        person = _owner(installation, session, token, Purpose.ACCESS)
        return _everything(installation, session, person)


def delete_by_link(installation: Installation, token: str, opened: str | None = None) -> None:
    """Delete everything about the owner of a fresh link; `opened` as for `leave`. Raises LinkError
    and TooSoon."""
    with installation.database.writing() as session:
        person = _owner(installation, session, token, Purpose.ACCESS)
        if opened is not None:
            require_a_person(installation, session, id_of(person), opened)
        _remove(installation, session, person)


def export(installation: Installation, email: str) -> dict[str, Any]:
    """Everything stored about an address, for the operator."""
    with installation.database.reading() as session:
        return _everything(installation, session, named(session, email))


def delete(installation: Installation, email: str) -> None:
    """Delete everything stored about an address, for good."""
    with installation.database.writing() as session:
        _remove(installation, session, named(session, email))


def _remove(installation: Installation, session: Session, person: Subscriber) -> None:
    mails = outbox.of_subscriber(session, id_of(person))
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


def _owner(installation: Installation, session: Session, token: str, door: Purpose) -> Subscriber:
    """Whose link this is; BadLink where it was made for another door."""
    link = links.read(installation.signer, token, door, installation.clock())
    person = subscribers.by_id(session, link.fields).get(link.fields[0])
    if person is None:
        raise BadLink("Whoever this link belonged to is no longer stored.")
    return person


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
        paused_until=person.paused_until,
        suppressed_at=person.suppressed_at,
        suppressed_because=person.suppressed_because,
        votes=len(cast.get(number, {})),
        held_votes=uncounted.held(session, number, now),
        ignored_votes=uncounted.ignored(session, number, now),
        last=last_digest(session, number),
        may_take_all=door == Purpose.ACCESS,
        leave_token=links.token(installation.signer, Purpose.UNSUBSCRIBE, now, number),
    )


def _everything(installation: Installation, session: Session, person: Subscriber) -> dict[str, Any]:
    number, now = id_of(person), installation.clock()
    acts, posts = votes.acts(session, number), vote_posts.of_subscriber(session, number)
    mailed = digests.of_subscriber(session, number)
    shown = {item["paper"] for digest, _ in mailed for item in digest.items}
    voted = {act.paper_number for act in acts} | {post.paper_number for post in posts}
    named = papers.by_number(session, shown | voted)
    names = {key: paper.id for key, paper in named.items()}
    counted = votes.counted(session, now, [number]).get(number, {})
    held = [act for act in acts if act.counts_at > now and act.voided is None]
    return {
        **_person(person),
        "interests": _interests(subscribers.interests(session, [number])[number]),
        "votes": [_vote(act, names) for act in counted.values()],
        "held_votes": [_vote(act, names) for act in held],
        "vote_history": [_act(act, names) for act in acts],
        "vote_posts": [_post(post, names) for post in posts],
        "digests": [_digest(digest, delivery, names) for digest, delivery in mailed],
        "reasons": {
            digest.local_date.isoformat(): [item["reasons"] for item in digest.items]
            for digest, _ in mailed
        },
        "probabilities": {
            digest.local_date.isoformat(): [item.get("probability") for item in digest.items]
            for digest, _ in mailed
        },
        "mails": [_mail(delivery) for delivery in outbox.of_subscriber(session, number)],
        "bounces": [_bounce(bounce) for bounce in bounces.of_subscriber(session, number)],
    }


def _person(person: Subscriber) -> dict[str, Any]:
    times = {
        "joined_at": person.joined_at,
        "confirmed_at": person.confirmed_at,
        "left_at": person.left_at,
        "paused_until": person.paused_until,
        "next_due_at": person.next_due_at,
        "suppressed_at": person.suppressed_at,
    }
    return {
        "email": person.email,
        "state": person.state,
        "timezone": person.timezone,
        "hour": person.hour,
        "size": person.size,
        "frequency": person.frequency,
        "threshold": percent(person.threshold),
        "explore": person.explore,
        "quiet_note": person.quiet_note,
        "suppressed_because": person.suppressed_because,
        **{name: value and value.isoformat() for name, value in times.items()},
    }


def _interests(own: Mapping[InterestKind, list[str]]) -> dict[str, list[str]]:
    return {
        "keywords": own.get(InterestKind.KEYWORD, []),
        "authors": own.get(InterestKind.AUTHOR, []),
        "categories": own.get(InterestKind.CATEGORY, []),
        "muted": own.get(InterestKind.MUTED, []),
    }


def _vote(act: Vote, names: Mapping[int, str]) -> dict[str, Any]:
    return {"paper": names[act.paper_number], "value": act.value}


def _act(act: Vote, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        **_vote(act, names),
        "origin": act.origin,
        "at": act.cast_at.isoformat(),
        "counts_at": act.counts_at.isoformat(),
        "voided": act.voided,
    }


def _post(post: VotePost, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "paper": names[post.paper_number],
        "link": post.link_value,
        "value": post.value,
        "at": post.posted_at.isoformat(),
    }


def _digest(digest: Digest, delivery: Delivery, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "date": digest.local_date.isoformat(),
        "state": delivery.state,
        "papers": [names[item["paper"]] for item in digest.items],
    }


def _mail(delivery: Delivery) -> dict[str, Any]:
    return {
        "kind": delivery.kind,
        "date": delivery.local_date.isoformat(),
        "state": delivery.state,
        "reply": delivery.reply,
        "sent_at": delivery.sent_at and delivery.sent_at.isoformat(),
    }


def _bounce(bounce: Bounce) -> dict[str, Any]:
    return {
        "kind": bounce.kind,
        "status": bounce.status,
        "detail": bounce.detail,
        "at": bounce.received_at.isoformat(),
    }
