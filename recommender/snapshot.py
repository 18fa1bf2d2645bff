"""A model's file: one line that names the format and the checksum, then numpy's own npy arrays, one
after another, the first of which is a header in JSON.

The arrays are mapped into memory, not read: processes of one machine share them, and a model takes
what is used of it. Nothing is pickled, so that a foreign file can do no more than fail to load. A
file is never changed in place, only put where another one was.
"""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from recommender.errors import NewerSnapshot, SnapshotError

# Also another one when what a snapshot holds is made in another way: terms, the keys of titles and
# authors, crowding.
FORMAT = 4
_MAGIC = "recommender-model"
_FIRST_LINE_LIMIT = 200
# Every array begins where a cache line does, if the first line and each gap are filled up to that.
_ALIGNMENT = 64
_FIRST_LINE_LENGTH = 2 * _ALIGNMENT
_READ_AT_ONCE = 2**20

Arrays = dict[str, npt.NDArray[Any]]


class _Hashed:
    """What is written to a file, aligned, and its checksum."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.checksum = hashlib.sha256()

    def write(self, content: bytes) -> int:
        self.checksum.update(content)
        return self._file.write(content)

    def array(self, values: npt.NDArray[Any]) -> None:
        """Write an array and fill its last line."""
        npy.write_array(self, values, version=(1, 0), allow_pickle=False)
        self.write(bytes(-self._file.tell() % _ALIGNMENT))


def write_snapshot(path: Path, header: dict[str, Any], arrays: Arrays) -> None:
    """Replace `path` in one step; a crash leaves the old file or the new one, never half of one."""
    text = json.dumps({"arrays": list(arrays), **header}).encode()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        try:
            file.write(bytes(_FIRST_LINE_LENGTH))
            hashed = _Hashed(file)
            for values in (np.frombuffer(text, dtype=np.uint8), *arrays.values()):
                hashed.array(values)
            file.seek(0)
            file.write(_first_line(hashed.checksum.hexdigest()))
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
            return read_opened(file, path)
    except OSError as error:
        raise SnapshotError(path, (error.strerror or "cannot be read").lower()) from error


def read_opened(file: BinaryIO, path: Path) -> tuple[dict[str, Any], Arrays]:
    """The same of an open file, which has no name any more; `path` is what errors call it."""
    expected = _expected_checksum(path, file.read(_FIRST_LINE_LIMIT).partition(b"\n"))
    file.seek(_FIRST_LINE_LENGTH)
    checksum = hashlib.sha256()
    while content := file.read(_READ_AT_ONCE):
        checksum.update(content)
    if checksum.hexdigest() != expected:
        raise SnapshotError(path, "it is truncated or damaged (its checksum does not match)")
    try:
        first, *others = _mapped_arrays(file)
        header: dict[str, Any] = json.loads(first.tobytes())
        return header, dict(zip(header.pop("arrays"), others, strict=True))
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotError(path, "its parts cannot be read") from error


def _mapped_arrays(file: BinaryIO) -> list[npt.NDArray[Any]]:
    """The arrays of a file one after another; ValueError if there is anything else in it."""
    end = file.seek(0, os.SEEK_END)
    place = file.seek(_FIRST_LINE_LENGTH)
    arrays = []
    while place < end:
        array = _mapped(file)
        arrays.append(array)
        place = file.tell() + array.nbytes
        place = file.seek(place + -place % _ALIGNMENT)
    return arrays


def _mapped(file: BinaryIO) -> npt.NDArray[Any]:
    """The array whose header begins here; what is read next is its first value. It may be written
    to, as implicit wants, which changes neither the file nor what others see of it."""
    if npy.read_magic(file) != (1, 0):
        raise ValueError("not an array of this format")
    shape, in_columns, dtype = npy.read_array_header_1_0(file)
    if dtype.hasobject or in_columns:
        raise ValueError("not an array of plain numbers, row after row")
    if not np.prod(shape):
        return np.zeros(shape, dtype=dtype)
    start = file.tell()
    array = np.asarray(np.memmap(file, dtype=dtype, mode="c", offset=start, shape=shape))
    file.seek(start)
    return array


def _first_line(checksum: str) -> bytes:
    return f"{_MAGIC} {FORMAT} {checksum}".ljust(_FIRST_LINE_LENGTH - 1).encode() + b"\n"


def _expected_checksum(path: Path, first: tuple[bytes, bytes, bytes]) -> str:
    line, ended, _ = first
    match line.decode("ascii", "replace").split():
        case [magic, version, checksum] if magic == _MAGIC and ended:
            if version != str(FORMAT):
                is_newer = version.isdecimal() and int(version) > FORMAT
                problem = f"format {version}, where this version reads {FORMAT}"
                raise (NewerSnapshot if is_newer else SnapshotError)(path, problem)
            if len(line) != _FIRST_LINE_LENGTH - 1:
                raise SnapshotError(path, "its first line is damaged")
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
