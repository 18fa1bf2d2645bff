"""Rows as lines of text, as PostgreSQL's COPY writes them
(https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"), from and for SQLite.

A line is a row, a tab stands between two values, `\\N` is NULL. Times have their zone, which is
UTC; documents (JSON) stay the text that they are.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy.types import JSON, Boolean, Date, DateTime, Float, Integer, TypeEngine

END = b"\\.\n"
_NULL = "\\N"
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPED = str.maketrans(_ESCAPES)
_MEANT = {escape[1]: letter for letter, escape in _ESCAPES.items()} | {
    "b": "\b",  # which PostgreSQL writes, too
    "f": "\f",
    "v": "\v",
}
_AN_ESCAPE = re.compile(r"\\(.)")


class NotARow(ValueError):
    """A line that is no row of these columns."""


def lines(rows: Iterable[Sequence[Any]], types: Sequence[TypeEngine[Any]]) -> bytes:
    """What SQLite gave for columns of these types, a line each."""
    writers = [_writer(kind) for kind in types]
    texts = (
        "\t".join(
            _NULL if value is None else write(value)
            for value, write in zip(row, writers, strict=True)
        )
        for row in rows
    )
    return "".join(f"{text}\n" for text in texts).encode()


def rows(lines: bytes, types: Sequence[TypeEngine[Any]]) -> list[tuple[Any, ...]]:
    """What SQLite keeps of these lines; raises NotARow."""
    readers = [_reader(kind) for kind in types]
    try:
        return [
            tuple(
                None if text == _NULL else read(text)
                for text, read in zip(line.split("\t"), readers, strict=True)
            )
            for line in lines.decode().removesuffix("\n").split("\n")
        ]
    except (ValueError, KeyError, RecursionError) as error:
        raise NotARow(str(error)) from error


def _writer(kind: TypeEngine[Any]) -> Callable[[Any], str]:
    if isinstance(kind, Boolean):
        return lambda value: "t" if value else "f"
    if isinstance(kind, DateTime):
        return lambda value: f"{value}+00"
    if isinstance(kind, Integer | Date):
        return str
    return repr if isinstance(kind, Float) else _escaped


def _escaped(value: str) -> str:
    return value.translate(_ESCAPED)


def _reader(kind: TypeEngine[Any]) -> Callable[[str], Any]:
    if isinstance(kind, Boolean):
        return {"t": 1, "f": 0}.__getitem__
    for known, reader in _READERS:
        if isinstance(kind, known):
            return reader
    return _plain


def _number(text: str) -> int:
    number = int(text)
    if not -(2**31) <= number < 2**31:  # as PostgreSQL's are
        raise ValueError(f"not an integer of 32 bits: {text[:40]!r}")
    return number


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _time(text: str) -> str:
    """As SQLAlchemy writes times, so that they compare as texts: always with microseconds."""
    moment, zone, _ = text.partition("+00")
    if not zone:
        raise ValueError(f"not a time in UTC: {text[:40]!r}")
    whole, _, fraction = moment.partition(".")
    kept = f"{whole}.{fraction:0<6}"
    if datetime.fromisoformat(kept).isoformat(" ", "microseconds") != kept:
        raise ValueError(f"not a time: {text[:40]!r}")
    return kept


def _document(text: str) -> str:
    document = _plain(text)
    json.loads(document)
    return document


_plain = partial(_AN_ESCAPE.sub, lambda escape: _MEANT[escape[1]])
_READERS: tuple[tuple[type[TypeEngine[Any]], Callable[[str], Any]], ...] = (
    (Integer, _number),
    (Float, float),
    (DateTime, _time),
    (Date, _day),
    (JSON, _document),
)
