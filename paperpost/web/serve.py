"""`serve`: the site in this process, and one `work` as a child of it."""

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import structlog
import uvicorn

from paperpost.errors import PaperpostError
from paperpost.service import rate
from paperpost.service.installation import Installation
from paperpost.service.live_preview import preview
from paperpost.service.train import LOOK_EVERY
from paperpost.service.turns import TooBusy
from paperpost.service.wishes import Wishes
from paperpost.web.app import create_app

WORK = (sys.executable, "-m", "paperpost", "work", "--attached")
GRACE_SECONDS = 10
SECONDS_TO_FINISH = 30.0
LAST_PORT = 65535
SHORTEST_DELAY, LONGEST_DELAY = 1.0, 60.0

log = structlog.get_logger()


class CannotListen(PaperpostError):
    """The address to listen on cannot be had."""


def serve(installation: Installation, host: str, port: int, *, with_work: bool) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way; `work` ends last.

    Raises CannotListen if the port is taken.
    """
    with closing(listen(host, port)) as listener:
        server = uvicorn.Server(configuration(installation))
        with _stopping_gracefully(server), _kept_warm(installation):
            worker = Worker() if with_work else None
            try:
                installation.say(f"serving {_address(listener)}")
                server.run(sockets=[listener])
            finally:
                if worker is not None:
                    worker.stop()


def configuration(installation: Installation) -> uvicorn.Config:
    """How uvicorn serves the site. Who asks is told by the proxies that are trusted, and by nobody
    else."""
    return uvicorn.Config(
        create_app(installation),
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        forwarded_allow_ips=list(installation.settings.trusted_proxies),
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there (port 0: on a free one); raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not 0 <= port <= LAST_PORT:
        raise CannotListen(f"cannot listen on {host}, port {port}: ports end at {LAST_PORT}")
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise CannotListen(f"cannot listen on {host}, port {port}: {reason}") from error
    # Inherited by its connections. asyncio sets it only where a socket names its protocol, and
    # without it an answer to a form waits 40 ms for the browser's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _stopping_gracefully(server: uvicorn.Server) -> Iterator[None]:
    """Until uvicorn takes the signals over, and after it has handed them back (it raises each
    once more when it ends), they ask for the same: stop, then clean up."""

    def stop(_number: int, _frame: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _kept_warm(installation: Installation) -> Iterator[None]:
    """No visitor waits until the model is loaded and the newest day's papers are seen by it: that
    is done here, at the start, after a training and when there is a newer day."""
    stop = threading.Event()
    keeper = threading.Thread(target=_keep_warm, args=(installation, stop), name="warm")
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _keep_warm(installation: Installation, stop: threading.Event) -> None:
    settled = False
    while not stop.is_set():
        try:
            installation.database.compare_clocks()
            preview(installation, Wishes())
            rate.get_ready(installation)
        except TooBusy:  # visitors get it ready themselves
            pass
        except Exception as error:  # whoever asks for a page is told
            log.warning("not ready for visitors", error=str(error))
        if not settled:
            # What is loaded by now stays: to look through it again and again would hold a page up
            # for hundredths of a second.
            gc.collect()
            gc.freeze()
            settled = True
        stop.wait(LOOK_EVERY.total_seconds())


class Worker:
    """One `work` process, started again when it ends by itself.

    It holds the other end of a pipe and stops when that closes, so that it never outlives us,
    however we end.
    """

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name="work", daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        """Let it finish the mail in flight; after 30 seconds, end it."""
        with self._lock:
            self._stopping.set()
            child = self._child
        if child is not None:
            child.terminate()
            try:
                child.wait(SECONDS_TO_FINISH)
            except subprocess.TimeoutExpired:
                log.warning("work did not stop in time and is killed")
                child.kill()
        self._keeper.join()

    def _keep(self) -> None:
        delay = SHORTEST_DELAY
        while (child := self._start()) is not None:
            started = time.monotonic()
            with child:
                status = child.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - started > LONGEST_DELAY:
                delay = SHORTEST_DELAY
            log.error("work ended by itself", status=status, starts_again_in_seconds=delay)
            self._stopping.wait(delay)
            delay = min(2 * delay, LONGEST_DELAY)

    def _start(self) -> subprocess.Popen[bytes] | None:
        """A new child, or None once we are stopping."""
        with self._lock:
            if self._stopping.is_set():
                return None
            # Its own process group: Ctrl-C reaches us alone, and we stop it in our order.
            # What it prints belongs to no one: its log goes to stderr, like ours.
            self._child = subprocess.Popen(  # noqa: S603 - our own program, no input
                WORK, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
            )
            return self._child
