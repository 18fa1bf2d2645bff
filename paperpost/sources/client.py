"""One polite HTTP client under all sources: it says who it is, waits its turn and takes no for one.

arXiv's terms (https://info.arxiv.org/help/api/tou.html) allow one request in three seconds over
all machines of an operator. So the caller gives the gate, which every process shares.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Protocol, Self

import httpx

from paperpost.sources.addresses import refuse_private_host, refuse_private_peer
from paperpost.sources.errors import AnswerTooLarge, ForbiddenAddress, RequestFailed, SourceBusy

MAX_BYTES = 32 * 1024 * 1024
MAX_ATTEMPTS = 4
MAX_REDIRECTS = 5
LONGEST_PAUSE = 120.0  # seconds; who asks for more is not asked again in this run
_ERROR_BODY = 64 * 1024
_FIRST_BACK_OFF = 4.0
_REDIRECTS = {301, 302, 303, 307, 308}


class Validators(NamedTuple):
    """What a server gave to ask later whether anything has changed (RFC 9110, section 8.8)."""

    etag: str | None
    last_modified: str | None


class ValidatorCache(Protocol):
    """Where validators are kept, by URL."""

    def get(self, url: str) -> Validators | None: ...

    def put(self, url: str, validators: Validators) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for `url`; `body` is None if it has not changed since it was last kept."""

    url: str
    status: int
    body: bytes | None
    etag: str | None
    last_modified: str | None
    _cache: ValidatorCache = field(repr=False)

    @property
    def not_modified(self) -> bool:
        """Is it still what was kept?"""
        return self.status == 304

    def keep(self) -> None:
        """Say that the body is taken in. Without this a crash before that would lose it for good:
        the next request would hear that nothing has changed."""
        if self.body is not None and (self.etag or self.last_modified):
            self._cache.put(self.url, Validators(self.etag, self.last_modified))


