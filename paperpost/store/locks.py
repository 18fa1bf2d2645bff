"""Jobs that one process at a time does, and which process that is.

A lock only saves work: what must not happen twice is held together by the rows themselves. So a
process that was frozen and goes on as if the lock were still its own does no harm, and notices.
"""

import fcntl
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal, TypeAlias

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from paperpost.store.errors import clearly
from paperpost.store.postgresql import MOST_CONNECTIONS, set_if_unset

Job: TypeAlias = Literal["tick", "fetch", "train", "upgrade"]
# Arbitrary numbers that name their advisory locks in PostgreSQL: all that there are.
NUMBERS: dict[Job, int] = {
    "tick": 7_203_115,
    "fetch": 7_203_116,
    "train": 7_203_117,
    "upgrade": 7_203_118,
}
# The server ends a holder's session that is silent for so long: whoever holds the lock and is
# frozen, or cut off, loses it. PostgreSQL 14 and later.
SILENCE_SECONDS = 30.0
SPEAK_EVERY_SECONDS = 8.0
# A clock that goes on while the machine is suspended, as the server's does; Linux has it.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_HELD = text("""
    SELECT pid, pid = pg_backend_pid() AS is_ours FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :number AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")
_NOW = text("SELECT clock_timestamp()")
_IS_NEWER = text("SELECT backend_start > :now FROM pg_stat_activity WHERE pid = pg_backend_pid()")
_TAKE = text("SELECT pg_try_advisory_lock(:number)")
_GIVE_BACK = text("SELECT pg_advisory_unlock(:number)")
_OTHERS = text("""
    SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()
    AND application_name LIKE 'paperpost %'
    AND application_name <> current_setting('application_name')
    ORDER BY application_name
""")
_PROCESS = text("""
    SELECT application_name, host(client_addr), backend_start FROM pg_stat_activity
    WHERE pid = :pid
""")


@dataclass(frozen=True, slots=True)
class Holder:
    """Which process holds a lock, from which address (None: on the machine where the database is),
    and since when."""

    process: str
    address: str | None
    since: datetime


