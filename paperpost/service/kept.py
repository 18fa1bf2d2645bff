"""What takes long to make, kept for a while by a process that serves pages."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock, Thread
from typing import Generic, TypeVar

from paperpost.errors import PaperpostError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# So many answers are kept, those that were asked for last.
MOST = 16


@dataclass
class Kept(Generic[K, V]):
    """Gives an answer at once where there is one, and once it is older than `fresh_for` makes it
    anew behind it (RFC 5861 calls this stale-while-revalidate); one that takes no time to make,
    by `is_cheap`, is made anew each time."""

    fresh_for: timedelta
    is_cheap: Callable[[V], bool]
    _answers: dict[K, tuple[V, datetime]] = field(default_factory=dict)
    _changing: Lock = field(default_factory=Lock)
    _making: dict[K, Thread] = field(default_factory=dict)

    def get(self, key: K, now: datetime, make: Callable[[], V]) -> V:
        """The answer to `key`; `make` may be called later, in a thread of its own."""
        with self._changing:
            found = self._answers.pop(key, None)
            if found is not None:
                self._answers[key] = found
        if found is None:
            return self._made(key, now, make)
        answer, made_at = found
        if abs(now - made_at) >= self.fresh_for:
            self._make_behind(key, now, make)
        return answer

    def close(self) -> None:
        """Wait until nothing is being made behind a page."""
        for thread in list(self._making.values()):
            thread.join()

    def _made(self, key: K, now: datetime, make: Callable[[], V]) -> V:
        answer = make()
        with self._changing:
            self._answers.pop(key, None)
            if not self.is_cheap(answer):
                self._answers[key] = answer, now
            while len(self._answers) > MOST:
                del self._answers[next(iter(self._answers))]
        return answer

    def _make_behind(self, key: K, now: datetime, make: Callable[[], V]) -> None:
        """Begin to make an answer anew, unless somebody has begun."""
        with self._changing:
            if key not in self._making:
                self._making[key] = Thread(target=self._remake, args=(key, now, make), daemon=True)
                self._making[key].start()

    def _remake(self, key: K, now: datetime, make: Callable[[], V]) -> None:
        try:
            self._made(key, now, make)
        except PaperpostError:  # the database is busy or gone: whoever asks next tries again
            pass
        finally:
            with self._changing:
                del self._making[key]


@dataclass
class Recent(Generic[K, V]):
    """What was used last, up to `most` of it."""

    most: int
    _kept: dict[K, V] = field(default_factory=dict)
    _changing: Lock = field(default_factory=Lock)

    def find(self, keys: Iterable[K]) -> dict[K, V]:
        """What is kept under these."""
        with self._changing:
            found = {key: self._kept.pop(key) for key in keys if key in self._kept}
            self._kept |= found
            return found

    def keep(self, new: Mapping[K, V]) -> None:
        """Keep these, in place of what was used longest ago."""
        with self._changing:
            self._kept |= new
            while len(self._kept) > self.most:
                del self._kept[next(iter(self._kept))]
