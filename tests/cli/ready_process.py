"""A process that has loaded what commands need, and becomes one for each that is run: real
processes, which do not each take a second to start."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

SECONDS = 120
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    [
        "paperpost.cli",
        "paperpost.schedule",
        "paperpost.service.status",
        "paperpost.service.wrong",
        "paperpost.store.mentions",
        "recommender.divided",
        "recommender.sample",
    ]
)


def run_command(
    arguments: tuple[str, ...], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """`paperpost` with these arguments, in this folder and that environment; it is asked nothing.

    TimeoutError if it takes too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "stdout"), Path(folder, "stderr")
        process = _server.Process(
            target=_become, args=(arguments, dict(environment), Path.cwd(), told)
        )
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"paperpost {' '.join(arguments)}")
        stdout, stderr = (path.read_text(encoding="utf-8") for path in told)
        return subprocess.CompletedProcess(arguments, process.exitcode, stdout, stderr)


def _become(
    arguments: tuple[str, ...], environment: dict[str, str], folder: Path, told: tuple[Path, Path]
) -> None:
    for stream, path in zip((sys.stdout, sys.stderr), told, strict=True):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["paperpost", *arguments]
    from paperpost.cli import main

    main()
