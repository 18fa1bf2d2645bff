"""Who never confirmed is forgotten once the link that was mailed to them is dead."""

from datetime import datetime, timedelta

from paperpost.service import account
from paperpost.service.installation import Installation
from paperpost.store import subscribers

# As long as a link to confirm works (links.LASTS), and a mail may be on its way.
KEPT = timedelta(days=7)
MOST_AT_ONCE = 100


def forget_unconfirmed(installation: Installation) -> int:
    """Delete all that is stored about subscribers who were asked to confirm and have not for a
    week; how many. At most a hundred at once: there is a next time."""
    before = installation.clock() - KEPT
    with installation.database.reading() as session:
        found = subscribers.unconfirmed(session, before, MOST_AT_ONCE)
    return sum(_forget(installation, number, before) for number in found)


def _forget(installation: Installation, number: int, before: datetime) -> bool:
    with installation.database.writing() as session:
        subscribers.take_turns(session, number)
        if number not in subscribers.unconfirmed(session, before, MOST_AT_ONCE):
            return False  # they confirmed just now, or asked again
        account.remove(installation, session, subscribers.by_id(session, [number])[number])
        return True
