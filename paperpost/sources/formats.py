"""A file of papers, whatever its format: told by its content, never by its name."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, cast

from paperpost.sources import daily_papers, daily_papers_api, feeds, oai
from paperpost.sources.errors import UnreadableFile
from paperpost.sources.found import Records, Rejected
from paperpost.sources.gzipped import Unpacked
from paperpost.sources.jsonlines import read_json_lines
from paperpost.sources.xml_documents import UTF8_MARK, root_name

if TYPE_CHECKING:
    Reader = io.BufferedReader[Any]  # generic for type checkers only

_HEAD = 64 * 1024
_GZIP = b"\x1f\x8b"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OBJECT_LINE = re.compile(rb"^[ \t]*\{", re.MULTILINE)


def read_papers(data: str | PathLike[str] | IO[bytes], *, today: date) -> Records:
    """The papers of a file or of an open binary stream, and the records that are none.

    Formats: JSON lines, RSS, Atom, OAI-PMH XML, Daily Papers as a page saved as text or as its
    API's answer; each may be gzip'd. Raises UnreadableFile for anything else and FeedError for an
    error in a feed's clothes, both when records are asked for.
    """
    with _opened(data) as stream:
        if stream.peek(len(_GZIP))[: len(_GZIP)] == _GZIP:
            yield from _read_gzip(stream, today)
        else:
            yield from _read(stream, today)


@contextmanager
def _opened(data: str | PathLike[str] | IO[bytes]) -> Iterator["Reader"]:
    """A reader that can look ahead; a stream that was given stays open."""
    if isinstance(data, str | PathLike):
        try:
            raw = io.FileIO(data)
        except OSError as error:
            raise UnreadableFile(error.strerror or "the file cannot be opened") from error
        with io.BufferedReader(raw, _HEAD) as file:
            yield file
        return
    reader = io.BufferedReader(cast(io.RawIOBase, data), _HEAD)  # `readinto` is all it needs
    try:
        yield reader
    finally:
        reader.detach()


def _read_gzip(stream: "Reader", today: date) -> Records:
    unpacked = Unpacked(stream)
    reader = io.BufferedReader(unpacked, _HEAD)
    if not reader.peek(1) and unpacked.damage:
        raise UnreadableFile(unpacked.damage)
    last = 0
    for record in _read(reader, today):
        last = record.record if isinstance(record, Rejected) else last + 1
        yield record
    if unpacked.damage:
        yield Rejected(last + 1, unpacked.damage, damage=True)


def _read(stream: "Reader", today: date) -> Records:
    head = stream.peek(_HEAD)[:_HEAD]
    text = head.removeprefix(UTF8_MARK).lstrip()
    if not text:
        raise UnreadableFile("the file is empty")
    if head.startswith(_UTF16_MARKS):
        raise UnreadableFile("the text is UTF-16; save it as UTF-8")
    root = root_name(text)
    if root == oai.ROOT or root in feeds.ITEMS:
        stream.read(len(head) - len(text))  # an XML parser wants nothing before the declaration
        return oai.read_oai(stream, today=today) if root == oai.ROOT else _read_feed(stream, today)
    if daily_papers.is_daily_papers(text.decode("utf-8", errors="replace")):
        return daily_papers.read_daily_papers(stream, today=today)
    if text.startswith(b"["):
        return daily_papers_api.read_daily_papers_api(stream, today=today)
    if _OBJECT_LINE.search(text):
        return read_json_lines(stream, today=today)
    what = f"XML or HTML with the root <{root}>" if root else "the file"
    raise UnreadableFile(
        f"{what} is neither JSON lines, RSS, Atom, OAI-PMH XML nor a Daily Papers page"
    )


def _read_feed(stream: "Reader", today: date) -> Records:
    data = stream.read(feeds.SIZE_LIMIT + 1)
    if len(data) > feeds.SIZE_LIMIT:
        raise UnreadableFile(f"a feed larger than {feeds.SIZE_LIMIT:,} bytes")
    return feeds.read_feed(data, today=today)
