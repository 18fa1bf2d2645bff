"""Making all of a subscriber's earlier links dead, for somebody whose digest got around."""

from datetime import datetime

from paperpost.errors import PaperpostError
from paperpost.service import link_mails
from paperpost.service.account import member
from paperpost.service.installation import Installation
from paperpost.store import subscribers
from paperpost.store.tables import DeliveryKind, Subscriber


class RenewedJustNow(PaperpostError):
    """It was done a moment ago; each time a mail is sent."""

    def __init__(self) -> None:
        super().__init__("your links were renewed just before this: wait for five minutes")


def renew(installation: Installation, number: int) -> Subscriber:
    """Have every link open nothing any more that was made before this second, but those that
    unsubscribe (RFC 8058), and mail a fresh one.

    Nothing that is fresh is handed out here: whoever had a fresh link for an hour could go on for
    ever. Browsers that keep the subscriber signed in, feeds and scripts hold such links too. Raises
    RenewedJustNow, and BadLink if they are gone.
    """
    now = installation.clock().replace(microsecond=0)
    with installation.database.writing() as session:
        subscribers.take_turns(session, number)
        person = member(session, number)
        if was_just_now(person, now):
            raise RenewedJustNow
        person.links_from = now
        session.add(person)
        link_mails.queue(installation, session, person, DeliveryKind.ACCESS_LINK)
        return person


def was_just_now(person: Subscriber, now: datetime) -> bool:
    """Whether a subscriber's links were renewed so lately that they cannot be again."""
    return person.links_from is not None and now - person.links_from < link_mails.QUIET
