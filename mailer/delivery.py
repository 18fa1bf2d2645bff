"""Deliveries worked through: claimed, sent, recorded, each on its own.

    queued ----claim----> leased ----one try----> sent, failed, unknown, or queued again

    accepted (2yz)                                   sent
    refused for good (5yz), or cannot be built       failed
    refused for now (4yz), or lost before the dot    queued, due after a while
    lost after the final dot                         unknown, due after a while
    no way to the server                             queued, due at once, not counted as a try;
                                                     the rest is released and the run ends
    not tried, because the run is stopped            released: queued as before
    lease lost to another process                    not ours to record

Only what the outbox recorded counts. A crash between the server's 250 and `record` leaves the
delivery leased; whoever takes it back sends the same bytes with the same Message-ID again: at most
one message is doubled per connection and crash, and none is lost (RFC 1047 says why SMTP cannot do
better). Right before each message the lease is renewed: a process that was frozen past the end of
its lease finds that out there, and does not send.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from mailer.outcome import (
    Accepted,
    Outcome,
    Outgoing,
    Refused,
    Transport,
    Unknown,
    Unreachable,
)

log = logging.getLogger(__name__)

State = Literal["sent", "queued", "unknown", "failed"]
Clock = Callable[[], datetime]

# A third of a lease of 30 seconds: one renewal may come late or fail without losing it.
RENEW_EVERY_SECONDS = 10.0
# A delivery whose lease was lost may come back in the same run, but not for ever.
MOST_CLAIMS_IN_A_RUN = 3
RECORD_AGAIN_AFTER_SECONDS = (0.1, 1.0, 5.0)
_SHORTEST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours for now.

    lease is the token that proves it, attempts how often it was tried before, build makes the
    message (and may raise, which fails this delivery alone).
    """

    delivery_id: int
    lease: str
    attempts: int
    build: Callable[[], Outgoing]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a try.

    next_attempt_at is None when there will be none; counted is False when the try said nothing
    about this delivery.
    """

    state: State
    reply: str
    next_attempt_at: datetime | None
    counted: bool = True


class Outbox(Protocol):
    """Where deliveries wait. Every method is its own transaction, and `renew` is also called from
    another thread than the rest.
    """

    def claim(self, now: datetime, limit: int) -> Sequence[Claim]:
        """Lease at most limit deliveries that are due, among them what dead processes held."""
        ...

    def renew(self, claims: Sequence[Claim], now: datetime) -> set[int]:
        """Extend the leases that are still ours; the ids of those deliveries."""
        ...

    def confirm(self, claim: Claim, now: datetime) -> bool:
        """The last look before a message goes out: extend its lease; False if that was lost or
        the message is not wanted any more."""
        ...

    def record(self, claim: Claim, recorded: Recorded, now: datetime) -> bool:
        """Write down what became of it and give up the lease; False if the lease was lost."""
        ...

    def release(self, claims: Sequence[Claim], now: datetime) -> None:
        """Give back what was not tried, as it was before the claim."""
        ...

    def next_lease_end(self, now: datetime) -> datetime | None:
        """When the first lease held by somebody else runs out; None if nobody holds one."""
        ...


@dataclass(slots=True)
class Tally:
    """What a run did: how many deliveries ended in each state, and how many leases were lost.

    unreachable is why the run ended early: the server's or the network's words, else None.
    """

    sent: int = 0
    queued: int = 0
    unknown: int = 0
    failed: int = 0
    lost: int = 0
    unreachable: str | None = None


def deliver(
    outbox: Outbox,
    transport: Transport,
    clock: Clock,
    stop: threading.Event,
    *,
    batch: int = 25,
    wait_for_leases: bool,
    renew_every: float = RENEW_EVERY_SECONDS,
) -> Tally:
    """Deliver what is due until nothing is left to try, the server cannot be reached, or stop is
    set; the message in flight is always finished, and nothing stays leased.

    wait_for_leases waits until the leases of others have run out, too. Each delivery is tried at
    most once in a run, unless its lease was lost and it came back. Errors of the outbox are raised.
    """
    run = _Run(outbox, transport, clock, stop, renew_every)
    while not stop.is_set() and run.tally.unreachable is None:
        claims = outbox.claim(clock(), batch)
        if run.work_through(claims):
            continue
        if not wait_for_leases or not _wait_for_a_lease(outbox, clock, stop):
            break
    return run.tally


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after this many earlier tries: 5 minutes, doubled each time, at most an
    hour. A digest is given up when the next one is due, which is not decided here.
    """
    return min(timedelta(minutes=5) * (1 << min(attempts, 10)), timedelta(hours=1))