class _Retry(Exception):
    """This attempt failed in a way that may pass; `retry_after` in seconds, if the server said."""

    def __init__(self, failure: RequestFailed, retry_after: float | None = None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.retry_after = retry_after


class PoliteClient:
    """GET with a gate per host, validators, back-off, and limits on time, size and address.

    `gate(host)` blocks until that host may be asked. `timeout` is in seconds for each step of a
    request, `deadline` for a whole answer. `clock` tells seconds that never go back, `now` the
    time of day in UTC. Only with `allow_private` may a source be on a private address.
    """

    def __init__(
        self,
        *,
        contact: str | None,
        version: str,
        gate: Callable[[str], None],
        cache: ValidatorCache,
        timeout: float = 30.0,
        deadline: float = 180.0,
        max_bytes: int = MAX_BYTES,
        max_attempts: int = MAX_ATTEMPTS,
        allow_private: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._gate = gate
        self._cache = cache
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._max_attempts = max_attempts
        self._allow_private = allow_private
        self._sleep = sleep
        self._clock = clock
        self._now = now
        self._jitter = jitter
        headers = {"User-Agent": user_agent(version, contact), "Accept-Encoding": "gzip"}
        self._http = httpx.Client(headers=headers, timeout=timeout, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, url: str) -> Answer:
        """Ask for `url`, again if need be. Raises RequestFailed or one of its kinds."""
        attempt = 1
        while True:
            try:
                return self._follow(url)
            except _Retry as retry:
                pause = self._pause(retry, attempt)
                if attempt >= self._max_attempts:
                    raise retry.failure from retry.__cause__
                self._sleep(pause)
            attempt += 1

    def _pause(self, retry: _Retry, attempt: int) -> float:
        """Seconds to wait; a server that asks for too many is left alone instead."""
        asked = retry.retry_after or 0.0
        if asked > LONGEST_PAUSE:
            status = retry.failure.status or 0
            raise SourceBusy(retry.failure.url, status=status, retry_after=asked)
        return max(asked, back_off(attempt, self._jitter()))

    def _follow(self, url: str) -> Answer:
        """One attempt: the request, and where it is redirected to."""
        here = _http_url(url)
        for _ in range(MAX_REDIRECTS + 1):
            if not self._allow_private:
                refuse_private_host(here)
            self._gate(here.host)
            answered = self._ask(url, here)
            if isinstance(answered, Answer):
                return answered
            if here.scheme == "https" and answered.scheme != "https":
                raise ForbiddenAddress(url, f"redirected from https to {answered.scheme}")
            here = answered
        raise RequestFailed(url, f"more than {MAX_REDIRECTS} redirects")

    def _ask(self, url: str, here: httpx.URL) -> Answer | httpx.URL:
        """One request: its answer, or the URL it redirects to."""
        started = self._clock()
        try:
            with self._http.stream("GET", here, headers=self._conditions(url)) as response:
                if not self._allow_private:
                    refuse_private_peer(response)
                return self._answer(url, response, started)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise _Retry(RequestFailed(url, reason)) from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # a..b is a UnicodeError
            raise RequestFailed(url, str(error) or type(error).__name__) from error

    def _conditions(self, url: str) -> dict[str, str]:
        kept = self._cache.get(url)
        headers = {
            "If-None-Match": kept.etag if kept else None,
            "If-Modified-Since": kept.last_modified if kept else None,
        }
        return {name: value for name, value in headers.items() if value}

    def _answer(self, url: str, response: httpx.Response, started: float) -> Answer | httpx.URL:
        status = response.status_code
        if status in _REDIRECTS:
            return _http_url(str(response.url.join(response.headers.get("Location", ""))))
        if status == 304:
            return self._answered(url, response, None)
        if status == 200:
            return self._answered(url, response, self._body(url, response, started))
        explained = self._beginning(url, response, started)
        failure = RequestFailed(url, f"HTTP {status}", status=status, body=explained)
        if status == 429 or status >= 500:
            raise _Retry(failure, retry_after(response.headers.get("Retry-After"), self._now()))
        raise failure

    def _answered(self, url: str, response: httpx.Response, body: bytes | None) -> Answer:
        etag, changed = _validator(response, "ETag"), _validator(response, "Last-Modified")
        return Answer(url, response.status_code, body, etag, changed, self._cache)

    def _body(self, url: str, response: httpx.Response, started: float) -> bytes:
        """The decompressed body, given up as soon as it is too large."""
        body = bytearray()
        for piece in self._pieces(url, response, started):
            body += piece
            if len(body) > self._max_bytes:
                raise AnswerTooLarge(url, limit=self._max_bytes)
        return bytes(body)

    def _beginning(self, url: str, response: httpx.Response, started: float) -> bytes:
        """The first bytes of an error's body, which may say more than its status."""
        body = bytearray()
        for piece in self._pieces(url, response, started):
            body += piece
            if len(body) >= _ERROR_BODY:
                break
        return bytes(body[:_ERROR_BODY])

    def _pieces(self, url: str, response: httpx.Response, started: float) -> Iterator[bytes]:
        """The body as it comes, while there is time."""
        for piece in response.iter_bytes():
            if self._clock() - started > self._deadline:
                reason = f"no whole answer within {self._deadline:g} seconds"
                raise _Retry(RequestFailed(url, reason))
            yield piece


def user_agent(version: str, contact: str | None) -> str:
    """Who we are, and whom to write to about it."""
    mail = f"; mailto:{contact}" if contact and _fits_header(contact) else ""
    return f"Paperpost/{version} (self-hosted paper alerts{mail})"


def back_off(attempt: int, jitter: float) -> float:
    """Seconds before the attempt after number `attempt`: doubling, and 50 to 100 % of it by
    `jitter` in [0, 1), so that clients that failed together do not return together."""
    longest = min(_FIRST_BACK_OFF * 2.0 ** (attempt - 1), LONGEST_PAUSE)
    return longest * (1 + jitter) / 2


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After header, which is a number or a date (RFC 9110, 10.2.3)."""
    if not header:
        return None
    if header.strip().isdecimal() and len(header) < 10:
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return max((moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds(), 0.0)


def _validator(response: httpx.Response, name: str) -> str | None:
    """A header that will be sent back, unless no request could carry it."""
    value = response.headers.get(name)
    return value if value and _fits_header(value) else None


def _fits_header(value: str) -> bool:
    return value.isascii() and value.isprintable() and len(value) <= 1_000


def _http_url(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise RequestFailed(url, str(error)) from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ForbiddenAddress(url, "only http and https are asked")
    return parsed
