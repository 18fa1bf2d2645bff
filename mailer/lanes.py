"""A pool of connections: each has a thread of its own and carries one message at a time."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from mailer.outbox import Claim
from mailer.outcome import Outcome, Outgoing, Transport, Unknown, Unreachable

log = logging.getLogger(__name__)

# After the first answer others follow within moments: they are written down together.
LINGER_SECONDS = 0.003
# How long the place of a lane stays empty that lost its server.
REST_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Finished:
    """A message that was handed over, what came of it, and whether the server had answered for
    another one on the same connection before."""

    claim: Claim
    outcome: Outcome
    let_in: bool


class Lanes:
    """Up to `most` connections, opened as they are needed.

    A lane whose server cannot be reached ends, and none takes its place for a while: a server may
    let fewer connections in than we would open. `unreachable` is why, once the last one has ended.
    """

    def __init__(self, connect: Callable[[], Transport], most: int) -> None:
        self._connect = connect
        self._most = most
        self._jobs: queue.SimpleQueue[tuple[Claim, Outgoing] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Finished] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._alive = 0
        self._rests: list[float] = []
        self.busy = 0
        self.unreachable: str | None = None

    @property
    def free(self) -> int:
        """How many messages can be handed over now."""
        self._rests = [end for end in self._rests if end > time.monotonic()]
        return max(0, self._most - len(self._rests) - self.busy)

    def hand_over(self, claim: Claim, outgoing: Outgoing) -> None:
        """Give a message to a free lane."""
        if self.busy == self._alive:
            thread = threading.Thread(target=self._carry, args=(self._connect(),), daemon=True)
            thread.start()
            self._threads.append(thread)
            self._alive += 1
        self.busy += 1
        self._jobs.put((claim, outgoing))

    def finished(self, wait: float) -> list[Finished]:
        """What has ended, after waiting at most so many seconds for the first one."""
        found: list[Finished] = []
        while self.busy:
            try:
                one = self._results.get(timeout=LINGER_SECONDS if found else wait)
            except queue.Empty:
                break
            self.busy -= 1
            self._note(one.outcome)
            found.append(one)
        return found

    def close(self) -> None:
        """Say goodbye on every connection; waits for what is still being handed over."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _note(self, outcome: Outcome) -> None:
        if isinstance(outcome, Unreachable):
            self._alive -= 1
            self._rests.append(time.monotonic() + REST_SECONDS)
            if self._alive == 0:
                self.unreachable = outcome.reply

    def _carry(self, transport: Transport) -> None:
        let_in = False
        try:
            while (job := self._jobs.get()) is not None:
                claim, outgoing = job
                outcome = _outcome(transport, claim, outgoing)
                self._results.put(Finished(claim, outcome, let_in))
                if isinstance(outcome, Unreachable):
                    return
                let_in = True
        finally:
            transport.close()


def _outcome(transport: Transport, claim: Claim, outgoing: Outgoing) -> Outcome:
    try:
        return transport.send(outgoing)
    except Exception as error:  # nobody knows how far it came: the careful answer
        log.exception("delivery %d: the transport broke", claim.delivery_id)
        transport.close()
        return Unknown(f"the transport broke: {type(error).__name__}: {error}")