def judge(outcome: Outcome, attempts: int, now: datetime) -> Recorded:
    """What to record for the outcome of a try that had so many before it."""
    match outcome:
        case Accepted(reply):
            return Recorded("sent", reply, None)
        case Refused(reply, permanent=True):
            return Recorded("failed", reply, None)
        case Refused(reply):
            return Recorded("queued", reply, now + retry_delay(attempts))
        case Unknown(reply):
            return Recorded("unknown", reply, now + retry_delay(attempts))
        case Unreachable(reply):
            # Due at once: when the server is back, this delivery must not be the last to go.
            return Recorded("queued", reply, now, counted=False)


class _Run:
    """One call of `deliver`: what it has counted, and which deliveries it has had."""

    def __init__(
        self,
        outbox: Outbox,
        transport: Transport,
        clock: Clock,
        stop: threading.Event,
        renew_every: float,
    ) -> None:
        self.tally = Tally()
        self._outbox = outbox
        self._transport = transport
        self._clock = clock
        self._stop = stop
        self._renew_every = renew_every
        self._tried: set[int] = set()
        self._claimed: Counter[int] = Counter()

    def work_through(self, claims: Sequence[Claim]) -> bool:
        """Try these claims and release those that are not tried; was there anything to try?"""
        if not claims:
            return False
        fresh = [claim for claim in claims if self._may_try(claim)]
        waiting = {claim.delivery_id: claim for claim in claims}
        try:
            with self._leases_kept(waiting):
                for claim in fresh:
                    if self._stop.is_set() or self.tally.unreachable is not None:
                        break
                    try:
                        self._try(claim)
                    finally:  # tried or broken off, it is not for us to give back
                        del waiting[claim.delivery_id]
        finally:
            if waiting:
                self._outbox.release(list(waiting.values()), self._clock())
        return bool(fresh)

    def _may_try(self, claim: Claim) -> bool:
        self._claimed[claim.delivery_id] += 1
        within = self._claimed[claim.delivery_id] <= MOST_CLAIMS_IN_A_RUN
        return within and claim.delivery_id not in self._tried

    def _try(self, claim: Claim) -> None:
        recorded = self._sent(claim)
        if recorded is not None and self._record(claim, recorded):
            self._count(recorded.state)
            self._tried.add(claim.delivery_id)
        else:
            self.tally.lost += 1

    def _record(self, claim: Claim, recorded: Recorded) -> bool:
        """Write it down, trying again for a while: an outbox that is busy for a moment must not
        make us send an accepted message twice."""
        for pause in RECORD_AGAIN_AFTER_SECONDS:
            try:
                return self._outbox.record(claim, recorded, self._clock())
            except Exception:
                log.warning("delivery %d: not recorded yet", claim.delivery_id, exc_info=True)
                time.sleep(pause)
        return self._outbox.record(claim, recorded, self._clock())

    def _sent(self, claim: Claim) -> Recorded | None:
        """What became of the claim; None if it is not ours any more."""
        try:
            outgoing = claim.build()
        except Exception as error:  # whatever is wrong with this one, the next must go out
            log.exception("delivery %d: its message cannot be built", claim.delivery_id)
            return Recorded("failed", f"cannot be built: {type(error).__name__}: {error}", None)
        if not self._outbox.confirm(claim, self._clock()):
            return None
        outcome = self._outcome(claim, outgoing)
        if isinstance(outcome, Unreachable):
            self.tally.unreachable = outcome.reply
        return judge(outcome, claim.attempts, self._clock())

    def _outcome(self, claim: Claim, outgoing: Outgoing) -> Outcome:
        try:
            return self._transport.send(outgoing)
        except Exception as error:  # nobody knows how far it came: the careful answer
            log.exception("delivery %d: the transport broke", claim.delivery_id)
            self._transport.close()
            return Unknown(f"the transport broke: {type(error).__name__}: {error}")

    def _count(self, state: State) -> None:
        match state:
            case "sent":
                self.tally.sent += 1
            case "queued":
                self.tally.queued += 1
            case "unknown":
                self.tally.unknown += 1
            case "failed":
                self.tally.failed += 1

    @contextmanager
    def _leases_kept(self, waiting: dict[int, Claim]) -> Iterator[None]:
        """Renew the leases of what is waiting while a slow server holds the message in hand."""
        done = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(waiting, done), daemon=True)
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join()

    def _keep(self, waiting: dict[int, Claim], done: threading.Event) -> None:
        while not done.wait(self._renew_every):
            try:
                self._outbox.renew(list(waiting.values()), self._clock())
            except Exception:  # the check before each message decides, not this one
                log.warning("leases could not be renewed", exc_info=True)


def _wait_for_a_lease(outbox: Outbox, clock: Clock, stop: threading.Event) -> bool:
    """Wait a little for the leases of others; False if nobody holds one."""
    now = clock()
    end = outbox.next_lease_end(now)
    if end is None:
        return False
    left = (end - now).total_seconds()
    stop.wait(min(max(left, _SHORTEST_WAIT_SECONDS), _LONGEST_WAIT_SECONDS))
    return True
