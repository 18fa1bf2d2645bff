"""One request and its answer, within limits of time and size."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

import httpx

from paperpost.sources.cleaning import one_line
from paperpost.sources.errors import ForbiddenAddress, RequestFailed
from paperpost.sources.reading import Reading
from paperpost.sources.redaction import kept_under, scrubbed, without_secrets
from paperpost.sources.watching import watched

_ERROR_BODY = 64 * 1024
_LONGEST_TOLD = 2_000
_REDIRECTS = {301, 302, 303, 307, 308}


class Validators(NamedTuple):
    """What a server gave to ask later whether anything has changed (RFC 9110, section 8.8)."""

    etag: str | None
    last_modified: str | None


class ValidatorCache(Protocol):
    """Where validators are kept, by a name for the URL, and for who reads it, that tells no
    secret."""

    def get(self, name: str) -> Validators | None: ...

    def put(self, name: str, validators: Validators) -> None: ...


@dataclass(slots=True)
class Attempt:
    """One request as it went: `url` without secrets, `status` None where no answer came, `size` the
    bytes of the body as it was sent, `said` why there is no answer, or what the server asked for.
    """

    host: str
    url: str
    asked_at: datetime
    seconds: float = 0.0
    status: int | None = None
    size: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for `url`; `body` is None if it has not changed since it was last kept.
    The names of `headers` are in small letters."""

    url: str
    status: int
    body: bytes | None
    etag: str | None
    last_modified: str | None
    _cache: ValidatorCache = field(repr=False)
    _kept_under: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def keep(self) -> None:
        """Say that the body is taken in. Without this a crash before that would lose it for good:
        the next request would hear that nothing has changed."""
        if self.body is not None and (self.etag or self.last_modified):
            self._cache.put(self._kept_under, Validators(self.etag, self.last_modified))


class Retry(Exception):
    """This attempt failed in a way that may pass; `asked` is what Retry-After said, if it did."""

    def __init__(self, failure: RequestFailed, host: str, asked: str | None = None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.host = host
        self.asked = asked


class Limits(NamedTuple):
    """Of one answer: its bytes, unpacked; seconds until it is there as a whole, unless `stop` is
    set before. `anywhere` allows private addresses."""

    max_bytes: int
    deadline: float
    stop: threading.Event
    anywhere: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request for `meant`, to which `url` led; `attempt` is told how it goes. What `reader`
    has read of it need not come again."""

    url: str
    reader: str
    meant: httpx.URL
    attempt: Attempt
    cache: ValidatorCache
    limits: Limits

    def run(
        self, http: httpx.Client, place: httpx.URL, headers: Mapping[str, str]
    ) -> Answer | httpx.URL:
        """Ask at `place`: the answer, or the URL it redirects to. Raises Retry, RequestFailed or
        one of its kinds, or Stopped."""
        headers = {**headers, **self._conditions()}
        _, deadline, stop, anywhere = self.limits
        with watched(place, deadline, stop, allow_private=anywhere) as watch:
            extensions = {"trace": watch.trace}
            try:
                with http.stream("GET", place, headers=headers, extensions=extensions) as response:
                    return self._answer(Reading(response, watch))
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                watch.require_going_on()
                # a..b is a UnicodeError, and an answer may be longer than it was said to be
                reason = watch.lateness or str(error) or type(error).__name__
                raise self._failed(reason, error) from error
            except RequestFailed as failure:
                if failure.status is None:
                    self.attempt.said = failure.reason
                raise

    def _failed(self, reason: str, error: Exception) -> Exception:
        failure = RequestFailed(self.url, reason)
        self.attempt.said = failure.reason
        may_pass = isinstance(error, httpx.TransportError)
        return Retry(failure, self.meant.host) if may_pass else failure

    def _conditions(self) -> dict[str, str]:
        kept = self.cache.get(self._name)
        headers = {
            "If-None-Match": kept.etag if kept else None,
            "If-Modified-Since": kept.last_modified if kept else None,
        }
        return {name: value for name, value in headers.items() if value}

    @property
    def _name(self) -> str:
        """Of what is kept: two readers of one address take different things from it."""
        url = kept_under(self.url)
        return f"{url} {self.reader}" if self.reader else url

    def _answer(self, reading: Reading) -> Answer | httpx.URL:
        self.attempt.status = reading.status
        if reading.status in _REDIRECTS:
            return self._redirected(reading)
        try:
            return self._read(reading)
        finally:
            self.attempt.size = reading.size

    def _redirected(self, reading: Reading) -> httpx.URL:
        if not reading.location:
            raise RequestFailed(self.url, f"HTTP {reading.status} without an address to go to")
        target = web_address(str(self.meant.join(reading.location)), self.url)
        self.attempt.said = f"to {tellable(target, self.url)}"
        return target

    def _read(self, reading: Reading) -> Answer:
        status = reading.status
        if status == 304:
            return self._answered(reading, None)
        if status == 200:
            return self._answered(reading, reading.whole(self.url, self.limits.max_bytes))
        explained = reading.beginning(self.url, _ERROR_BODY)
        failure = RequestFailed(self.url, f"HTTP {status}", status=status, body=explained)
        if status != 429 and status < 500:
            raise failure
        asked = reading.header("Retry-After")
        self.attempt.said = f"Retry-After: {asked}" if asked else ""
        raise Retry(failure, self.meant.host, asked)

    def _answered(self, reading: Reading, body: bytes | None) -> Answer:
        etag, changed = reading.header("ETag"), reading.header("Last-Modified")
        told = dict(reading.response.headers)
        cache, name = self.cache, self._name
        return Answer(self.url, reading.status, body, etag, changed, cache, name, told)


def tellable(meant: httpx.URL, url: str) -> str:
    """An address to which `url` led, without either's secrets: who redirects may write ours under
    a harmless name."""
    return one_line(scrubbed(without_secrets(str(meant)), url), _LONGEST_TOLD)


def web_address(text: str, url: str) -> httpx.URL:
    """An address that can be asked, to which `url` led. Raises RequestFailed."""
    try:
        parsed = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise RequestFailed(url, str(error)) from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ForbiddenAddress(url, "only http and https are asked")
    return parsed
