"""An answer of Hugging Face's API for Daily Papers: a JSON array, a row for each paper of a day.

A row's `paper` holds the arXiv id, the upvotes, and when the paper was put on the day's list,
which is the day it counts as announced on; `publishedAt` is its submission to arXiv.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import IO

from paperpost.sources.daily_papers import SIZE_LIMIT, SOURCE
from paperpost.sources.errors import UnreadableFile
from paperpost.sources.found import FoundPaper, InvalidRecord, Records, Rejected, checked

_NO_LINES = "a JSON array, not JSON lines: each paper must be a line of its own"


def read_daily_papers_api(stream: IO[bytes], *, today: date) -> Records:
    """The papers of the rows. Raises UnreadableFile for an array that is no such answer."""
    rows = _rows(stream)
    if not rows:
        raise UnreadableFile("a JSON array without papers")
    if not any(isinstance(row, dict) and "paper" in row for row in rows):
        raise UnreadableFile(_NO_LINES)
    for number, row in enumerate(rows, start=1):
        yield _read_row(number, row, today)


def _rows(stream: IO[bytes]) -> list[object]:
    data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise UnreadableFile(f"an answer for Daily Papers larger than {SIZE_LIMIT:,} bytes")
    try:
        rows = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnreadableFile("the JSON array is not UTF-8") from None
    except (ValueError, RecursionError):
        raise UnreadableFile("the JSON array is broken, or ends in the middle") from None
    return rows if isinstance(rows, list) else []


def _read_row(number: int, row: object, today: date) -> FoundPaper | Rejected:
    paper = row.get("paper") if isinstance(row, dict) else None
    if not isinstance(paper, dict):
        return Rejected(number, "the row has no paper")
    try:
        return checked(_record(paper), source=SOURCE, today=today)
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
