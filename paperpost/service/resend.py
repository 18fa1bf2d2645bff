"""A digest once more, on purpose: the same content under the same Message-ID."""

from dataclasses import dataclass
from datetime import date, datetime

from paperpost.errors import PaperpostError
from paperpost.service import calendar
from paperpost.service.account import named
from paperpost.service.installation import Installation
from paperpost.store import digests, outbox
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Delivery, DeliveryState, Subscriber, SubscriberState


class CannotResend(PaperpostError):
    """There is nothing to send again, or nobody to send it to."""


@dataclass(frozen=True, slots=True)
class Resent:
    """A digest that is queued again: whose, of which date, what had become of it (a
    DeliveryState), its Message-ID and how many papers it has."""

    email: str
    date: date
    was: str
    message_id: str
    papers: int


def resend(installation: Installation, email: str, day: date) -> Resent:
    """Queue the digest that EMAIL had for a local date, due at once, as it was frozen.

    Raises UnknownSubscriber; CannotResend if there is none with papers, if it is on its way
    already, or if nothing would be sent to the subscriber.
    """
    now = installation.clock()
    with installation.database.writing() as session:
        person = named(session, email)
        digest = digests.of_date(session, id_of(person), day)
        delivery = None if digest is None else session.get(Delivery, digest.delivery_id)
        if digest is None or delivery is None:
            raise CannotResend(f"{person.email} has no digest of {day}")
        if reason := obstacle(person, now) or _unfit(delivery):
            raise CannotResend(f"{person.email}, digest of {day}: {reason}")
        if not digest.items:
            raise CannotResend(f"{person.email}, digest of {day}: it had no papers")
        until = calendar.worth_sending_until(digest.frequency, person.timezone, now)
        was = delivery.state
        if not outbox.requeue(session, digest.delivery_id, was, now, until):
            raise CannotResend(f"{person.email}, digest of {day}: it is being sent right now")
    return Resent(person.email, day, was, delivery.message_id, len(digest.items))


def obstacle(person: Subscriber, now: datetime) -> str:
    """Why no digest is sent to a subscriber at the moment; empty if one is."""
    if person.state != SubscriberState.ACTIVE:
        return f"they get no digests: {person.state}"
    if person.suppressed_at is not None:
        return f"nothing is mailed there since {person.suppressed_at:%Y-%m-%d}: " + (
            person.suppressed_because or "it came back"
        )
    if calendar.is_paused(person.paused_until, person.timezone, now):
        return f"they paused until {person.paused_until}"
    return ""


def _unfit(delivery: Delivery) -> str:
    """Why this mail is not to be sent once more; empty if it may be."""
    match DeliveryState(delivery.state):
        case DeliveryState.SILENT:
            return f"it was silent ({delivery.reply})"
        case DeliveryState.QUEUED:
            return "it is queued still: run `paperpost send`"
        case DeliveryState.SENDING:
            return "it is being sent right now"
    return ""
