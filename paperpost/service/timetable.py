"""When digests are due, reckoned again: governments change the clocks, and a new version of the
time zone data is known from a start of the program on."""

from datetime import datetime

from paperpost.service import calendar
from paperpost.service.installation import Installation
from paperpost.store import subscribers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber

BLOCK = 1000


def reckon_again(installation: Installation) -> int:
    """Set when the next digests are due by today's rules, where that is to come still; how many
    were to come at another time. What is due already stays so."""
    now, moved, last = installation.clock(), 0, 0
    while True:
        with installation.database.reading() as session:
            people = subscribers.active(session, last, BLOCK)
        if not people:
            return moved
        moved += _set_right(installation, people, now)
        last = id_of(people[-1])


def _set_right(installation: Installation, people: list[Subscriber], now: datetime) -> int:
    right = [(person, _due(person, now)) for person in people]
    wrong = [(person, due) for person, due in right if person.next_due_at != due]
    if not wrong:
        return 0
    with installation.database.writing() as session:
        return sum(subscribers.move_next_due(session, person, due) for person, due in wrong)


def _due(person: Subscriber, now: datetime) -> datetime:
    if person.next_due_at is not None and person.next_due_at <= now:
        return person.next_due_at
    return calendar.next_due(person.frequency, person.hour, person.timezone, now).at
