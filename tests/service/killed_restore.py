"""`restore --force` in processes that are killed at a place in it.

    python killed_restore.py FILE HOME DATABASE_URL

Each line of standard input is a place, a function of ours and `call` or `return`, or nothing for a
restore that nobody kills. The answer is how it ended, as subprocess tells it.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import paperpost
from paperpost.service.restore import restore
from paperpost.settings import load_settings

THEIR_KEY = "another key for tests"
OURS = str(Path(paperpost.__file__).parent)


def restore_until(place: str, file: Path, home: Path, url: str) -> None:
    """Restore, and be killed at that place."""

    name, _, moment = place.partition(" ")

    def watch(frame: Any, event: str, _argument: object) -> None:
        code = frame.f_code
        if code.co_name == name and event == moment and code.co_filename.startswith(OURS):
            os.kill(os.getpid(), signal.SIGKILL)

    settings = load_settings(home=home, database_url=url, secret_key=(THEIR_KEY,))
    with file.open("rb") as backup:
        sys.setprofile(watch)
        restore(settings, backup, force=True)
        sys.setprofile(None)


def main() -> None:
    """Do what standard input says."""
    file, home, url = sys.argv[1:]
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                restore_until(line.strip(), Path(file), Path(home), url)
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
