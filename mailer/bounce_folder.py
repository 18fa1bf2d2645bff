"""Where a mail server puts what came back: a Maildir or an mbox file, read again and again.

Nothing in it is ever deleted or rewritten. In a Maildir, what was worked through is moved to `cur/`
and marked there as seen, and with a flag of our own: that somebody has seen it says not that we
have. An mbox stays as it is, and is remembered by the checksums of its messages for as long as the
process lives. So handling a message twice has to be harmless.
"""

import fcntl
import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mailer.bounces import LONGEST_MESSAGE

log = logging.getLogger(__name__)

_MOST_AT_ONCE = 500
_LONGEST_LINE = 64 * 1024
# Small letters are keywords, whose meaning is the user's own; mail programs give them from `a` on.
_OURS = "z"
_SEPARATOR = b"From "


@dataclass(frozen=True, slots=True)
class Arrived:
    """The beginning of one message; `put_away` is to be called when it has been worked through,
    otherwise it comes again."""

    raw: bytes
    put_away: Callable[[], None]


class _Found(NamedTuple):
    """A message of an mbox: where it begins, its checksum, and its beginning."""

    place: int
    key: bytes
    raw: bytes


class BounceFolder:
    """A Maildir or an mbox, which may not be there yet. One message that cannot be read or put away
    is told once, and keeps no other from being read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: set[bytes] = set()
        self._read_to_the_end: tuple[int, int, int] | None = None
        self._last_done = (0, 0)  # of an mbox: its inode, and where its last known message begins

    def arrived(self) -> Iterator[Arrived]:
        """What came in, some hundred messages at most. Raises OSError if the folder as a whole
        cannot be read."""
        return self._in_maildir() if self._path.is_dir() else self._in_mbox()

    def _in_maildir(self) -> Iterator[Arrived]:
        paths = (*_to_do(self._path / "new"), *_to_do(self._path / "cur"))
        waiting = ((os.fsencode(path.name), path) for path in paths)
        fresh = ((key, path) for key, path in waiting if key not in self._done)
        for key, path in islice(fresh, _MOST_AT_ONCE):
            try:
                with path.open("rb") as file:
                    raw = file.read(LONGEST_MESSAGE)
            except OSError as error:
                if not isinstance(error, FileNotFoundError):  # another process was faster
                    self._give_up(key, path, error)
                continue
            yield Arrived(raw, partial(self._mark, key, path))

    def _mark(self, key: bytes, path: Path) -> None:
        name, _, flags = path.name.partition(":2,")
        marked = "".join(sorted({*flags, "S", _OURS}))  # by the rules of Maildir in this order
        try:
            path.rename(self._path / "cur" / f"{name}:2,{marked}")
        except FileNotFoundError:
            return
        except OSError as error:
            self._give_up(key, path, error)

    def _give_up(self, key: bytes, path: Path, error: OSError) -> None:
        log.warning("bounce folder: %s stays where it is: %s", path, error.strerror)
        self._done.add(key)

    def _in_mbox(self) -> Iterator[Arrived]:
        try:
            with self._path.open("rb") as file:
                state = os.fstat(file.fileno())
                version = (state.st_ino, state.st_size, state.st_mtime_ns)
                if version == self._read_to_the_end or not _locked(file.fileno()):
                    return
                self._skip_what_is_done(file, state.st_ino)
                fresh, last = self._fresh(file)
        except FileNotFoundError:
            return
        for found in fresh:
            yield Arrived(found.raw, partial(self._done.add, found.key))
        if self._done.issuperset(found.key for found in fresh):
            self._last_done = (state.st_ino, last)
            if len(fresh) < _MOST_AT_ONCE:
                self._read_to_the_end = version

    def _skip_what_is_done(self, file: BinaryIO, inode: int) -> None:
        """Go to the last message that is done, if it is still there as it was; otherwise the file
        was written anew, or that message was not whole, and everything is looked at again."""
        known, place = self._last_done
        if inode == known:
            file.seek(place)
            first = next(_messages(file), None)
            if first is not None and first.key in self._done:
                file.seek(place)
                return
        file.seek(0)

    def _fresh(self, file: BinaryIO) -> tuple[list[_Found], int]:
        """The first messages that are not done yet, and where the last one seen begins."""
        fresh: list[_Found] = []
        place = 0
        for found in _messages(file):
            place = found.place
            if found.key not in self._done:
                fresh.append(found)
            if len(fresh) >= _MOST_AT_ONCE:
                break
        return fresh, place


def _to_do(folder: Path) -> list[Path]:
    """The messages of a part of a Maildir that bear no flag of ours, those that came first in
    front. Nearly all of very many do, so a name has to be enough to tell."""
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if _OURS not in entry.name.partition(":2,")[2]
            and not entry.name.startswith(".")
            and entry.is_file()
        ]
    return [folder / name for name in sorted(names)]


def _messages(file: BinaryIO) -> Iterator[_Found]:
    """The messages of an mbox (RFC 4155) from where the file stands, which is where one begins."""
    place = file.tell()
    begins, raw, at_line_start = place, bytearray(), True
    while line := file.readline(_LONGEST_LINE):
        if not (at_line_start and line.startswith(_SEPARATOR)):
            raw += line[: LONGEST_MESSAGE - len(raw)]
        elif place > begins:
            yield _found(begins, raw)
            begins, raw = place, bytearray()
        at_line_start = line.endswith(b"\n")
        place += len(line)
    if place > begins:
        yield _found(begins, raw)


def _found(place: int, raw: bytearray) -> _Found:
    # The empty line that ends a message may come with the next one.
    return _Found(place, hashlib.sha256(raw.rstrip(b"\r\n")).digest(), bytes(raw))


def _locked(descriptor: int) -> bool:
    """Take the lock that mail servers hold while they write. Not mailbox.lock(): it leaves a file
    behind if the process is killed, which would keep the mail server out."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
