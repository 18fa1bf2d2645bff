"""Where the tests' own files lie."""

import os
import shutil
import tempfile

# Linux has a file system in memory there; containers often have one that is too small.
_FOLDER = "/dev/shm"
_ENOUGH = 2 * 2**30  # bytes; all tests together need a quarter of it


def keep_files_in_memory() -> None:
    """Have this process and those that it starts make temporary files in memory, if there is
    enough and nobody has said where else: a PostgreSQL database, some hundred files, is made in a
    tenth of the time. No test is about what outlives a power cut."""
    if "TMPDIR" not in os.environ and _is_there():
        os.environ["TMPDIR"] = _FOLDER
        tempfile.tempdir = None  # which is looked up anew


def _is_there() -> bool:
    usable = os.access(_FOLDER, os.W_OK | os.X_OK)
    return usable and shutil.disk_usage(_FOLDER).free >= _ENOUGH
