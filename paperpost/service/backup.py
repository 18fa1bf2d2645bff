"""Everything that is stored, of one moment, in one file; others go on working meanwhile."""

import fcntl
import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from paperpost.service import backup_file
from paperpost.service.backup_file import BackupError, Header
from paperpost.service.installation import Installation
from paperpost.settings import SHORTEST_KEY, Settings
from paperpost.store.dumping import dumping

UNFINISHED = ".partial"


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What is in a backup: when, which version of the tables, how many rows of each."""

    made_at: datetime
    revision: str
    rows: dict[str, int]


def back_up(installation: Installation, path: Path) -> BackedUp:
    """Write a backup to a file, which is there when it is whole and not before; an earlier backup
    of that name is replaced then, any other file is refused."""
    if path.exists() and not (path.is_file() and backup_file.is_backup(path)):
        raise BackupError(f"{path} is there already and is no backup: it stays as it is")
    with _appearing(path) as file:
        return write_backup(installation, file)


def write_backup(installation: Installation, file: IO[bytes]) -> BackedUp:
    """Write a backup to an open file or pipe."""
    keys = keys_of_links(installation.settings)
    if not all(map(backup_file.is_key, keys)):
        raise BackupError(
            "a key of links is no line of ASCII without commas, of at least "
            f"{SHORTEST_KEY} signs: such a backup could not be restored"
        )
    with dumping(installation.database) as dump:
        header = Header(dump.revision, installation.clock(), keys)
        rows = backup_file.write(file, header, dump.tables)
    return BackedUp(header.made_at, header.revision, rows)


def keys_of_links(settings: Settings) -> tuple[str, ...]:
    """The keys that a backup keeps: those of the settings, and what a restore left in the home
    besides. Makes none: raises BackupError if there is none, as for a cron job that lacks it."""
    if not settings.secret_key and not settings.key_file.exists():
        raise BackupError(
            f"PAPERPOST_SECRET_KEY is not set here, and there is no {settings.key_file}: "
            "without the key of the links this would be no backup"
        )
    keys = tuple(key.decode() for key in settings.signing_keys())
    return keys + settings.unnamed_keys()


@contextmanager
def _appearing(path: Path) -> Iterator[IO[bytes]]:
    """A file that only its owner may read, and that has its name when it is on the disk."""
    _remove_left_over(path)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)
    try:
        with open(number, "wb") as file:
            with suppress(OSError):  # some file systems have no locks
                fcntl.flock(file, fcntl.LOCK_EX)  # for as long as it is written to
            yield file
            file.flush()
            os.fsync(file.fileno())
            Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _remove_left_over(path: Path) -> None:
    """Remove what backups to this file left that were killed: it holds keys."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{UNFINISHED}"):
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink(missing_ok=True)
