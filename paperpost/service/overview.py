"""How the installation is doing, for the operator's page: what `status` tells and what is cheap to
look at beside it; numbers and sentences, and nobody's address.

As cheap with a million mails as with none: those of the last day are counted by kind, all there
ever were by state alone; where these are many, as it was up to a minute ago or when somebody looked
last.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session

from paperpost import __version__
from paperpost.service import alarm, asked, status
from paperpost.service.bounce import SOFT_WINDOW
from paperpost.service.discretion import discreet
from paperpost.service.doctor import home, work
from paperpost.service.doctor.checks import Check, gathered
from paperpost.service.installation import Installation
from paperpost.service.silence import could_not_be_read
from paperpost.service.standing import Standing, standings
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
            "wrong": _wrong(installation, session, sources, now),
        }
    checks = _checks(installation)
    document["wrong"] += [f"{one.name}: {discreet(one.detail)}" for one in checks]
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


def _wrong(
    installation: Installation, session: Session, sources: Sequence[Standing], now: datetime
) -> list[str]:
    """What an alarm would tell now, sources that failed just now, and mails of the last day that
    were lost."""
    failed = [could_not_be_read(one) for one in sources if one.failed]
    lasting = alarm.standing(installation, session, now)
    lost = alarm.lost_mail(session, None, now)
    return list(dict.fromkeys([*failed, *(one.sentence for one in (*lasting, *lost))]))


def _checks(installation: Installation) -> list[Check]:
    """What doctor's quickest checks object to; it has slower ones too."""
    looks = {
        "disk": partial(home.disk, installation.settings),
        "key": partial(home.key, installation),
        "digests": partial(work.digests, installation),
        "throttle": partial(work.throttled, installation),
    }
    return [one for one in gathered(looks.items(), at_once=1) if one.state != "ok"]
