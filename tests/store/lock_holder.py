"""A process that takes a lock and says so, and what becomes of it: `python lock_holder.py URL`."""

import sys

from paperpost.store.database import Database
from paperpost.store.locks import NUMBERS, FileLock, SessionLock

SILENCE, SPEAK_EVERY = 1.5, 0.3


def say(line: str) -> None:
    """A line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(url: str) -> None:
    """Say `taken` or `not free`, then `lost` once the lock is not ours any more."""
    database = Database(url, "paperpost holder")
    lock = database.lock("tick")
    if not isinstance(lock, FileLock):
        lock = SessionLock(database.engine, NUMBERS["tick"], SILENCE, SPEAK_EVERY)
    say("taken" if lock.take() else "not free")
    lock.not_ours.wait()
    say("lost")
    database.close()


if __name__ == "__main__":
    main(sys.argv[1])
