"""Rows as lines of text, as PostgreSQL's COPY writes them
(https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"), from and for SQLite.

A line is a row, a tab stands between two values, `\\N` is NULL. Times have their zone, which is
UTC; documents (JSON) stay the text that they are.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from sqlalchemy.types import Boolean, Date, DateTime, Float, Integer, TypeEngine

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
    except (ValueError, KeyError) as error:
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
    if isinstance(kind, Integer):
        return int
    if isinstance(kind, Float):
        return float
    return _time if isinstance(kind, DateTime) else _plain


def _time(text: str) -> str:
    """As SQLAlchemy writes times, so that they compare as texts: always with microseconds."""
    moment, zone, _ = text.partition("+00")
    if not zone:
        raise ValueError(f"not a time in UTC: {text[:40]!r}")
    whole, _, fraction = moment.partition(".")
    return f"{whole}.{fraction:0<6}"


_plain = partial(_AN_ESCAPE.sub, lambda escape: _MEANT[escape[1]])
