"""What can go wrong between a source and a found paper.

SourceError
├── UnreadableFile      not a file of papers, or not one that may be read
├── FeedError           the source answered, and its answer is an error message
├── UnknownSource       a source's name or its categories make no sense
└── RequestFailed       no answer that can be used
    ├── SourceBusy      the source asked to be left alone for longer than we wait
    ├── AnswerTooLarge  the answer is larger than the limit
    └── ForbiddenAddress  the address is not on the public internet
"""

from collections.abc import Sequence


class SourceError(Exception):
    """The base of every error that this package raises."""


class UnreadableFile(SourceError):
    """The data is not in a format that papers can be read from."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FeedError(SourceError):
    """The source answered with an error of its own instead of papers."""

    def __init__(self, message: str) -> None:
        super().__init__(f"the source reports an error: {message}")
        self.message = message


class UnknownSource(SourceError):
    """The source is not one that Paperpost knows, or not written as it should be."""

    def __init__(self, spec: str, reason: str, known: Sequence[str]) -> None:
        super().__init__(f"{spec!r} is not a source: {reason}; known sources: {', '.join(known)}")
        self.spec = spec
        self.reason = reason
        self.known = tuple(known)


class RequestFailed(SourceError):
    """A request brought no usable answer; `status` is None where no answer came at all."""

    def __init__(
        self, url: str, reason: str, *, status: int | None = None, body: bytes = b""
    ) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason
        self.status = status
        self.body = body


class SourceBusy(RequestFailed):
    """The source asks for a longer pause than we wait; `retry_after` is in seconds."""

    def __init__(self, url: str, *, status: int, retry_after: float) -> None:
        super().__init__(
            url, f"HTTP {status}, to be asked again in {retry_after:.0f} seconds", status=status
        )
        self.retry_after = retry_after


class AnswerTooLarge(RequestFailed):
    """The answer, decompressed, is larger than `limit` bytes."""

    def __init__(self, url: str, *, limit: int) -> None:
        super().__init__(url, f"the answer is larger than {limit:,} bytes")
        self.limit = limit


class ForbiddenAddress(RequestFailed):
    """The URL leads to a private, loopback or link-local address, or is not plain HTTP(S)."""
