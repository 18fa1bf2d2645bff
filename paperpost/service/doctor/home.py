"""What stands on this machine: settings, database, disk, key and model."""

import shutil
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import update
from sqlmodel import col

from paperpost.service.doctor.checks import Check, fail, ok, warn
from paperpost.service.fetch import check_sources
from paperpost.service.installation import Installation
from paperpost.service.train import load_snapshot
from paperpost.settings import Settings, unknown_variables
from paperpost.sources.errors import SourceError
from paperpost.store import outbox, papers, snapshots
from paperpost.store.tables import Subscriber
from recommender.errors import SnapshotError

GIGABYTE = 1_000_000_000
LEAST_FREE, FEW_FREE = GIGABYTE // 10, GIGABYTE
OLD_MODEL = timedelta(days=3)


def variables(environment: Iterable[str], settings: Settings) -> Iterator[Check]:
    """Sources that there are not, and variables that set nothing; other wrong values have stopped
    the program before."""
    try:
        check_sources(settings.sources, settings)
    except SourceError as error:
        yield fail("settings", f"PAPERPOST_SOURCES: {error}")
        return
    lines = unknown_variables(environment)
    yield warn("settings", "; ".join(lines)) if lines else ok("settings", "they can be used")


def bounce_folder(settings: Settings) -> Iterator[Check]:
    """Whether mail that comes back can be read where it is said to arrive."""
    folder = settings.bounce_folder
    if folder is not None and not folder.exists():
        yield warn("bounces", f"PAPERPOST_BOUNCE_FOLDER: there is nothing at {folder} yet")
    elif folder is not None:
        yield ok("bounces", f"read from {folder}")


def database(installation: Installation) -> Iterator[Check]:
    """Whether it answers, is of this version and takes a change. Raises StoreError."""
    store = installation.database
    store.require_current()
    with store.writing() as session:  # a change of nobody: what is only readable refuses it
        session.exec(update(Subscriber).where(col(Subscriber.id) < 0).values(digest_count=0))
    kind = "SQLite" if store.is_sqlite else "PostgreSQL"
    yield ok("database", f"{kind}, of this version and writable")


def disk(settings: Settings) -> Iterator[Check]:
    """How much room there is where the home is, or will be."""
    home = settings.home.absolute()
    there = next(folder for folder in (home, *home.parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    said = f"{free / GIGABYTE:.1f} GB free at {there}"
    if free < LEAST_FREE:
        yield fail("disk", f"{said}: mails and snapshots will soon find no room")
    else:
        yield warn("disk", said) if free < FEW_FREE else ok("disk", said)


def key(installation: Installation) -> Iterator[Check]:
    """Whether there is the key that signs links, and who can read it. Makes none."""
    path = installation.settings.key_file
    if installation.settings.unnamed_keys():
        unnamed = f"{path} holds a key that PAPERPOST_SECRET_KEY does not name"
        yield warn(
            "key",
            f"{unnamed}, and links it signed are dead: "
            "add it after yours, or remove the file if nobody is to use that key",
        )
    elif installation.settings.secret_key:
        yield ok("key", "PAPERPOST_SECRET_KEY signs the links; keep a copy of it elsewhere")
    elif path.exists():
        yield _kept_key(installation, path)
    else:
        with installation.database.reading() as session:
            is_lost = outbox.any_mail(session)
        lost = f"{path} is lost, and links in earlier mails are dead: restore it from a backup"
        yield fail("key", lost) if is_lost else ok("key", f"{path} is made on first use")


def _kept_key(installation: Installation, path: Path) -> Check:
    installation.settings.signing_keys()  # raises SettingsError if it is broken
    if path.stat().st_mode & 0o077:
        return warn("key", f"others on this machine can read {path}: chmod 600 it")
    return ok("key", f"{path}; keep a copy elsewhere, without it links in mails are dead")


def model(installation: Installation) -> Iterator[Check]:
    """Whether the current snapshot can be loaded and is not old."""
    with installation.database.reading() as session:
        newest = snapshots.current(session)
        newer = newest and papers.count(session, added_after=newest.trained_at)
    if newest is None:
        yield warn("model", "none yet: `paperpost train` makes one, or the first digest does")
        return
    try:
        load_snapshot(installation, newest)
    except SnapshotError as error:
        yield fail("model", f"{error}: run `paperpost train`")
        return
    said = f"trained on {newest.trained_at:%Y-%m-%d} on {newest.papers:,} papers"
    if newer and installation.clock() - newest.trained_at > OLD_MODEL:
        yield warn("model", f"{said}, {newer:,} have come since: run `paperpost train`")
    else:
        yield ok("model", said)
