"""A backup put in the place of what is stored, which may be on another kind of database."""

import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from paperpost.service import backup_file, calendar
from paperpost.service.backup_file import BackupError, BackupReader, Header
from paperpost.service.installation import Installation, silently, utc_now
from paperpost.service.letters import message_id
from paperpost.settings import Settings
from paperpost.store import digests, loading, subscribers
from paperpost.store.database import Database
from paperpost.store.digests import NewDigest
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber

BLOCK = 1_000
# Higher than any paper's number: none of that date is late for such a digest.
ALL_PAPERS = 2**31 - 1
TAKEN_AS_SENT = "This digest was due between a backup and its restoring, and is taken as sent."


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
    path: Path,
    *,
    force: bool = False,
    send_waiting: bool = False,
    clock: Callable[[], datetime] = utc_now,
    say: Callable[[str], None] = silently,
) -> Restored:
    """Put a backup's rows in place of all that are there.

    `force`: also where there are some. `send_waiting`: nothing was sent since the backup was made,
    so what waited then is sent, and what was due since is composed. Raises BackupError, and
    StoreError, before anything is changed.
    """
    header = backup_file.verified(path)
    database = Database(settings.store_url)
    try:
        _prepare(database, header, force)
        say(f"restoring what was stored at {header.made_at:%Y-%m-%d %H:%M} UTC")
        rows, expired = _load(database, path, send_waiting)
        database.upgrade()
        key = _put_key(settings, header.keys, clock())
        taken = 0 if send_waiting else _take_as_sent(Installation(settings, database, clock))
    finally:
        database.close()
    return Restored(header.made_at, rows, expired, taken, key)


def _prepare(database: Database, header: Header, force: bool) -> None:
    """Tables of the backup's version, to be filled."""
    if not database.knows(header.revision):
        raise BackupError(
            f"the backup was made by another, newer Paperpost (version {header.revision}): "
            "install that one"
        )
    if not database.is_missing():
        loading.require_nobody_else(database)
        if not loading.is_empty(database) and not force:
            raise BackupError(
                "the database is not empty: restore into another one, "
                "or say --force to lose what is there"
            )
    database.upgrade()
    if header.revision != database.head():
        loading.empty(database)
        database.downgrade(header.revision)


def _load(database: Database, path: Path, send_waiting: bool) -> tuple[dict[str, int], int]:
    with loading.loading(database) as load, backup_file.opened(path) as file:
        reader = BackupReader(file)
        for table in reader.tables():
            load.put(table)
        return reader.counts, _settle_mails(load, reader.header.made_at, send_waiting)


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


def _put_key(settings: Settings, keys: tuple[str, ...], now: datetime) -> Path | None:
    """See to it that earlier links work. The key that was in its place is kept beside it."""
    if set(keys) <= set(settings.secret_key):
        return None
    path = settings.key_file
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = ",".join(keys)
    if path.exists() and path.read_text(encoding="ascii", errors="replace").strip() != text:
        path.rename(path.with_name(f"{path.name}.{now:%Y%m%dT%H%M%S%f}"))
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{text}\n")
    return path if settings.secret_key else None


def _take_as_sent(installation: Installation) -> int:
    """Write down a digest without papers for everybody who was due since the backup; how many.

    Else the papers of those days, which they were mailed most probably, would come again."""
    now, taken, last = installation.clock(), 0, 0
    while True:
        with installation.database.reading() as session:
            people = subscribers.active(session, last, BLOCK)
        if not people:
            return taken
        last = id_of(people[-1])
        by_date: dict[date, list[NewDigest]] = defaultdict(list)
        for person in people:
            if _was_due(person, now):
                new = _without_papers(installation, person, now)
                by_date[new.local_date].append(new)
        with installation.database.writing() as session:
            for day in sorted(by_date):
                outcomes = digests.freeze(session, by_date[day], now)
                taken += sum(word == "silent" for word in outcomes.values())


def _was_due(person: Subscriber, now: datetime) -> bool:
    """Whether a digest was: for who gets none, what is new waits."""
    if person.next_due_at is None or person.suppressed_at is not None:
        return False
    paused = calendar.is_paused(person.paused_until, person.timezone, now)
    return person.next_due_at <= now and not paused


def _without_papers(installation: Installation, person: Subscriber, now: datetime) -> NewDigest:
    due = calendar.latest_due(person.frequency, person.hour, person.timezone, now)
    later = calendar.next_due(person.frequency, person.hour, person.timezone, now)
    return NewDigest(
        subscriber_id=id_of(person),
        seen=person,
        local_date=due.local_date,
        due_at=due.at,
        expires_at=later.at,
        message_id=message_id(installation, id_of(person), due.local_date, "digest"),
        template_version="",
        frequency=person.frequency,
        why="",
        considered=1,  # one that considered none would still owe its papers
        newest_paper=ALL_PAPERS,
        items=[],
        next_due_at=later.at,
        silence=TAKEN_AS_SENT,
    )
