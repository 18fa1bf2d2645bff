"""Papers as JSON lines: one object a line, in the form that `paperpost import` documents."""

import json
from collections.abc import Iterator
from datetime import date
from typing import IO

from paperpost.sources.found import FoundPaper, InvalidRecord, Records, Rejected, checked

SOURCE = "import"
LINE_LIMIT = 4 * 1024 * 1024

_FIELDS = ("id", "announced", "title", "abstract", "authors", "categories", "comment")


def read_json_lines(stream: IO[bytes], *, today: date) -> Records:
    """Each line's paper, or why it is none; blank lines are passed over."""
    for number, line in enumerate(_lines(stream), start=1):
        if line.strip() or len(line) >= LINE_LIMIT:
            yield _read_line(number, line, today)


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines, of which a too long one comes cut, so that memory stays flat."""
    while line := stream.readline(LINE_LIMIT):
        yield line
        while line and not line.endswith(b"\n"):
            line = stream.readline(LINE_LIMIT)


def _read_line(number: int, line: bytes, today: date) -> FoundPaper | Rejected:
    try:
        return checked(_record(line), source=SOURCE, today=today)
    except InvalidRecord as invalid:
        return Rejected(number, str(invalid))


def _record(line: bytes) -> dict[str, object]:
    if len(line) >= LINE_LIMIT:
        raise InvalidRecord(f"the line is longer than {LINE_LIMIT:,} bytes")
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidRecord("the line is not UTF-8") from None
    except (ValueError, RecursionError):
        cut = line.lstrip().startswith(b"{") and not line.endswith(b"\n")
        reason = "the file ends in the middle of this line" if cut else "the line is not JSON"
        raise InvalidRecord(reason) from None
    if not isinstance(record, dict):
        raise InvalidRecord("the line is not a JSON object")
    if record.get("id") is None:
        raise InvalidRecord("id is missing")
    return {field: record.get(field) for field in _FIELDS}
