"""What a machine that watches this one wants to know: numbers, and nobody's address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from paperpost.service import asked
from paperpost.service.asked import AskedHost
from paperpost.service.installation import Installation
from paperpost.store import outbox, papers, requests, snapshots, subscribers, throttles
from paperpost.store.tables import SubscriberState


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at the store.

    `deliveries` are numbers by kind and state, whose sum is all there are; `fetched_at` holds the
    configured sources that ever answered; `waiting_seconds` is the age of the oldest mail that is
    neither handed over nor given up (0 without any); `requests` are those to the sources' hosts in
    the last 24 hours.
    """

    deliveries: Mapping[str, Mapping[str, int]]
    subscribers: Mapping[str, int]
    papers: int
    fetched_at: Mapping[str, datetime]
    trained_at: datetime | None
    throttled_domains: int
    waiting_seconds: float
    requests: Sequence[AskedHost]


def figures(installation: Installation) -> Figures:
    """The numbers as they are now."""
    now = installation.clock()
    asked_hosts = asked.hosts(installation)
    with installation.database.reading() as session:
        newest = snapshots.current(session)
        return Figures(
            deliveries=outbox.count_by_state(session),
            subscribers=dict.fromkeys(map(str, SubscriberState), 0)
            | subscribers.count_by_state(session),
            papers=papers.count(session),
            fetched_at=_fetched_at(session, installation),
            trained_at=newest.trained_at if newest else None,
            throttled_domains=sum(one.closed_until > now for one in throttles.all_of(session)),
            waiting_seconds=_waiting_seconds(session, now),
            requests=asked_hosts,
        )


def _fetched_at(session: Session, installation: Installation) -> dict[str, datetime]:
    return {
        run.source: run.succeeded_at
        for run in requests.runs(session)
        if run.succeeded_at is not None and run.source in installation.settings.sources
    }


def _waiting_seconds(session: Session, now: datetime) -> float:
    oldest = outbox.oldest_open(session)
    return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
