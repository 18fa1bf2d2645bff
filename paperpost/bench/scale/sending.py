"""`paperpost send`, as several processes, until a number of mails has arrived."""

import os
import subprocess
import sys
import time

from paperpost.bench.processes import BenchError
from paperpost.bench.scale.sink import Sink
from paperpost.bench.scale.site import Site
from paperpost.bench.scale.steps import Done

_LOOK_EVERY_SECONDS = 0.2
_LONGEST_SECONDS = 1_800
_SECONDS_TO_STOP = 120


def sent(site: Site, sink: Sink, messages: int, processes: int) -> Done:
    """The commands are started, and told to stop as an operator would when so many have arrived:
    they finish what is in flight. Seconds are from the first mail to the last one."""
    sink.expect(messages)
    command = [sys.executable, "-m", "paperpost", "send"]
    running = [
        subprocess.Popen(  # noqa: S603 - our own command
            command, env={**os.environ, **site.environment}, stdout=subprocess.DEVNULL
        )
        for _ in range(processes)
    ]
    ends = time.monotonic() + _LONGEST_SECONDS
    try:
        while not sink.has_enough(_LOOK_EVERY_SECONDS):
            if all(process.poll() is not None for process in running):
                break
            if time.monotonic() > ends:
                raise BenchError(f"only {sink.messages:,} of {messages:,} mails arrived in time")
    finally:
        for process in running:
            process.terminate()
        for process in running:
            _end(process)
    if sink.messages < messages:
        raise BenchError(f"only {sink.messages:,} of {messages:,} mails arrived")
    return Done(sink.messages, sink.last - sink.first, {})


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
