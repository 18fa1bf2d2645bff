"""The key of a backup's links, put where this installation finds it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from paperpost.settings import Settings


class NewKey:
    """A key that lies ready beside its place; None of it where the settings name it already."""

    def __init__(self, settings: Settings, ready: Path | None) -> None:
        self._place = settings.key_file
        self._is_in_settings = bool(settings.secret_key)
        self._ready = ready

    def put(self, now: datetime) -> Path | None:
        """Put it into its place; another one that was there is kept beside it. Where it is, if the
        settings have other keys and do not name it."""
        if self._ready is None:
            return None
        if self._place.exists() and self._place.read_bytes().strip() != self._ready_text():
            self._place.rename(self._place.with_name(f"{self._place.name}.{now:%Y%m%dT%H%M%S%f}"))
        self._ready.replace(self._place)
        return self._place if self._is_in_settings else None

    def _ready_text(self) -> bytes:
        return b"" if self._ready is None else self._ready.read_bytes().strip()


@contextmanager
def lying_ready(settings: Settings, keys: tuple[str, ...]) -> Iterator[NewKey]:
    """Write the keys down beside their place, before anything is changed: what cannot be written is
    told then. If they were not put in the end they go again."""
    if set(keys) <= set(settings.secret_key):
        yield NewKey(settings, None)
        return
    place = settings.key_file
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    ready = place.with_name(f".{place.name}.new")
    try:
        ready.unlink(missing_ok=True)
        with open(os.open(ready, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{','.join(keys)}\n")
            file.flush()
            os.fsync(file.fileno())
        yield NewKey(settings, ready)
    finally:
        ready.unlink(missing_ok=True)
