"""What a backup's file looks like, and reading and writing it without holding it.

A gzip of lines. The first says what it is, which version of the tables it has and which keys signed
the links. Then the tables: a line that names one and its columns, its rows as COPY's text
(store/copy_text.py), and `\\.`. The last line has how many rows there are, and the SHA-256 of all
before it. It is read to the end before anything of it is believed.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from paperpost.errors import PaperpostError
from paperpost.settings import SHORTEST_KEY
from paperpost.store.copy_text import END
from paperpost.store.dumping import TableRows

FORMAT = 1
READ_AT_ONCE = 1 << 20
# A row is some kilobytes; whoever sends us more wants our memory.
LONGEST_LINE = 1 << 25
FAST = 1  # gzip's level: half of the time of the usual one, a sixth more bytes


class BackupError(PaperpostError):
    """A file is no backup, or not a whole one."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: the version of the tables, the moment that they are of, and the keys that
    links in mails are signed with, the one that signs first."""

    revision: str
    made_at: datetime
    keys: tuple[str, ...]


def write(file: IO[bytes], header: Header, tables: Iterable[TableRows]) -> dict[str, int]:
    """Write a backup; how many rows each table has."""
    counts: dict[str, int] = {}
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=FAST, filename="") as packed:
        digest = hashlib.sha256()

        def put(block: bytes) -> None:
            digest.update(block)
            packed.write(block)

        put(_line({"paperpost": "backup", "format": FORMAT} | _document(header)))
        for table in tables:
            about = {"table": table.name, "columns": table.columns, "last": table.last}
            put(_line(about))
            counts[table.name] = 0
            for block in table.blocks:
                counts[table.name] += block.count(b"\n")
                put(block)
            put(END)
        packed.write(_line({"rows": counts, "sha256": digest.hexdigest()}))
    return counts


def _document(header: Header) -> dict[str, Any]:
    return {
        "revision": header.revision,
        "made_at": header.made_at.isoformat(),
        "keys": header.keys,
    }


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


class BackupReader:
    """A backup that is read once, from its first line on; raises BackupError for anything else."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._lines = _Lines(file)
        self.header = _header(self._lines.document())
        self.counts: dict[str, int] = {}

    def tables(self) -> Iterator[TableRows]:
        """The tables, each to be read before the next. Only at the end it is known that the file
        is whole."""
        while "table" in (about := self._lines.document()):
            if not _is_table(about) or about["table"] in self.counts:
                raise BackupError("the backup is damaged: a table has no name or no columns")
            rows = self._counted(about["table"])
            yield TableRows(about["table"], tuple(about["columns"]), about["last"], rows)
            for _ in rows:  # what was not asked for
                pass
        self._lines.end(about, self.counts)

    def _counted(self, name: str) -> Iterator[bytes]:
        self.counts[name] = 0
        for block in self._lines.rows():
            self.counts[name] += block.count(b"\n")
            yield block


def verified(file: IO[bytes]) -> Header:
    """The header of a file that was read to its end and found whole; raises BackupError."""
    reader = BackupReader(opened(file))
    for _ in reader.tables():
        pass
    return reader.header


def opened(file: IO[bytes]) -> gzip.GzipFile:
    """The lines of a backup's file, from the first one on."""
    file.seek(0)
    return gzip.GzipFile(fileobj=file, mode="rb")


def is_backup(path: Path) -> bool:
    """Whether a file begins as backups do."""
    try:
        with path.open("rb") as file:
            BackupReader(opened(file))
    except BackupError:
        return False
    return True


def is_key(key: object) -> bool:
    """Whether a key can stand in the settings and in secret.key, where commas and lines part keys
    and signs are ASCII."""
    return (
        isinstance(key, str)
        and len(key) >= SHORTEST_KEY
        and key.isascii()
        and key.isprintable()
        and "," not in key
        and key == key.strip()
    )


def _is_table(about: dict[str, Any]) -> bool:
    columns, last = about.get("columns"), about.get("last", "")
    return (
        isinstance(about["table"], str)
        and isinstance(columns, list)
        and bool(columns)
        and all(isinstance(column, str) for column in columns)
        # The next row takes a number after it, of 32 bits.
        and (last is None or (type(last) is int and 0 <= last < 2**31 - 1))
    )


def _header(document: dict[str, Any]) -> Header:
    if document.get("paperpost") != "backup":
        raise BackupError("this is not a backup of Paperpost")
    if document.get("format") != FORMAT:
        raise BackupError("the backup was made by another, newer Paperpost: install that one")
    revision, keys = document.get("revision"), document.get("keys")
    made_at = _moment(document.get("made_at"))
    damaged = BackupError("the backup is damaged: its first line is not whole")
    if not isinstance(revision, str) or made_at is None:
        raise damaged
    if not isinstance(keys, list) or not keys or not all(map(is_key, keys)):
        raise damaged
    return Header(revision, made_at, tuple(keys))


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class _Lines:
    """The lines of a backup, and the digest of those that were read."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file
        self._ahead = b""
        self._digest = hashlib.sha256()

    def document(self) -> dict[str, Any]:
        """The next line as JSON; the digest is of the lines before it."""
        while (end := self._ahead.find(b"\n")) < 0:
            self._fill()
        line, self._ahead = self._ahead[: end + 1], self._ahead[end + 1 :]
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise BackupError("this is not a backup of Paperpost, or a damaged one")
        if "sha256" not in found:
            self._digest.update(line)
        return found

    def rows(self) -> Iterator[bytes]:
        """The lines up to END, many at a time."""
        while not self._ahead.startswith(END):
            stop = self._ahead.find(b"\n" + END)
            whole = (stop if stop >= 0 else self._ahead.rfind(b"\n")) + 1
            if whole:
                block, self._ahead = self._ahead[:whole], self._ahead[whole:]
                self._digest.update(block)
                yield block
            else:
                self._fill()
        self._digest.update(END)
        self._ahead = self._ahead[len(END) :]

    def end(self, last: dict[str, Any], counts: dict[str, int]) -> None:
        """Whether the last line is of these lines, and nothing comes after it."""
        if last.get("sha256") != self._digest.hexdigest() or last.get("rows") != counts:
            raise BackupError("the backup is damaged: its checksum is of other contents")
        if self._ahead or self._read():
            raise BackupError("the backup is damaged: something comes after its end")

    def _fill(self) -> None:
        more = self._read()
        if not more:
            raise BackupError("the backup is not whole: its end is missing")
        self._ahead += more
        if len(self._ahead) > LONGEST_LINE:
            raise BackupError("this is not a backup of Paperpost: a line has no end")

    def _read(self) -> bytes:
        try:
            return self._file.read(READ_AT_ONCE)
        except EOFError as error:
            raise BackupError("the backup is not whole: its end is missing") from error
        except gzip.BadGzipFile as error:
            raise BackupError("this is not a backup of Paperpost, or a damaged one") from error
        except zlib.error as error:
            raise BackupError("the backup is damaged: it cannot be unpacked") from error
