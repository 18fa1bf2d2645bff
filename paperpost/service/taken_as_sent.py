"""What was due between a backup and its restoring: most probably it was mailed."""

from collections import defaultdict
from datetime import date, datetime

from sqlmodel import Session

from paperpost.service import calendar
from paperpost.service.installation import Installation
from paperpost.service.letters import message_id
from paperpost.store import digests, subscribers
from paperpost.store.digests import NewDigest
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber

BLOCK = 1_000
# Higher than any paper's number: none of that date is late for such a digest.
ALL_PAPERS = 2**31 - 1
TAKEN_AS_SENT = "This digest was due between a backup and its restoring, and is taken as sent."


def take_as_sent(installation: Installation, session: Session) -> int:
    """Write down a digest without papers for everybody who was due since the backup; how many.

    Else the papers of those days, which they were mailed most probably, would come again."""
    now, taken, last = installation.clock(), 0, 0
    while people := subscribers.active(session, last, BLOCK):
        last = id_of(people[-1])
        by_date: dict[date, list[NewDigest]] = defaultdict(list)
        for person in people:
            if _was_due(person, now):
                new = _without_papers(installation, person, now)
                by_date[new.local_date].append(new)
        for day in sorted(by_date):
            outcomes = digests.freeze(session, by_date[day], now)
            taken += sum(word == "silent" for word in outcomes.values())
        session.flush()
        session.expunge_all()  # there may be a million of them
    return taken


def _was_due(person: Subscriber, now: datetime) -> bool:
    """Whether a digest was: for who gets none, what is new waits."""
    if person.next_due_at is None or person.suppressed_at is not None:
        return False
    paused = calendar.is_paused(person.paused_until, person.timezone, now)
    return person.next_due_at <= now and not paused


def _without_papers(installation: Installation, person: Subscriber, now: datetime) -> NewDigest:
    due = calendar.latest_due(person.frequency, person.hour, person.timezone, now)
    later = calendar.next_due(person.frequency, person.hour, person.timezone, now)
    return NewDigest(
        subscriber_id=id_of(person),
        seen=person,
        local_date=due.local_date,
        due_at=due.at,
        expires_at=later.at,
        message_id=message_id(installation, id_of(person), due.local_date, "digest"),
        template_version="",
        frequency=person.frequency,
        why="",
        considered=1,  # one that considered none would still owe its papers
        newest_paper=ALL_PAPERS,
        items=[],
        next_due_at=later.at,
        silence=TAKEN_AS_SENT,
    )
