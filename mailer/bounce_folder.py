"""Where a mail server puts what came back: a Maildir or an mbox file, read again and again.

Nothing in it is ever deleted or rewritten. In a Maildir, what was worked through is moved to `cur/`
and marked as seen. An mbox stays as it is, and is remembered by the checksums of its messages for
as long as the process lives: handling a message twice has to be harmless.
"""

import fcntl
import hashlib
import logging
import mailbox
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from mailer.bounces import LONGEST_MESSAGE

log = logging.getLogger(__name__)

_MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Arrived:
    """The beginning of one message; `put_away` is to be called when it has been worked through,
    otherwise it comes again."""

    raw: bytes
    put_away: Callable[[], None]


class BounceFolder:
    """A Maildir or an mbox, which may not be there yet. One message that cannot be read or put away
    is told once, and keeps no other from being read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: set[bytes] = set()
        self._read_to_the_end: tuple[int, int, int] | None = None

    def arrived(self) -> Iterator[Arrived]:
        """What came in, some hundred messages at most. Raises OSError if the folder as a whole
        cannot be read."""
        found = self._in_maildir() if self._path.is_dir() else self._in_mbox()
        return islice(found, _MOST_AT_ONCE)

    def _in_maildir(self) -> Iterator[Arrived]:
        for path in (*_files(self._path / "new"), *_files(self._path / "cur")):
            key = path.name.encode("utf-8", "surrogateescape")
            if key in self._done or "S" in path.name.partition(":2,")[2]:
                continue
            try:
                with path.open("rb") as file:
                    raw = file.read(LONGEST_MESSAGE)
            except OSError as error:
                if not isinstance(error, FileNotFoundError):  # another process was faster
                    self._give_up(key, path, error)
                continue
            yield Arrived(raw, partial(self._mark_as_seen, key, path))

    def _mark_as_seen(self, key: bytes, path: Path) -> None:
        name, _, flags = path.name.partition(":2,")
        seen = "".join(sorted({*flags, "S"}))  # by the rules of Maildir in this order
        try:
            path.rename(self._path / "cur" / f"{name}:2,{seen}")
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
                fresh = self._unknown_messages()
        except FileNotFoundError:
            return
        for key, raw in fresh.items():
            yield Arrived(raw, partial(self._done.add, key))
        if len(fresh) < _MOST_AT_ONCE and self._done.issuperset(fresh):
            self._read_to_the_end = version

    def _unknown_messages(self) -> dict[bytes, bytes]:
        fresh: dict[bytes, bytes] = {}
        box = mailbox.mbox(self._path, create=False)
        try:
            for number in box.keys():  # noqa: SIM118 - not a dictionary: iterating it parses mails
                raw = box.get_file(number).read(LONGEST_MESSAGE)
                key = hashlib.sha256(raw).digest()
                if key not in self._done:
                    fresh[key] = raw
                if len(fresh) >= _MOST_AT_ONCE:
                    break
        finally:
            box.close()
        return fresh


def _files(folder: Path) -> list[Path]:
    """The messages of a part of a Maildir, those that came first in front."""
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] != ".")


def _locked(descriptor: int) -> bool:
    """Take the lock that mail servers hold while they write. Not mailbox.lock(): it leaves a file
    behind if the process is killed, which would keep the mail server out."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
