"""Postfix's own message generator, `smtp-source`: how fast mail can be handed over at all."""

import shutil
import subprocess
import time

from paperpost.bench.processes import BenchError

TIMEOUT_SECONDS = 600


def messages_per_second(
    host: str, port: int, messages: int, size: int, connections: int, *, keeps: bool
) -> float:
    """It sends one message of that many bytes again and again: as it comes, each over a connection
    of its own; or it keeps its connections (`-d`), as we do for a hundred messages.

    Raises BenchError where it is not installed or fails.
    """
    program = shutil.which("smtp-source") or shutil.which("smtp-source", path="/usr/sbin")
    if program is None:
        raise BenchError("smtp-source is not installed (Debian's package postfix has it)")
    command = [
        program,
        *(["-d"] if keeps else []),
        "-s",
        str(connections),
        "-m",
        str(messages),
        "-l",
        str(size),
    ]
    command += ["-f", "digest@papers.example", "-t", "reader@university.example"]
    started = time.perf_counter()
    try:
        subprocess.run(  # noqa: S603 - a program of the system, with numbers as arguments
            [*command, f"{host}:{port}"], check=True, capture_output=True, timeout=TIMEOUT_SECONDS
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"smtp-source failed: {error}") from error
    return messages / (time.perf_counter() - started)
