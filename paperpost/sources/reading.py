"""An answer as it is read: no larger than its limit, and in no shape that was not asked for."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from paperpost.sources.errors import AnswerTooLarge, RequestFailed
from paperpost.sources.politeness import fits_header
from paperpost.sources.watching import Watch

# Each layer of compression makes a thousand of one: a second one was not asked for.
_ENCODINGS = {"", "identity", "gzip"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer, of which the head is there."""

    response: httpx.Response
    watch: Watch

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return self.response.status_code

    @property
    def size(self) -> int:
        """How many bytes of the body came, as they were sent."""
        return self.response.num_bytes_downloaded

    @property
    def location(self) -> str:
        """Where it redirects to, empty if it does not say."""
        return str(self.response.headers.get("Location", ""))

    def header(self, name: str) -> str | None:
        """A header that may be told and sent back; None for what no request could carry."""
        value = self.response.headers.get(name)
        return value if value and fits_header(value) else None

    def whole(self, url: str, limit: int) -> bytes:
        """The decompressed body, given up as soon as it is too large."""
        body = bytearray()
        for piece in self._pieces(url):
            body += piece
            if len(body) > limit:
                raise AnswerTooLarge(url, limit=limit)
        return bytes(body)

    def beginning(self, url: str, limit: int) -> bytes:
        """The first bytes of an error's body, which may say more than its status."""
        body = bytearray()
        for piece in self._pieces(url):
            body += piece
            if len(body) >= limit:
                break
        return bytes(body[:limit])

    def _pieces(self, url: str) -> Iterator[bytes]:
        encoding = self.response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise RequestFailed(url, f"the answer is encoded as {ascii(encoding)[:80]}")
        yield from self.response.iter_bytes()
        self.watch.require_going_on()
        if self.watch.lateness:
            raise httpx.ReadTimeout(self.watch.lateness)
