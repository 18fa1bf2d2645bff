"""The mails that bring somebody a link that was asked for: confirmations and fresh links.

A form that is posted again and again must not flood an address, and nobody may learn from how it
is answered whether an address is known: the same statements are executed either way.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from paperpost.service import calendar
from paperpost.service.installation import Installation
from paperpost.service.letters import message_id
from paperpost.store import outbox, subscribers
from paperpost.store.subscribers import domain_of, id_of
from paperpost.store.tables import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Subscriber,
    SubscriberState,
)

QUIET = timedelta(minutes=5)
DAY = timedelta(days=1)
# A link can be worked with for an hour; a confirmation is asked for once or twice.
MOST_A_DAY = {DeliveryKind.CONFIRMATION: 5, DeliveryKind.ACCESS_LINK: 20}
USEFUL = {
    DeliveryKind.CONFIRMATION: timedelta(days=2),
    DeliveryKind.ACCESS_LINK: timedelta(hours=1),
}


def queue(
    installation: Installation, session: Session, person: Subscriber, kind: DeliveryKind
) -> bool:
    """Queue a mail with a link; False if one of its kind that still works went out just now, or
    too many did today."""
    return _queue(installation, session, person, kind, is_there=True)


def queue_for_nobody(installation: Installation, session: Session, email: str) -> None:
    """Do all that `queue` does for a subscriber, but queue nothing."""
    now = installation.clock()
    nobody = Subscriber(id=0, email=email, state=SubscriberState.PENDING, joined_at=now)
    _queue(installation, session, nobody, DeliveryKind.ACCESS_LINK, is_there=False)


def _queue(
    installation: Installation,
    session: Session,
    person: Subscriber,
    kind: DeliveryKind,
    *,
    is_there: bool,
) -> bool:
    subscribers.take_turns(session, id_of(person))
    now = installation.clock()
    earlier = outbox.created_since(session, id_of(person), kind, now - DAY)
    if person.links_from is not None:
        earlier = [moment for moment in earlier if moment >= person.links_from]
    is_wanted = is_there and may_be_mailed(earlier, kind, now)
    outbox.add_if(session, _delivery(installation, person, kind, now), is_wanted)
    return is_wanted


def may_be_mailed(earlier: Sequence[datetime], kind: DeliveryKind, now: datetime) -> bool:
    """Whether one more mail of a kind may go to an address after those of the last day."""
    is_quiet = any(now - moment < QUIET for moment in earlier)
    return not is_quiet and len(earlier) < MOST_A_DAY[kind]


def _delivery(
    installation: Installation, person: Subscriber, kind: DeliveryKind, now: datetime
) -> Delivery:
    text = f"{kind} {now.isoformat()}"
    return Delivery(
        kind=kind,
        subscriber_id=id_of(person),
        domain=domain_of(person.email),
        local_date=calendar.local_date(person.timezone, now),
        state=DeliveryState.QUEUED,
        created_at=now,
        due_at=now,
        expires_at=now + USEFUL[kind],
        message_id=message_id(installation, id_of(person), now.date(), text),
    )
