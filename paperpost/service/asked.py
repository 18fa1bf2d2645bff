"""What was asked of which host, how often, and how it was answered."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from paperpost.service.installation import Installation
from paperpost.sources.politeness import limit_of
from paperpost.store import requests, turns
from paperpost.store.requests import Answered
from paperpost.store.tables import HostTurn, Request

LATELY = timedelta(hours=24)
# The gap between two requests is no reason to say that a host is left alone.
WORTH_TELLING = timedelta(seconds=10)
NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class AskedHost:
    """One host and its aliases, in the last 24 hours.

    `answers` are numbers of requests by status, or NO_ANSWER; `last` is how the last one ended,
    None without any; until `closed_until` nobody asks.
    """

    name: str
    answers: dict[str, int]
    last: str | None = None
    closed_until: datetime | None = None

    @property
    def requests(self) -> int:
        """How many there were."""
        return sum(self.answers.values())

    @property
    def failed(self) -> int:
        """How many brought nothing."""
        return sum(number for status, number in self.answers.items() if _is_failure(status))

    @property
    def sentence(self) -> str:
        """It in words, without its name."""
        said = f"{self.requests} requests in 24 hours" if self.requests > 1 else "1 request"
        parts = [f"{said}, the last: {self.last}" if self.requests else "not asked in 24 hours"]
        failures = [
            f"{number} with {status}"
            for status, number in self.answers.items()
            if _is_failure(status)
        ]
        parts += [f"failed: {', '.join(failures)}"] if failures else []
        if self.closed_until:
            parts.append(f"to be left alone until {self.closed_until:%Y-%m-%d %H:%M} UTC")
        return "; ".join(parts)

    @property
    def document(self) -> dict[str, Any]:
        """For machines."""
        return {
            "host": self.name,
            "requests": self.requests,
            "answers": self.answers,
            "last": self.last,
            "closed_until": self.closed_until and self.closed_until.isoformat(),
        }


def _is_failure(status: str) -> bool:
    return status == NO_ANSWER or int(status) >= 400


def hosts(installation: Installation) -> list[AskedHost]:
    """The hosts that were asked lately, and those that want to be left alone."""
    now = installation.clock()
    with installation.database.reading() as session:
        answered = requests.answered(session, now - LATELY)
        last = requests.last_of_each(session, now - LATELY)
        closed = turns.all_of(session)
    return gathered(answered, last, closed, now)


def gathered(
    answered: Iterable[Answered],
    last: Iterable[Request],
    closed: Iterable[HostTurn],
    now: datetime,
) -> list[AskedHost]:
    """The same, of what the store says; aliases are put together."""
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for one in answered:
        answers[limit_of(one.host).name][_status(one.status)] += one.number
    ended: dict[str, Request] = {}
    for request in sorted(last, key=lambda request: request.asked_at):
        ended[limit_of(request.host).name] = request
    until = {turn.host: turn.free_at for turn in closed if turn.free_at > now + WORTH_TELLING}
    return [
        AskedHost(
            name,
            dict(sorted(answers[name].items())),
            _ending(ended[name]) if name in ended else None,
            until.get(name),
        )
        for name in sorted({*answers, *until})
    ]


def _status(status: int | None) -> str:
    return NO_ANSWER if status is None else str(status)


def _ending(request: Request) -> str:
    said = f" ({request.said})" if request.said else ""
    return f"{_status(request.status)}{said}"


def newest(installation: Installation, limit: int, host: str | None = None) -> Sequence[Request]:
    """The last requests, the newest first; with `host`, to that one and its aliases."""
    with installation.database.reading() as session:
        if host is None:
            return requests.newest(session, limit)
        names = [name for name in requests.hosts(session) if same_host(name, host)]
        return requests.newest(session, limit, names)


def same_host(name: str, host: str) -> bool:
    """Whether both are one host, or aliases of one."""
    return limit_of(name).name == limit_of(host).name
