"""How a process that runs for long is told to stop."""

import subprocess
import sys

# `wait` and `set` hold the event's lock for moments, and a signal may come in any of them.
HOLDS_THE_LOCK = """
import signal
from paperpost.cli import _stop_on_signals
stop = _stop_on_signals()
with stop._cond:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        signal.raise_signal(number)
print(stop.wait(30))
"""


def test_a_signal_stops_a_process_whatever_it_is_just_doing_and_so_do_several() -> None:
    command = [sys.executable, "-c", HOLDS_THE_LOCK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=40, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("True\n", "", 0)
