"""Work of which a process does one at a time: a few wait for their turn, the rest is told so."""

from threading import BoundedSemaphore, Lock
from types import TracebackType

from paperpost.errors import PaperpostError

MOST_WAITING = 4
# A ranking takes some tenths of one.
SECONDS_TO_WAIT = "5"


class TooBusy(PaperpostError):
    """As many wait for their turn as may."""

    def __init__(self) -> None:
        super().__init__("Too many readers are waiting for a ranking: try again in some seconds")


class Turns:
    """A lock for which at most MOST_WAITING wait; entering it raises TooBusy beyond that.

    Who waits holds one of the threads that serve every page, and there are forty.
    """

    def __init__(self) -> None:
        self._places = BoundedSemaphore(1 + MOST_WAITING)
        self._turn = Lock()

    def __enter__(self) -> None:
        if not self._places.acquire(blocking=False):
            raise TooBusy
        self._turn.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._turn.release()
        self._places.release()
