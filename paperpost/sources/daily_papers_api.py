"""An answer of Hugging Face's API for Daily Papers: a JSON array, a row for each paper of a day.

A row's `paper` holds the arXiv id, the upvotes, and when the paper was put on the day's list,
which is the day it counts as announced on; `publishedAt` is its submission to arXiv. The comments
stand beside it, in the row itself.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import IO

from paperpost.sources.cleaning import plain_text
from paperpost.sources.daily_papers import SIZE_LIMIT, SOURCE
from paperpost.sources.errors import FeedError, UnreadableFile
from paperpost.sources.found import FoundPaper, InvalidRecord, Records, Rejected, checked

_NO_LINES = "a JSON array, not JSON lines: each paper must be a line of its own"
_ERROR_LIMIT = 200


def read_daily_papers_api(stream: IO[bytes], *, today: date) -> Records:
    """The papers of a file. Raises UnreadableFile for an array that is no such answer."""
    data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise UnreadableFile(f"an answer for Daily Papers larger than {SIZE_LIMIT:,} bytes")
    rows = rows_of(data)
    if not rows:
        raise UnreadableFile("a JSON array without papers")
    yield from papers_of(rows, today=today)


def rows_of(data: bytes) -> list[object]:
    """The rows of an answer, none on a day without a list. Raises UnreadableFile, and FeedError
    for an object that tells an error."""
    try:
        rows = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnreadableFile("the JSON array is not UTF-8") from None
    except (ValueError, RecursionError):
        raise UnreadableFile("the JSON array is broken, or ends in the middle") from None
    if isinstance(rows, dict) and isinstance(rows.get("error"), str):
        raise FeedError(plain_text(rows["error"], _ERROR_LIMIT))
    if not isinstance(rows, list):
        raise UnreadableFile("JSON, but no array of papers")
    return rows


def papers_of(
    rows: Sequence[object], *, today: date, first: int = 1
) -> Iterator[FoundPaper | Rejected]:
    """Each row's paper, or why it is none; `first` is the number of the first row. Raises
    UnreadableFile if no row looks like one."""
    if rows and not any(isinstance(row, dict) and "paper" in row for row in rows):
        raise UnreadableFile(_NO_LINES)
    for number, row in enumerate(rows, start=first):
        yield _read_row(number, row, today)


def _read_row(number: int, row: object, today: date) -> FoundPaper | Rejected:
    paper = row.get("paper") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(paper, dict):
        return Rejected(number, "the row has no paper")
    try:
        record = _record(paper) | {"discussed": row.get("numComments")}
        return checked(record, source=SOURCE, today=today)
    except InvalidRecord as invalid:
        return Rejected(number, str(invalid))


def _record(paper: Mapping[str, object]) -> dict[str, object]:
    return {
        "id": paper.get("id"),
        "title": paper.get("title"),
        "abstract": paper.get("summary"),
        "authors": _authors(paper.get("authors")),
        "announced": _day(paper.get("submittedOnDailyAt")),
        "upvotes": paper.get("upvotes"),
    }


def _day(moment: object) -> object:
    """The day of a moment like 2026-04-01T01:58:49.295Z."""
    return moment[:10] if isinstance(moment, str) else moment


def _authors(authors: object) -> list[object]:
    people = authors if isinstance(authors, list) else []
    return [person.get("name") for person in people if isinstance(person, dict)]
