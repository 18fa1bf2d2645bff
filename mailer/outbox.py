"""What delivering needs of whoever keeps the deliveries: to claim, to settle, to give back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from mailer.outcome import Outgoing

State = Literal["sent", "queued", "unknown", "failed"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours for now.

    attempts is how often it was tried before; build makes the message (and may raise, which fails
    this delivery alone); unknown says that it may have arrived already.
    """

    delivery_id: int
    attempts: int
    build: Callable[[], Outgoing]
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a try.

    next_attempt_at is None when there will be none; counted is False when the try said nothing
    about this delivery; throttled when the server said that its domain gets too much.
    """

    state: State
    reply: str
    next_attempt_at: datetime | None
    counted: bool = True
    throttled: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """Which deliveries were written down, which may go out now, and which were held back, because
    they are not wanted any more or their domain is left alone; by number. For those in none of them
    the lease was lost."""

    recorded: frozenset[int]
    confirmed: frozenset[int]
    held_back: frozenset[int] = frozenset()


class Outbox(Protocol):
    """Where deliveries wait, seen by one process. Every method is its own transaction, and `renew`
    is called from another thread than the rest.
    """

    def claim(self, now: datetime, limit: int) -> Sequence[Claim]:
        """Lease at most limit deliveries that are due, among them what dead processes held."""
        ...

    def settle(
        self, done: Sequence[tuple[Claim, Recorded]], next_ones: Sequence[Claim], now: datetime
    ) -> Settled:
        """Write down what became of those that are done and give up their leases; and take a last
        look at the next ones: those confirmed are marked as being sent, their leases extended."""
        ...

    def renew(self, now: datetime) -> None:
        """Extend every lease that is still ours."""
        ...

    def release(self, claims: Sequence[Claim]) -> None:
        """Give back what was not tried, as it was before the claim."""
        ...

    def next_lease_end(self, now: datetime) -> datetime | None:
        """When the first lease held by somebody else runs out; None if nobody holds one."""
        ...