class JobLock(ABC):
    """The right to do a job, which one process at a time has; a dead one's is free at once.

    `not_ours` is set whenever this process does not have it, also when it lost it: work that is
    under way can be told to stop by it.
    """

    def __init__(self) -> None:
        self.not_ours = threading.Event()
        self.not_ours.set()
        self._one_holds = threading.Lock()

    @abstractmethod
    def take(self) -> bool:
        """Take it, if nobody else has it; whether it is ours now."""

    @abstractmethod
    def give_back(self) -> None:
        """Let others have it."""

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Take it for as long as this lasts; gives whether that worked: of several threads of this
        process, too, one has it."""
        if not self._one_holds.acquire(blocking=False):
            yield False
            return
        try:
            yield self.take()
        finally:
            self.give_back()
            self._one_holds.release()


class FileLock(JobLock):
    """Between the processes of one machine, by a file beside the database, in which the holder's
    name stands."""

    def __init__(self, path: Path, process: str) -> None:
        super().__init__()
        self._path, self._process = path, process
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """As JobLock says."""
        if self._file is not None:
            return True
        file = self._path.open("a")  # what the holder wrote stays, if it is another process
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            if isinstance(error, BlockingIOError):
                return False
            raise
        with suppress(OSError):  # a full disk: it is held without a name
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), self._process.encode())
        self._file = file
        self.not_ours.clear()
        return True

    def give_back(self) -> None:
        """As JobLock says."""
        if self._file is not None:
            self.not_ours.set()
            self._file.close()
            self._file = None


class SessionLock(JobLock):
    """Between machines, by an advisory lock of a PostgreSQL session that does nothing else.

    A thread speaks in that session every few seconds and sees whether the lock is still held by it:
    a session may end by the server's restart, an operator, or our own silence; behind a pool that
    gives sessions away between transactions it is none of ours.
    """

    def __init__(
        self,
        engine: Engine,
        number: int,
        silence: float = SILENCE_SECONDS,
        speak_every: float = SPEAK_EVERY_SECONDS,
    ) -> None:
        super().__init__()
        self._silence, self._speak_every = silence, speak_every
        self._engine = engine
        self._number = {"number": number}
        self._session: Connection | None = None
        self._one_speaks = threading.Lock()
        # The server cannot have ended the session for our silence before that.
        self._sure_until = 0.0

    def take(self) -> bool:
        """As JobLock says. Raises StoreError if the server cannot be asked."""
        with clearly(), self._one_speaks:
            if _seconds() < self._sure_until:
                return True
            self._drop()
            with self._engine.connect() as connection:
                if connection.execute(_HELD, self._number).first():
                    return False
            return self._begin()

    def give_back(self) -> None:
        """As JobLock says."""
        with self._one_speaks:
            self._drop()

    def _begin(self) -> bool:
        """Open a session that takes the lock, and keep it alive."""
        spoken_at = _seconds()
        session = self._new_session()
        try:
            set_if_unset(session, {"idle_session_timeout": f"{self._silence * 1000:.0f}ms"})
            taken = bool(session.execute(_TAKE, self._number).scalar())
        except BaseException:
            session.close()
            raise
        if not taken:
            session.close()
            return False
        self._session, self._sure_until = session, spoken_at + self._silence
        self.not_ours.clear()
        threading.Thread(target=self._keep, args=(session,), name="lock", daemon=True).start()
        return True

    def _new_session(self) -> Connection:
        """A session that is never given to anybody else, and that begins now: `holder_of` tells
        since when it is there. Older ones that our pool has at hand are ended; a pool before the
        server may have no other ones."""
        with self._engine.connect() as connection:
            now = {"now": connection.execute(_NOW).scalar_one()}
        for left in reversed(range(MOST_CONNECTIONS + 1)):
            session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            session.detach()
            try:
                if not left or session.execute(_IS_NEWER, now).scalar():
                    break
            except BaseException:
                session.close()
                raise
            session.close()
        return session

    def _keep(self, session: Connection) -> None:
        while not self.not_ours.wait(self._speak_every):
            with self._one_speaks:
                if self._session is not session:
                    return
                if not self._speaks(session):
                    self._drop()

    def _speaks(self, session: Connection) -> bool:
        """Whether the session still holds the lock."""
        spoken_at = _seconds()
        try:
            row = session.execute(_HELD, self._number).first()
        except SQLAlchemyError:
            return False
        if row is None or not row.is_ours:
            return False
        self._sure_until = spoken_at + self._silence
        return True

    def _drop(self) -> None:
        """End the session, if there is one, and the lock with it."""
        session, self._session, self._sure_until = self._session, None, 0.0
        self.not_ours.set()
        if session is None:
            return
        with suppress(SQLAlchemyError):
            session.execute(_GIVE_BACK, self._number)
        with suppress(SQLAlchemyError):
            session.close()


def _seconds() -> float:
    return time.clock_gettime(_CLOCK)


def holder_at(path: Path) -> Holder | None:
    """Who holds a FileLock; None if nobody does."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return Holder(path.read_text() or "a process of this machine", None, since)
    return None


def holder_of(engine: Engine, number: int) -> Holder | None:
    """Who holds an advisory lock; None if nobody does."""
    with engine.connect() as connection:
        held = connection.execute(_HELD, {"number": number}).first()
        if held is None:
            return None
        row = connection.execute(_PROCESS, {"pid": held.pid}).first()
    # It may have ended in between; and another role's processes are not shown to everybody.
    return None if row is None else Holder(row[0] or "another role's process", row[1], row[2])


def others_of(engine: Engine) -> list[str]:
    """The names of the other processes that are connected to a server's database."""
    with engine.connect() as connection:
        return list(connection.execute(_OTHERS).scalars())
