"""The polite client of this installation: its turns, its log and what it remembers are in the
store, so that all processes together ask each host as one."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from paperpost import __version__
from paperpost.service.installation import Installation
from paperpost.service.leases import is_dead, new_lease
from paperpost.settings import Settings
from paperpost.sources.client import DEADLINE, TIMEOUT, PoliteClient
from paperpost.sources.errors import RequestFailed, SourceBusy, Stopped
from paperpost.sources.exchange import Attempt, Validators
from paperpost.sources.politeness import LONGEST_PAUSE, Limit, limit_of
from paperpost.store import requests, turns
from paperpost.store.tables import HostTurn, Request

# A request ends by then, or its process is dead.
HELD = timedelta(seconds=DEADLINE + 2 * TIMEOUT)
LOOK_EVERY = 0.25  # seconds, while somebody else's request is on its way
# Longer than one request takes: so long others may go first.
PATIENCE = 2 * HELD.total_seconds()
WORTH_TELLING = 5.0  # seconds of waiting for a host
KEPT = timedelta(days=30)
MOST_KEPT = 20_000


def polite_client(
    installation: Installation,
    stop: threading.Event | None = None,
    *,
    sleep: Callable[[float], object] | None = None,
) -> PoliteClient:
    """A client that waits for its turn among all processes; the caller closes it.

    Once `stop` is set nothing is waited for any more, what is on its way is cut off, and nothing
    new is asked: Stopped. `sleep` is how it waits, for so many seconds [until `stop` is set].
    """
    settings = installation.settings
    stop = stop or threading.Event()
    return PoliteClient(
        contact=contact(settings),
        version=__version__,
        gate=SharedGate(installation, stop, sleep or stop.wait),
        cache=_ValidatorCache(installation),
        log=_log_of(installation),
        stop=stop,
        allow_private=settings.allow_private_sources,
        mirror=settings.source_mirror,
        now=installation.clock,
    )


def contact(settings: Settings) -> str | None:
    """Where sources can say what they think of us: the operator's address, else the site."""
    if settings.operator:
        return f"mailto:{settings.operator}"
    host = urlsplit(settings.public_url).hostname
    return None if host in ("127.0.0.1", "::1", "localhost") else f"+{settings.public_url}"


def forget_old(installation: Installation) -> None:
    """Forget requests, validators and hosts of long ago."""
    before = installation.clock() - KEPT
    with installation.database.writing() as session:
        requests.forget(session, before, MOST_KEPT)
        turns.forget(session, before)


def seconds_to_wait(turn: HostTurn | None, now: datetime, *, holder_is_dead: bool) -> float:
    """How long until it makes sense to try for the host's turn; 0 for now."""
    if turn is None:
        return 0.0
    until_free = _seconds_until(turn.free_at, now)
    if turn.holder is None or holder_is_dead or not _seconds_until(turn.held_until, now):
        return until_free
    return max(until_free, LOOK_EVERY)


def _seconds_until(moment: datetime | None, now: datetime) -> float:
    """0 for what is over, and for what is farther away than anything can be (see store/turns)."""
    if moment is None or moment > now + turns.FARTHEST:
        return 0.0
    return max((moment - now).total_seconds(), 0.0)


@dataclass(frozen=True)
class SharedGate:
    """The turns of all processes, in the store. No transaction is open while it waits."""

    installation: Installation
    stop: threading.Event
    sleep: Callable[[float], object]

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """As Gate says. The next turn comes a gap after this one has ended: counted from its
        beginning, a slow connection might bring two requests closer together."""
        limit = self._limit(host)
        holder = self._wait_for(host, limit)
        try:
            yield
        finally:
            free_at = self.installation.clock() + limit.gap
            with self.installation.database.writing() as session:
                turns.give_back(session, limit.name, holder, free_at)

    def close(self, host: str, seconds: float) -> None:
        """As Gate says; of all hosts that share its limit."""
        until = self.installation.clock() + timedelta(seconds=seconds)
        with self.installation.database.writing() as session:
            turns.close(session, self._limit(host).name, until)

    def _limit(self, host: str) -> Limit:
        """A mirror is the operator's own, who asks it as often as they like."""
        settings = self.installation.settings
        limit = limit_of(host, ncbi_key=settings.pubmed_key is not None)
        return limit._replace(gap=timedelta()) if settings.source_mirror else limit

    def _wait_for(self, host: str, limit: Limit) -> str:
        holder = new_lease()
        waited = 0.0
        while waited <= PATIENCE:
            if self.stop.is_set():
                raise Stopped
            pause = self._try(limit, holder)
            if pause is None:
                return holder
            if pause > LONGEST_PAUSE:
                raise SourceBusy(f"https://{host}/", pause)
            if pause >= WORTH_TELLING and not waited:
                self.installation.say(f"waiting {pause:.0f} seconds for {host}")
            # Several may wait for the same moment.
            pause += random.random() * LOOK_EVERY  # noqa: S311 - no secret
            self.sleep(pause)
            waited += pause
        raise RequestFailed(f"https://{host}/", "others of this installation keep it busy")

    def _try(self, limit: Limit, holder: str) -> float | None:
        """Take the turn, or say how many seconds to wait before the next try."""
        database, now = self.installation.database, self.installation.clock()
        with database.reading() as session:
            turn = turns.of(session, limit.name)
        dead = turn.holder if turn and turn.holder and is_dead(turn.holder) else None
        pause = seconds_to_wait(turn, now, holder_is_dead=dead is not None)
        if pause:
            return pause
        with database.writing() as session:
            taken = turns.take(
                session,
                limit.name,
                holder,
                now,
                gap=limit.gap,
                held_until=now + HELD,
                dead=dead,
            )
        return None if taken else LOOK_EVERY


@dataclass(frozen=True)
class _ValidatorCache:
    """The web validators of everything that was taken in, kept in the store."""

    installation: Installation

    def get(self, name: str) -> Validators | None:
        with self.installation.database.reading() as session:
            etag, last_modified = requests.validators(session, name)
        return Validators(etag, last_modified) if etag or last_modified else None

    def put(self, name: str, validators: Validators) -> None:
        now = self.installation.clock()
        with self.installation.database.writing() as session:
            requests.keep_validators(session, name, *validators, now)


def _log_of(installation: Installation) -> Callable[[Attempt], None]:
    def log(attempt: Attempt) -> None:
        with installation.database.writing() as session:
            requests.log(session, Request(**asdict(attempt)))

    return log
