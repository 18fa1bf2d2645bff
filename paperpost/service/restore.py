"""A backup put in the place of what is stored, which may be on another kind of database.

One transaction takes out what is there and puts in the rows of the backup, whole and looked over:
until it is committed all that was there is there. What follows (the key; the tables of an older
backup) is guarded by a mark that is committed with the rows (store/unfinished.py): nobody else
works with the database before a restore has come to its end.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from paperpost.service import backup_file, calendar
from paperpost.service.backup_file import BackupError, BackupReader, Header
from paperpost.service.installation import Installation, silently, utc_now
from paperpost.service.restored_key import lying_ready
from paperpost.service.taken_as_sent import take_as_sent
from paperpost.settings import Settings
from paperpost.sources.source import DayState
from paperpost.store import loading, unfinished
from paperpost.store.database import Database, StoreError
from paperpost.store.tables import (
    BounceKind,
    DeliveryKind,
    DeliveryState,
    InterestKind,
    SubscriberState,
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: `expired` mails waited when the backup was made and are not sent;
    `taken_as_sent` digests were due since. `key` is the file that holds the key of earlier links
    where the settings do not name it, else None."""

    made_at: datetime
    rows: dict[str, int]
    expired: int
    taken_as_sent: int
    key: Path | None


def restore(
    settings: Settings,
    file: IO[bytes],
    *,
    force: bool = False,
    send_waiting: bool = False,
    clock: Callable[[], datetime] = utc_now,
    say: Callable[[str], None] = silently,
) -> Restored:
    """Put a backup's rows in place of all that are there; the file is read twice.

    `force`: also where there are some. A backup of an older version only goes where there are none:
    the tables are made that old first. `send_waiting`: nothing was sent since the backup was made,
    so what waited then is sent, and what was due since is composed. Raises BackupError, and
    StoreError, before any row is changed.
    """
    header = backup_file.verified(file)
    database = Database(settings.store_url)
    try:
        _prepare(database, header, force)
        say(f"restoring what was stored at {header.made_at:%Y-%m-%d %H:%M} UTC")
        with lying_ready(settings, header.keys) as new_key:
            load = _Loading(_as_backed_up(settings, database, header, clock), header, send_waiting)
            rows = load.run(file)
            key = new_key.put(clock())
            taken = load.finish()
    finally:
        database.close()
    return Restored(header.made_at, rows, load.expired, taken, key)


def _prepare(database: Database, header: Header, force: bool) -> None:
    """Tables of this version, or empty ones of the backup's."""
    if not database.knows(header.revision):
        raise BackupError(
            f"the backup was made by another, newer Paperpost (version {header.revision}): "
            "install that one"
        )
    is_older = header.revision != database.head()
    if not database.is_missing():
        loading.require_nobody_else(database)
        if database.is_half_restored():
            # What a restore that was stopped has put there; its mark stays.
            loading.empty(database)
        elif not loading.is_empty(database):
            _may_be_lost(header, is_older, force)
    database.upgrade()
    if is_older:
        database.downgrade(header.revision)


def _may_be_lost(header: Header, is_older: bool, force: bool) -> None:
    if is_older:
        raise BackupError(
            f"the backup is of an older version ({header.revision}), and the database is not "
            "empty: restore it into an empty one"
        )
    if not force:
        raise BackupError(
            "the database is not empty: restore into another one, "
            "or say --force to lose what is there"
        )


def _as_backed_up(
    settings: Settings, database: Database, header: Header, clock: Callable[[], datetime]
) -> Installation:
    """The installation, with the backup's keys if the settings name none."""
    keys = settings.secret_key or header.keys
    return Installation(settings.model_copy(update={"secret_key": keys}), database, clock)


@dataclass
class _Loading:
    """One backup's rows, on their way into one database."""

    installation: Installation
    header: Header
    send_waiting: bool
    expired: int = 0
    taken: int = 0

    @property
    def _is_older(self) -> bool:
        return self.header.revision != self.installation.database.head()

    def run(self, file: IO[bytes]) -> dict[str, int]:
        """Put the rows, and what can be done to them at once; how many each table has."""
        try:
            return self._put(file)
        except BaseException:
            if self._is_older:
                with suppress(StoreError):
                    self.installation.database.upgrade()  # empty tables, as they were
            raise

    def _put(self, file: IO[bytes]) -> dict[str, int]:
        database = self.installation.database
        reader = BackupReader(backup_file.opened(file))
        with loading.loading(database, self.header.revision) as load:
            load.put_all(reader.tables())
            for (table, column), known in _known_values().items():
                load.require_among(table, column, known)
            self.expired = _settle_mails(load, self.header.made_at, self.send_waiting)
            if not (self._is_older or self.send_waiting):
                with load.session() as session:
                    self.taken = take_as_sent(self.installation, session)
        return reader.counts

    def finish(self) -> int:
        """Do the rest, and let others work again; how many digests are taken as sent."""
        database = self.installation.database
        database.upgrade()
        with database.writing() as session:
            if self._is_older and not self.send_waiting:
                self.taken = take_as_sent(self.installation, session)
            unfinished.unmark(session.connection())
        return self.taken


def _known_values() -> dict[tuple[str, str], Collection[object]]:
    """Columns of which whoever reads them believes that they have one of these."""
    return {
        ("subscriber", "state"): set(SubscriberState),
        ("subscriber", "frequency"): set(calendar.FREQUENCIES),
        ("subscriber", "timezone"): calendar.timezones() | calendar.NO_PLACES,
        ("interest", "kind"): set(InterestKind),
        ("vote", "value"): {-1, 0, 1},
        ("vote_post", "value"): {-1, 0, 1},
        ("vote_post", "link_value"): {-1, 1},
        ("delivery", "kind"): set(DeliveryKind),
        ("delivery", "state"): set(DeliveryState),
        ("bounce", "kind"): set(BounceKind),
        ("source_day", "state"): set(DayState),
    }


def _settle_mails(load: loading.Load, made_at: datetime, send_waiting: bool) -> int:
    """Free what was leased. What waited is sent, or has expired: it may have been sent since, and
    nobody wants to see a paper twice. How many have expired."""
    load.execute("UPDATE delivery SET state = 'unknown' WHERE state = 'sending'")
    load.execute("UPDATE delivery SET lease = NULL, lease_ends_at = NULL WHERE lease IS NOT NULL")
    if send_waiting:
        return 0
    return load.execute(
        "UPDATE delivery SET state = 'expired', reply = :reply "
        "WHERE state IN ('queued', 'unknown')",
        reply=f"restored from a backup of {made_at:%Y-%m-%d %H:%M} UTC; may have been sent since",
    )
