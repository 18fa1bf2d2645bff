"""An address that refuses our mail: nothing more goes there until somebody asks for it."""

from datetime import datetime

from sqlmodel import Session

from paperpost.store import bounces, outbox
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber


def suppress(session: Session, person: Subscriber, because: str, now: datetime) -> bool:
    """Mail no digests and notes from now on; False if that was so before. What waits is held back
    when it would go out."""
    if person.suppressed_at is not None:
        return False
    person.suppressed_at, person.suppressed_because = now, because
    session.add(person)
    return True


def lift(session: Session, person: Subscriber, now: datetime) -> bool:
    """Mail again; False if nothing was suppressed. What was held back and is still news goes out
    after all, and what came back softly so far does not count any more."""
    if person.suppressed_at is None:
        return False
    person.suppressed_at = person.suppressed_because = None
    session.add(person)
    bounces.forgive(session, id_of(person))
    outbox.unsuppress(session, id_of(person), now)
    return True
