"""One polite HTTP client under all sources: it says who it is, waits its turn and takes no for one.

arXiv's terms (https://info.arxiv.org/help/api/tou.html) allow one request in three seconds, over
one connection, over all machines of an operator. So the caller gives the gate, which every process
shares.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Protocol, Self

import httpx

from paperpost.sources.addresses import refuse_private_host, refuse_written_private
from paperpost.sources.errors import ForbiddenAddress, RequestFailed, SourceBusy
from paperpost.sources.exchange import (
    Answer,
    Attempt,
    Exchange,
    Limits,
    Retry,
    ValidatorCache,
    tellable,
    web_address,
)
from paperpost.sources.politeness import LONGEST_PAUSE, back_off, retry_after, user_agent

MAX_BYTES = 32 * 1024 * 1024
MAX_ATTEMPTS = 4
MAX_REDIRECTS = 5
TIMEOUT, DEADLINE = 30.0, 180.0


class Gate(Protocol):
    """Whose turn it is, among all processes; `host` is one that is asked."""

    def turn(self, host: str) -> AbstractContextManager[None]:
        """Waits until the host may be asked, and holds that for as long as it lasts. Raises
        SourceBusy for a host that is to be left alone for longer than we wait, and Stopped."""

    def close(self, host: str, seconds: float) -> None:
        """Nobody asks that host before so many seconds have passed."""


class PoliteClient:
    """GET with a gate per host, validators, back-off, and limits on time, size and address.

    `timeout` is in seconds for each step of a request, `deadline` for a whole answer; once `stop`
    is set, what is under way is cut off with Stopped. `log` is told every attempt when it is over.
    Only with `allow_private` may a source be on a private address. With a `mirror` every request
    goes there, wherever that is, the host that was meant first in the path.
    """

    def __init__(
        self,
        *,
        contact: str | None,
        version: str,
        gate: Gate,
        cache: ValidatorCache,
        log: Callable[[Attempt], None] = lambda attempt: None,
        stop: threading.Event | None = None,
        timeout: float = TIMEOUT,
        deadline: float = DEADLINE,
        max_bytes: int = MAX_BYTES,
        max_attempts: int = MAX_ATTEMPTS,
        allow_private: bool = False,
        mirror: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._gate = gate
        self._cache = cache
        self._log = log
        self._limits = Limits(
            max_bytes, deadline, stop or threading.Event(), allow_private or mirror is not None
        )
        self._max_attempts = max_attempts
        self._allow_private = allow_private
        self._mirror = mirror
        self._now = now
        self._jitter = jitter
        self._http = httpx.Client(
            headers={"User-Agent": user_agent(version, contact), "Accept-Encoding": "gzip"},
            timeout=timeout,
            follow_redirects=False,
            # An idle connection is one too many for the next process whose turn it is.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, reader: str = ""
    ) -> Answer:
        """Ask for `url`, again if need be; `headers`, which may be secret, are for its host alone.

        What does not come because it has not changed is what this `reader` has kept. Raises
        RequestFailed or one of its kinds, or Stopped.
        """
        attempt = 1
        while True:
            try:
                answer = self._follow(url, headers or {}, reader)
                # https://www.zotero.org/support/dev/web_api/v3/basics#rate_limiting
                if backoff := retry_after(answer.headers.get("backoff"), self._now()):
                    self._gate.close(web_address(url, url).host, backoff)
                return answer
            except Retry as retry:
                asked = retry_after(retry.asked, self._now()) or 0.0
                pause = max(asked, back_off(attempt, self._jitter()))
                self._gate.close(retry.host, pause)
                if pause > LONGEST_PAUSE:
                    raise SourceBusy(url, pause, status=retry.failure.status) from retry
                if attempt >= self._max_attempts:
                    raise retry.failure from retry.__cause__
            attempt += 1

    def _follow(self, url: str, headers: Mapping[str, str], reader: str) -> Answer:
        """One attempt: the request, and where it is redirected to."""
        first = meant = web_address(url, url)
        for _ in range(MAX_REDIRECTS + 1):
            own = headers if (meant.scheme, meant.host) == (first.scheme, first.host) else {}
            answered = self._request(url, meant, own, reader)
            if isinstance(answered, Answer):
                return answered
            if meant.scheme == "https" and answered.scheme != "https":
                raise ForbiddenAddress(url, f"redirected from https to {answered.scheme}")
            meant = answered
        raise RequestFailed(url, f"more than {MAX_REDIRECTS} redirects")

    def _request(
        self, url: str, meant: httpx.URL, headers: Mapping[str, str], reader: str
    ) -> Answer | httpx.URL:
        """One request in its turn: its answer, or the URL it redirects to."""
        place = self._place(url, meant)
        attempt = None
        started = 0.0
        try:
            with self._gate.turn(meant.host):
                attempt = Attempt(meant.host, tellable(meant, url), self._now())
                started = time.monotonic()
                exchange = Exchange(url, reader, meant, attempt, self._cache, self._limits)
                return exchange.run(self._http, place, headers)
        finally:
            if attempt is not None:
                attempt.seconds = time.monotonic() - started
                self._log(attempt)

    def _place(self, url: str, meant: httpx.URL) -> httpx.URL:
        """Where to ask. The mirror is the operator's choice; where a source leads is not."""
        if self._mirror is None:
            if not self._limits.anywhere:
                refuse_private_host(meant)
            return meant
        if not self._allow_private:
            refuse_written_private(meant)
        mirrored = f"{self._mirror}/{meant.netloc.decode()}{meant.raw_path.decode()}"
        return web_address(mirrored, url)
