"""What is handed to a mail server, and what can come of it.

The four outcomes are told apart because they ask for different things: Accepted is done; Refused
is about this message, for now or for good; Unknown was handed over whole, and no answer came (RFC
1047); Unreachable says nothing about the message.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for one recipient; sender is the envelope's, filename names it in a folder."""

    sender: str
    recipient: str
    data: bytes
    filename: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server has taken responsibility for the message."""

    reply: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The message was not taken: for good (5yz), or for now (4yz, or the connection was lost)."""

    reply: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message was handed over whole, and the connection was lost before the answer."""

    reply: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """There was no way to hand over any message: no connection, no login, no TLS, no disk."""

    reply: str


Outcome: TypeAlias = Accepted | Refused | Unknown | Unreachable


class Transport(Protocol):
    """A way to hand over messages, one at a time, from one thread."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand over the message. Never raises for what the other side does."""
        ...

    def close(self) -> None:
        """Let go of the connection, if there is one; the next send opens another."""
        ...
