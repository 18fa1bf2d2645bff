"""Confirming what was asked for by form, behind the link that was mailed to the address."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session

from paperpost.service import links
from paperpost.service.admission import settle
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.subscribe import activate, reschedule
from paperpost.service.suppression import lift
from paperpost.store import subscribers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind, Subscriber, SubscriberState


def awaiting(
    installation: Installation, token: str
) -> tuple[Subscriber, Mapping[InterestKind, Sequence[str]]]:
    """Whom a confirmation link would confirm, and the interests that were asked for in their name,
    by whomever. Changes nothing. Raises LinkError."""
    with installation.database.reading() as session:
        person = _invited(installation, session, token)
        return person, subscribers.interests(session, [id_of(person)])[id_of(person)]


def confirm(installation: Installation, token: str) -> Subscriber:
    """Make the subscription behind a confirmation link active, and mail again to an address that
    sent mail back; again changes nothing. Raises LinkError."""
    with installation.database.writing() as session:
        person = _invited(installation, session, token)
        if person.state != SubscriberState.ACTIVE:
            activate(person, installation.clock())
            reschedule(person, installation.clock())
            session.add(person)
        lift(session, person, installation.clock())
        settle(installation, session, person.email)
        return person


def _invited(installation: Installation, session: Session, token: str) -> Subscriber:
    person, link = links.owner(installation, session, token, Purpose.CONFIRM)
    if person.left_at is not None and link.issued < person.left_at.replace(microsecond=0):
        raise links.ExpiredLink(link)  # they left after it was mailed
    return person
