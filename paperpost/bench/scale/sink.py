"""Postfix's `smtp-sink`: a mail server that takes everything, keeps nothing, and counts."""

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from paperpost.bench.processes import BenchError

_SECONDS_TO_START = 5
_BACKLOG = 100
_MESSAGES = re.compile(rb"mesg=(\d+)")


@dataclass
class Sink:
    """A running one, and the messages that it has got since they began to be awaited."""

    url: str
    process: int
    first: float = 0.0
    last: float = 0.0
    _all: int = 0
    _before: int = 0
    _awaited: int = 0
    _has_enough: threading.Event = field(default_factory=threading.Event)

    @property
    def messages(self) -> int:
        """How many there are."""
        return self._all - self._before

    def expect(self, messages: int) -> None:
        """Begin to await so many."""
        self._before, self._awaited, self.first = self._all, messages, 0.0
        self._has_enough.clear()

    def has_enough(self, seconds: float) -> bool:
        """Whether those that are awaited have come, or do so within the time."""
        return self._has_enough.wait(seconds)

    def count(self, told: bytes) -> None:
        """What it printed: a running count."""
        for number in map(int, _MESSAGES.findall(told)):
            if number > self._all:
                self._all, self.last = number, time.perf_counter()
                self.first = self.first or self.last
        if self._awaited and self.messages >= self._awaited:
            self._has_enough.set()


@contextmanager
def smtp_sink() -> Iterator[Sink]:
    """One for as long as it is needed. Raises BenchError where it is not installed."""
    program = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
    if program is None:
        raise BenchError("smtp-sink is not installed (Debian's package postfix has it)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = ["-u", "nobody"] if os.getuid() == 0 else []  # root has to name somebody else
    command = [program, *user, "-c", f"127.0.0.1:{port}", str(_BACKLOG)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - of the system
        sink = Sink(f"smtp://127.0.0.1:{port}", process.pid)
        thread = threading.Thread(target=_read, args=(process, sink), daemon=True)
        thread.start()
        try:
            _wait_for(port)
            yield sink
        finally:
            process.terminate()
            thread.join()


def _read(process: "subprocess.Popen[bytes]", sink: Sink) -> None:
    assert process.stdout is not None  # noqa: S101 - for the type checker
    while told := os.read(process.stdout.fileno(), 2**16):
        sink.count(told)


def _wait_for(port: int) -> None:
    ends = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise BenchError("smtp-sink does not listen")
