"""One connection, watched: where it leads to, and that it ends in time."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from paperpost.sources.addresses import refuse_private_peer
from paperpost.sources.errors import Stopped

_LOOK_EVERY = 0.5  # seconds


class Watch:
    """A watch over the connection of one request.

    What comes in small pieces never runs into a timeout. So the connection is shut, whatever it is
    doing, when `deadline` seconds have passed or `stop` is set. Unless `allow_private`, one to an
    address that is not public is shut before anything is asked over it: a name may have moved since
    it was looked up.
    """

    def __init__(
        self, url: httpx.URL, deadline: float, stop: threading.Event, *, allow_private: bool
    ) -> None:
        self._url = url
        self._deadline = deadline
        self._stop = stop
        self._allow_private = allow_private
        self._ends_at = time.monotonic() + deadline
        self._ended = threading.Event()
        self._socket: socket.socket | None = None
        self._late = False

    @property
    def lateness(self) -> str:
        """What is wrong if the connection was shut for its time. What came until then may look
        whole, and is not."""
        return f"no whole answer within {self._deadline:g} seconds" if self._late else ""

    def require_going_on(self) -> None:
        """Raises Stopped once the program stops."""
        if self._stop.is_set():
            raise Stopped

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """What httpx does, as its `trace` extension tells it."""
        if not event.endswith(("connect_tcp.complete", "start_tls.complete")):
            return
        stream = info["return_value"]
        self._socket = stream.get_extra_info("socket")
        if self._allow_private:
            return
        try:
            refuse_private_peer(self._url, stream.get_extra_info("server_addr"))
        except BaseException:
            stream.close()
            raise

    def run(self) -> None:
        """Look at the time until the request has ended."""
        while not self._ended.wait(min(_LOOK_EVERY, max(self._ends_at - time.monotonic(), 0.01))):
            self._late = time.monotonic() >= self._ends_at
            if self._late or self._stop.is_set():
                self._shut()

    def end(self) -> None:
        """The request has ended."""
        self._ended.set()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                # Not SSLSocket's own, which would take the encryption away from the reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


@contextmanager
def watched(
    url: httpx.URL, deadline: float, stop: threading.Event, *, allow_private: bool
) -> Iterator[Watch]:
    """A watch for as long as this lasts."""
    watch = Watch(url, deadline, stop, allow_private=allow_private)
    thread = threading.Thread(target=watch.run, name="watch", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        thread.join()
