"""How the installation is doing, for the operator's page: what `status` tells and what is cheap to
look at beside it; numbers and sentences, and nobody's address.

As cheap with a million mails as with none: those of the last day are counted by kind, all there
ever were by state alone; where these are many, as it was up to a minute ago or when somebody looked
last.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session

from paperpost import __version__
from paperpost.service import alarm, asked, status
from paperpost.service.bounce import SOFT_WINDOW
from paperpost.service.discretion import discreet
from paperpost.service.installation import Installation
from paperpost.service.standing import Standing, standings
from paperpost.service.wrong import wrong
from paperpost.store import bounces, outbox, papers, subscribers, votes
from paperpost.store.tables import SubscriberState

LATELY = timedelta(hours=24)


def overview(installation: Installation) -> dict[str, Any]:
    """Everything the operator's page shows, ready for JSON."""
    now = installation.clock()
    with installation.database.reading() as session:
        sources = standings(session, installation.settings, now)
        document: dict[str, Any] = {
            "version": __version__,
            "at": now.isoformat(),
            "runs": status.runs(session, sources),
            "subscribers": _subscribers(session),
            "mails": {
                "last_day": outbox.count_since(session, now - LATELY),
                "ever": installation.slot.mails.get("ever", now, partial(_ever, installation)),
            },
            "silent": status.silent(session, now - LATELY),
            "bounces": bounces.count_by_kind(session, now - SOFT_WINDOW),
            "sources": [_source(one) for one in sources],
            "model": status.model(session),
            "sizes": _sizes(installation, session, now),
        }
        lost = alarm.lost_mail(session, None, now)
    document["wrong"] = [*wrong(installation, sources), *(one.sentence for one in lost)]
    document["requests"] = [
        one.document | {"sentence": discreet(one.sentence)} for one in asked.hosts(installation)
    ]
    return document


def _ever(installation: Installation) -> dict[str, int]:
    with installation.database.reading() as session:
        return outbox.count_ever(session)


def _subscribers(session: Session) -> dict[str, int]:
    counts = dict.fromkeys(map(str, SubscriberState), 0) | subscribers.count_by_state(session)
    return counts | {"suppressed": bounces.count_suppressed(session)}


def _source(one: Standing) -> dict[str, Any]:
    return status.source(one) | {"detail": discreet(one.detail)}


def _sizes(installation: Installation, session: Session, now: datetime) -> dict[str, Any]:
    newest = papers.newest_day(session)
    return {
        "papers": papers.count(session),
        "newest_day": newest and newest.isoformat(),
        "votes": votes.count(session, now),
        "database": "SQLite" if installation.database.is_sqlite else "PostgreSQL",
        "database_bytes": installation.database.size(session),
    }
