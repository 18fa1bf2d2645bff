"""A model's file: one line that names the format and the checksum, then numpy's own npz.

Nothing is pickled, so that a foreign file can do no more than fail to load.
"""

import hashlib
import io
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.errors import SnapshotError

FORMAT = 2
_MAGIC = "recommender-model"
_FIRST_LINE_LIMIT = 200

Arrays = dict[str, npt.NDArray[Any]]


def write_snapshot(path: Path, header: dict[str, Any], arrays: Arrays) -> None:
    """Replace `path` in one step; a crash leaves the old file or the new one, never half of one."""
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    np.savez(buffer, allow_pickle=False, header=text, **arrays)
    payload = buffer.getbuffer()
    checksum = hashlib.sha256(payload).hexdigest()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        try:
            file.write(f"{_MAGIC} {FORMAT} {checksum}\n".encode())
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    _sync_folder(path.parent)


def read_snapshot(path: Path) -> tuple[dict[str, Any], Arrays]:
    """Header and arrays of a file; SnapshotError says what is wrong with it."""
    try:
        with path.open("rb") as file:
            first = file.readline(_FIRST_LINE_LIMIT)
            checksum = _expected_checksum(path, first)
            payload = file.read()
    except OSError as error:
        raise SnapshotError(path, (error.strerror or "cannot be read").lower()) from error
    if hashlib.sha256(payload).hexdigest() != checksum:
        raise SnapshotError(path, "it is truncated or damaged (its checksum does not match)")
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop("header").tobytes())
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise SnapshotError(path, "its parts cannot be read") from error
    return header, arrays


def _expected_checksum(path: Path, first: bytes) -> str:
    match first.decode("ascii", "replace").split():
        case [magic, version, checksum] if magic == _MAGIC and first.endswith(b"\n"):
            if version != str(FORMAT):
                raise SnapshotError(path, f"format {version}, where this version reads {FORMAT}")
            return checksum
        case _:
            raise SnapshotError(path, "it is not a model snapshot")


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
