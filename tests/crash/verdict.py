"""What a server accepted, against what the outbox says was sent."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Row:
    """One delivery of the outbox after all is over."""

    number: int
    message_id: str
    state: str


@dataclass(frozen=True)
class Accepted:
    """One message that the server accepted, by the sender's port."""

    port: int
    recipient: str
    message_id: str
    checksum: str


@dataclass(frozen=True)
class Frozen:
    """A worker that was stopped until others had sent what it held: those deliveries by number,
    the ports it sends from, and how many messages had been accepted when it woke up."""

    held: Collection[int]
    ports: Collection[int]
    woke_at: int


@dataclass(frozen=True)
class Verdict:
    """What became of a run; `counted` is the sum of the outbox over all states."""

    rows: Sequence[Row]
    accepted: Sequence[Accepted]
    counted: int
    kills: int
    connections: int
    frozen: Frozen | None = None

    @cached_property
    def copies(self) -> Counter[str]:
        """How often each Message-ID was accepted."""
        return Counter(one.message_id for one in self.accepted)

    @property
    def lost(self) -> int:
        """Deliveries that never arrived."""
        return sum(row.message_id not in self.copies for row in self.rows)

    @property
    def duplicates(self) -> int:
        """Messages that arrived once more than they should."""
        return len(self.accepted) - len(self.copies)

    @property
    def allowed(self) -> int:
        """One for each connection of each worker that was killed or frozen (RFC 1047)."""
        return (self.kills + bool(self.frozen)) * self.connections

    @property
    def sent_by_the_frozen(self) -> int:
        """How much of what it had lost the frozen worker sent after it woke up."""
        if self.frozen is None:
            return 0
        lost = {row.message_id for row in self.rows if row.number in self.frozen.held}
        later = self.accepted[self.frozen.woke_at :]
        return sum(one.message_id in lost and one.port in self.frozen.ports for one in later)

    @property
    def unlike(self) -> int:
        """Messages whose copies differ in recipient or bytes, or that the outbox does not know."""
        kinds = defaultdict(set)
        for one in self.accepted:
            kinds[one.message_id].add((one.recipient, one.checksum))
        known = {row.message_id for row in self.rows}
        return sum(len(kind) > 1 or name not in known for name, kind in kinds.items())

    def broken(self) -> list[str]:
        """The promises that were not kept."""
        unsent = Counter(row.state for row in self.rows if row.state != "sent")
        found = {
            f"{self.lost} mails were lost": self.lost > 0,
            f"{self.duplicates} came twice, allowed are {self.allowed}": (
                self.duplicates > self.allowed
            ),
            f"the frozen worker sent {self.sent_by_the_frozen} that it had lost": (
                self.sent_by_the_frozen > self.connections
            ),
            f"{self.unlike} messages are not what was queued": self.unlike > 0,
            f"not recorded as sent: {dict(unsent)}": bool(unsent),
            f"{len(self.rows)} deliveries, {self.counted} over all states": (
                len(self.rows) != self.counted
            ),
        }
        return [line for line, is_so in found.items() if is_so]
