"""Where snapshots are: in this machine's home, and in a place that all machines share."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from threading import Event
from typing import IO, TYPE_CHECKING, BinaryIO, Protocol

from paperpost.errors import PaperpostError
from paperpost.service.installation import Installation
from paperpost.store import snapshots
from paperpost.store.database import Database
from paperpost.store.locks import FileLock

if TYPE_CHECKING:
    from recommender.model import Model

# A statement holds so much in memory at once, here and in the server.
PART_BYTES = 8 * 2**20
_NAMES = "model-*"
# A process waits so long for another one of its machine that gets the same file.
_PATIENCE_SECONDS, _LOOK_SECONDS = 120.0, 0.2


class NoSharedFolder(PaperpostError):
    """The folder that machines share is out of reach."""


class Shared(Protocol):
    """A place that all machines see."""

    def put(self, name: str, path: Path) -> None:
        """Have a file there as well, by that name."""

    def parts(self, name: str) -> Iterator[bytes]:
        """A file's content from its beginning; nothing if it is not there."""

    def keep_only(self, names: Collection[str]) -> None:
        """Drop all other files."""


class SharedDatabase:
    """The database, in parts: the file is there for others once its snapshot has a row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, name: str, path: Path) -> None:
        """As Shared says."""
        with path.open("rb") as file:
            for number, content in enumerate(iter(lambda: file.read(PART_BYTES), b"")):
                with self._database.writing() as session:
                    snapshots.add_part(session, name, number, content)

    def parts(self, name: str) -> Iterator[bytes]:
        """As Shared says."""
        number = 0
        while True:
            with self._database.reading() as session:
                content = snapshots.part(session, name, number)
            if content is None:
                return
            yield content
            number += 1

    def keep_only(self, names: Collection[str]) -> None:
        """As Shared says."""
        with self._database.writing() as session:
            snapshots.forget_parts(session, names)


class SharedFolder:
    """A folder on a disk that all machines see."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, path: Path) -> None:
        """As Shared says."""
        self.require()
        _put(self._folder / name, _content(path))

    def parts(self, name: str) -> Iterator[bytes]:
        """As Shared says."""
        self.require()
        try:
            yield from _content(self._folder / name)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unreachable(error.strerror or "it cannot be read") from error

    def keep_only(self, names: Collection[str]) -> None:
        """As Shared says."""
        _keep_only(self._folder, names)

    def require(self) -> None:
        """Raise NoSharedFolder unless it is there. It is never made: where a disk is not mounted,
        a folder of this machine alone would stand in for it."""
        if not self._folder.is_dir():
            raise self._unreachable("there is no such folder; is its disk mounted?")

    def _unreachable(self, why: str) -> NoSharedFolder:
        return NoSharedFolder(f"PAPERPOST_MODELS: {self._folder}: {why}")


def require_place(installation: Installation) -> None:
    """Raise NoSharedFolder if machines share a folder that is out of reach."""
    shared = _shared(installation)
    if isinstance(shared, SharedFolder):
        shared.require()


def save(installation: Installation, model: Model, name: str) -> None:
    """Write a snapshot here and where all machines see it; OSError where neither is possible."""
    shared = _shared(installation)
    with _place_for(installation, name, needed=shared is None) as path:
        model.save(path)
        if shared is not None:
            shared.put(name, path)


def load(installation: Installation, name: str) -> Model:
    """A snapshot from here, else from where all machines see it, of which a copy is kept here.

    One process of a machine gets it, so that all map the same file into memory. Raises
    NoSharedFolder, or SnapshotError when there is none that can be read.
    """
    from recommender.model import Model

    shared, path = _shared(installation), installation.settings.models_folder / name
    if shared is None:
        return Model.load(path)
    copy = _copy(path)
    if copy is not None:
        return copy
    with _alone(installation):
        return _copy(path) or _fetched(installation, shared, path)


def _copy(path: Path) -> Model | None:
    """The model of a copy that is here and whole."""
    from recommender.errors import SnapshotError
    from recommender.model import Model

    if path.exists():
        with suppress(SnapshotError):
            return Model.load(path)
    return None


@contextmanager
def _alone(installation: Installation) -> Iterator[None]:
    """While no other process of this machine gets a model. It only saves work: where no lock can be
    written, or somebody holds it for too long, it is done without."""
    home = installation.settings.home
    lock = FileLock(home / "getting-model.lock", f"paperpost {os.getpid()}")
    until = time.monotonic() + _PATIENCE_SECONDS
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
        while not lock.take() and time.monotonic() < until:
            Event().wait(_LOOK_SECONDS)
    try:
        yield
    finally:
        lock.give_back()


def _fetched(installation: Installation, shared: Shared, path: Path) -> Model:
    from recommender.errors import SnapshotError

    parts = shared.parts(path.name)
    first = next(parts, None)
    if first is None:
        raise SnapshotError(path, "it is neither here nor where machines share it")
    installation.say(f"getting the model {path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _put(path, chain([first], parts))
    except OSError:  # there is no room, or nothing may be written here
        return _in_memory(path, shared.parts(path.name))
    return _load_copy(path)


def keep_only(installation: Installation, names: Collection[str]) -> None:
    """Drop all other snapshots, here and where all machines see them."""
    keep_only_here(installation, names)
    shared = _shared(installation)
    if shared is not None:
        shared.keep_only(names)


def keep_only_here(installation: Installation, names: Collection[str]) -> None:
    """Drop all other snapshots of this machine."""
    with suppress(OSError):  # what cannot be written to is not full of ours either
        _keep_only(installation.settings.models_folder, names)


def _shared(installation: Installation) -> Shared | None:
    folder = installation.settings.shared_models
    if folder is not None:
        return SharedFolder(folder)
    if installation.settings.models_in_database:
        return SharedDatabase(installation.database)
    return None


@contextmanager
def _place_for(installation: Installation, name: str, *, needed: bool) -> Iterator[Path]:
    """Where to write a snapshot: in the home, or if that is not `needed` and cannot be, in a folder
    that is gone afterwards."""
    folder = installation.settings.models_folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_writable = os.access(folder, os.W_OK)
    except OSError:
        is_writable = False
    if is_writable or needed:
        yield folder / name
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch) / name


def _put(path: Path, content: Iterable[bytes]) -> None:
    """Write a file in one step. What a crash leaves of it goes when its snapshot would."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        try:
            _write(file, content)
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _load_copy(path: Path) -> Model:
    """The model of a copy, which is worth nothing if it is broken."""
    from recommender.errors import SnapshotError
    from recommender.model import Model

    try:
        return Model.load(path)
    except SnapshotError:
        path.unlink(missing_ok=True)
        raise


def _in_memory(path: Path, content: Iterable[bytes]) -> Model:
    from recommender.model import Model

    with _memory() as file:
        _write(file, content)
        file.seek(0)
        return Model.read(file, path)


def _memory() -> BinaryIO:
    """A file without a name, in memory where the system knows such files."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("model"), "w+b")
    return tempfile.TemporaryFile("w+b", buffering=-1)


def _write(file: IO[bytes], content: Iterable[bytes]) -> None:
    for part in content:
        file.write(part)
    file.flush()


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(PART_BYTES), b"")


def _keep_only(folder: Path, names: Collection[str]) -> None:
    """Drop the snapshots that are older than those to keep, also half ones: a newer one may be on
    its way."""
    oldest = min(names, default="")
    for path in folder.glob(_NAMES):
        if path.name < oldest and path.name not in names:
            path.unlink(missing_ok=True)
