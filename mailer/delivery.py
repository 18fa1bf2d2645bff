"""Deliveries worked through: claimed, sent over several connections, recorded.

    queued ----claim----> leased ----last look----> sending ----one try----> recorded

    accepted (2yz)                                   sent
    refused for good (5yz), or cannot be built       failed
    refused for now (4yz), or lost before the dot    queued, due after a while
    lost after the final dot                         unknown, due after a while, once; then failed
    no way to the server                             as before, due at once, and not counted unless
                                                     it is the second time in a run over connections
                                                     that carried others; the run ends with the last
    not tried, because the run is stopped            released: queued as before
    lease lost to another process                    not ours to record

A connection gets its next message only when what became of the one before is written down. A crash
between the server's 250 and that moment leaves the delivery `sending`; whoever takes it back sends
the same bytes with the same Message-ID again: at most one message is doubled per connection and
crash, and none is lost (RFC 1047 says why SMTP cannot do better). What several connections have
ended is written down in one transaction, which also takes the last look at the messages that are
next: a process that was frozen past the end of its leases finds that out there, and does not send.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from mailer.judgement import judge
from mailer.lanes import Finished, Lanes
from mailer.outbox import Claim, Outbox, Recorded, Settled, State
from mailer.outcome import Outgoing, Refused, Transport, Unreachable

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# A third of a lease of 30 seconds: one renewal may come late or fail without losing it.
RENEW_EVERY_SECONDS = 10.0
# A delivery whose lease was lost may come back in the same run, but not for ever.
MOST_LOSSES = 3
# A connection that was not let in, or lost before anything was said, is the server's affair; twice
# with the same mail, over connections that carried others before, it is the mail's.
MOST_UNREACHABLE = 2
# How long an outbox that fails is asked again by a run that is to stop, and how often.
SETTLE_FOR_SECONDS = 6.0
SETTLE_AGAIN_AFTER_SECONDS = 1.0
# For an answer, before looking whether to stop; and for the leases of others.
_WAIT_SECONDS = 1.0
_LEASE_WAIT_SECONDS = 0.2


@dataclass(slots=True)
class Tally:
    """What a run did: how many deliveries ended in each state, how many were held back because they
    are not wanted any more or their domain is left alone, and how many leases were lost.

    unreachable is why the run ended early: the server's or the network's words, else None.
    """

    sent: int = 0
    queued: int = 0
    unknown: int = 0
    failed: int = 0
    held_back: int = 0
    lost: int = 0
    unreachable: str | None = None


def deliver(
    outbox: Outbox,
    connect: Callable[[], Transport],
    clock: Clock,
    stop: threading.Event,
    *,
    connections: int = 1,
    batch: int = 100,
    wait_for_leases: bool,
    renew_every: float = RENEW_EVERY_SECONDS,
    settle_for: float = SETTLE_FOR_SECONDS,
) -> Tally:
    """Deliver what is due over so many connections until nothing is left to try, the server cannot
    be reached, or stop is set; messages in flight are always finished, and nothing stays leased.

    wait_for_leases waits until the leases of others have run out, too. Each delivery is tried at
    most once in a run, unless its lease was lost and it came back. Errors of the outbox are raised;
    where it is about what was sent, it is asked again for `settle_for` seconds before.
    """
    run = _Run(outbox, Lanes(connect, connections), clock, stop, batch, settle_for)
    with _leases_kept(outbox, clock, renew_every):
        try:
            while run.may_go_on:
                if run.step():
                    continue
                if not wait_for_leases or not _wait_for_a_lease(outbox, clock, stop):
                    break
            run.finish()
        finally:
            run.give_up()
    return run.tally


class _Run:
    """One call of `deliver`: what is in hand, and what has been counted."""

    def __init__(
        self,
        outbox: Outbox,
        lanes: Lanes,
        clock: Clock,
        stop: threading.Event,
        batch: int,
        settle_for: float,
    ) -> None:
        self.tally = Tally()
        self._outbox = outbox
        self._lanes = lanes
        self._clock = clock
        self._stop = stop
        self._batch = batch
        self._settle_for = settle_for
        self._failing_since: float | None = None
        self._claims: deque[Claim] = deque()
        self._built: deque[tuple[Claim, Outgoing]] = deque()
        self._done: list[tuple[Claim, Recorded]] = []
        self._in_flight: set[int] = set()
        self._put_off: set[int] = set()
        self._losses: Counter[int] = Counter()
        self._unreachable: Counter[int] = Counter()

    @property
    def may_go_on(self) -> bool:
        """Whether new messages may be handed over."""
        return not self._stop.is_set() and self._lanes.unreachable is None

    def step(self) -> bool:
        """Claim, build while others are on their way, collect what ended, write it down and hand
        over the next ones; False when there was nothing to do."""
        found = not self._claims and self._claim()
        self._build_ahead()
        may_hand_over = self._built and self._lanes.free
        self._collect(0.0 if self._done or may_hand_over else _WAIT_SECONDS)
        settled = self._settle()
        return bool(found or settled or self._claims or self._built or self._in_flight)

    def finish(self) -> None:
        """Wait for the messages in flight, and write down what became of them."""
        while self._lanes.busy or self._done:
            self._collect(_WAIT_SECONDS)
            self._settle()
        self.tally.unreachable = self._lanes.unreachable

    def give_up(self) -> None:
        """Let the connections go, and give back what was not tried. After an error of the outbox
        what is in flight is waited for, and written down if that works in time."""
        try:
            while self._lanes.busy:
                self._collect(_WAIT_SECONDS)
            if self._done:
                with suppress(Exception):  # the error that led here is the one to tell
                    self._count(self._settled(()))
        finally:
            self._lanes.close()
            left = [*self._claims, *(claim for claim, _ in self._built)]
            if left:
                self._outbox.release(left)

    def _claim(self) -> bool:
        """Whether there was anything to try."""
        claimed = self._outbox.claim(self._clock(), self._batch)
        again = [claim for claim in claimed if not self._may_try(claim.delivery_id)]
        if again:
            self._outbox.release(again)
        self._claims.extend(claim for claim in claimed if self._may_try(claim.delivery_id))
        return bool(self._claims)

    def _may_try(self, number: int) -> bool:
        tried = number in self._put_off or number in self._in_flight
        return not tried and self._losses[number] < MOST_LOSSES

    def _build_ahead(self) -> None:
        """As many messages as all connections together can take."""
        while self._claims and len(self._built) < self._lanes.free + self._lanes.busy:
            claim = self._claims.popleft()
            try:
                self._built.append((claim, claim.build()))
            except Exception as error:  # whatever is wrong with this one, the next must go out
                log.exception("delivery %d: its message cannot be built", claim.delivery_id)
                reply = f"cannot be built: {type(error).__name__}: {error}"
                self._done.append((claim, Recorded("failed", reply, None)))

    def _collect(self, wait: float) -> None:
        """Judge what has ended, after waiting at most so many seconds for the first one."""
        for finished in self._lanes.finished(wait):
            claim = finished.claim
            self._in_flight.discard(claim.delivery_id)
            self._done.append((claim, self._judged(claim, finished)))

    def _judged(self, claim: Claim, finished: Finished) -> Recorded:
        outcome = finished.outcome
        if isinstance(outcome, Unreachable) and finished.let_in:
            self._unreachable[claim.delivery_id] += 1
            repeated = self._unreachable[claim.delivery_id] >= MOST_UNREACHABLE
            if repeated and not claim.unknown:
                outcome = Refused(outcome.reply, permanent=False)
        return judge(outcome, claim.attempts, self._clock(), unknown=claim.unknown)

    def _settle(self) -> bool:
        """Whether there was anything to write down or to hand over."""
        room = self._lanes.free if self.may_go_on else 0
        chosen = [self._built.popleft() for _ in range(min(room, len(self._built)))]
        if not chosen and not self._done:
            return False
        try:
            settled = self._settled([claim for claim, _ in chosen])
        except BaseException:
            self._built.extendleft(reversed(chosen))
            raise
        self._count(settled)
        self._hand_over(deque(chosen), settled)
        return True

    def _hand_over(self, chosen: deque[tuple[Claim, Outgoing]], settled: Settled) -> None:
        try:
            while chosen:
                claim, outgoing = chosen[0]
                if claim.delivery_id in settled.confirmed:
                    self._lanes.hand_over(claim, outgoing)
                    self._in_flight.add(claim.delivery_id)
                elif claim.delivery_id in settled.held_back:
                    self.tally.held_back += 1
                else:
                    self._lose(claim)
                chosen.popleft()
        finally:  # no thread, no transport: nothing was said of these, and they are given back
            self._built.extendleft(reversed(chosen))

    def _settled(self, next_ones: Sequence[Claim]) -> Settled:
        """Write it down, trying again for a while: an outbox that is busy or away for a moment must
        not make us send an accepted message twice."""
        since = self._failing_since = self._failing_since or time.monotonic()
        pause = 0.1
        while True:
            try:
                settled = self._outbox.settle(self._done, next_ones, self._clock())
                self._failing_since = None
                return settled
            except Exception as error:
                most = SETTLE_FOR_SECONDS if self._stop.is_set() else self._settle_for
                if time.monotonic() - since > most:
                    raise
                if pause != SETTLE_AGAIN_AFTER_SECONDS:
                    # Only the line: a database quotes rows, and rows hold addresses.
                    log.warning("%d deliveries: not recorded yet: %s", len(self._done), error)
                log.debug("traceback", exc_info=True)
            time.sleep(pause)
            pause = SETTLE_AGAIN_AFTER_SECONDS

    def _count(self, settled: Settled) -> None:
        done, self._done = self._done, []
        for claim, recorded in done:
            if claim.delivery_id not in settled.recorded:
                self._lose(claim)
                continue
            if not recorded.counted:
                continue
            _add_one(self.tally, recorded.state)
            if recorded.next_attempt_at is not None:
                self._put_off.add(claim.delivery_id)

    def _lose(self, claim: Claim) -> None:
        self.tally.lost += 1
        self._losses[claim.delivery_id] += 1


def _add_one(tally: Tally, state: State) -> None:
    match state:
        case "sent":
            tally.sent += 1
        case "queued":
            tally.queued += 1
        case "unknown":
            tally.unknown += 1
        case "failed":
            tally.failed += 1


@contextmanager
def _leases_kept(outbox: Outbox, clock: Clock, every: float) -> Iterator[None]:
    """Renew the leases while a slow server holds the messages in hand."""
    done = threading.Event()

    def keep() -> None:
        while not done.wait(every):
            try:
                outbox.renew(clock())
            except Exception as error:  # the last look before each message decides, not this one
                log.warning("leases could not be renewed: %s", error)

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _wait_for_a_lease(outbox: Outbox, clock: Clock, stop: threading.Event) -> bool:
    """Wait a little for the leases of others; False if nobody holds one."""
    if outbox.next_lease_end(clock()) is None:
        return False
    stop.wait(_LEASE_WAIT_SECONDS)
    return True
