"""What can go wrong between a source and a found paper.

SourceError
├── UnreadableFile      not a file of papers, or not one that may be read
├── FeedError           the source answered, and its answer is an error message
├── UnknownSource       a source's name or its categories make no sense
├── MissingKey          the source answers only to those who have a key
├── Stopped             the program is stopping, and nothing more is asked
└── RequestFailed       no answer that can be used
    ├── SourceBusy      the source asked to be left alone for longer than we wait
    ├── AnswerTooLarge  the answer is larger than the limit
    └── ForbiddenAddress  the address is not on the public internet
"""

import math
from collections.abc import Sequence

from paperpost.sources.cleaning import one_line, plain_text
from paperpost.sources.redaction import scrubbed, without_query, without_secrets

REASON_LIMIT = 1_000


class SourceError(Exception):
    """The base of every error that this package raises.

    Its text may quote what a source says, and is kept and mailed: it is one short line.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(one_line(message, REASON_LIMIT))


class UnreadableFile(SourceError):
    """The data is not in a format that papers can be read from."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = str(self)


class FeedError(SourceError):
    """The source answered with an error of its own instead of papers; `code` if it named one."""

    def __init__(self, message: str, code: str = "") -> None:
        self.message = plain_text(message, REASON_LIMIT) or "no reason is given"
        super().__init__(f"the source reports an error: {self.message}")
        self.code = code


class UnknownSource(SourceError):
    """The source is not one that Paperpost knows, or not written as it should be."""

    def __init__(self, spec: str, reason: str, known: Sequence[str]) -> None:
        super().__init__(f"{spec!r} is not a source: {reason}; known sources: {', '.join(known)}")
        self.spec = spec
        self.reason = reason
        self.known = tuple(known)


class MissingKey(SourceError):
    """The source answers only to those who have a key, and no `setting` tells one."""

    def __init__(self, source: str, setting: str) -> None:
        super().__init__(f"{source} needs {setting}: it answers nobody without a key")
        self.setting = setting


class Stopped(SourceError):
    """The program is stopping: no source is to blame."""

    def __init__(self) -> None:
        super().__init__("the program is stopping")


class RequestFailed(SourceError):
    """A request brought no usable answer; `status` is None where no answer came at all.

    Whatever `url` has in its query that only we should know is in none of it.
    """

    def __init__(
        self, url: str, reason: str, *, status: int | None = None, body: bytes = b""
    ) -> None:
        self.reason = one_line(scrubbed(reason, url), REASON_LIMIT)
        super().__init__(f"{without_query(url)}: {self.reason}")
        self.url = without_secrets(url)
        self.status = status
        text = scrubbed(body.decode(errors="surrogateescape"), url)
        self.body = text.encode(errors="surrogateescape")


class SourceBusy(RequestFailed):
    """The source wants a longer pause than we wait, of `seconds`; `status` is None if it said so
    before, and was not asked now."""

    def __init__(self, url: str, seconds: float, *, status: int | None = None) -> None:
        said = f" (HTTP {status})" if status else ""
        minutes = math.ceil(seconds / 60)
        super().__init__(url, f"to be left alone for {minutes} minutes{said}", status=status)
        self.seconds = seconds


class AnswerTooLarge(RequestFailed):
    """The answer, decompressed, is larger than `limit` bytes."""

    def __init__(self, url: str, *, limit: int) -> None:
        super().__init__(url, f"the answer is larger than {limit:,} bytes")
        self.limit = limit


class ForbiddenAddress(RequestFailed):
    """The URL leads to a private, loopback or link-local address, or is not plain HTTP(S)."""
