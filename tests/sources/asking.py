"""A polite client that never waits, and remembers what it would have waited for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypedDict, Unpack

from hurried_client import Kept

from paperpost.sources.client import PoliteClient
from paperpost.sources.exchange import Attempt

NOW = datetime(2026, 4, 1, 4, 0, tzinfo=UTC)


class Gate:
    """Lets everybody in at once, and remembers whom it would have held up for how long."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.pauses: list[float] = []

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        self.hosts.append(host)
        yield

    def close(self, host: str, seconds: float) -> None:
        self.pauses.append(seconds)


class Options(TypedDict, total=False):
    timeout: float
    deadline: float
    max_bytes: int
    max_attempts: int
    allow_private: bool
    mirror: str
    stop: threading.Event


class Asking:
    """A client with its cache and its log, and what it waited for."""

    def __init__(self, **options: Unpack[Options]) -> None:
        self.cache = Kept()
        self.log: list[Attempt] = []
        self.gate = Gate()
        self.hosts, self.pauses = self.gate.hosts, self.gate.pauses
        allowed: Options = {"allow_private": True, "timeout": 5.0, **options}
        self.client = PoliteClient(
            contact="mailto:admin@example.org",
            version="0.1",
            gate=self.gate,
            cache=self.cache,
            log=self.log.append,
            now=lambda: NOW,
            jitter=lambda: 0.0,
            **allowed,
        )
