"""gzip'd data as a stream that survives a missing end and refuses bombs."""

import gzip
import io
import zlib
from typing import IO

from paperpost.sources.errors import UnreadableFile

EXPANDED_LIMIT = 2 * 1024**3
# Papers shrink to between a third and a tenth, zeros to a thousandth.
RATIO_LIMIT = 200
RATIO_FREE = 64 * 1024 * 1024


class Unpacked(io.RawIOBase):
    """What gzip'd data holds. Where the data breaks off it ends, and `damage` says so."""

    def __init__(self, packed: IO[bytes]) -> None:
        self.damage: str | None = None
        self._packed = _Counted(packed)
        self._gzip = gzip.GzipFile(fileobj=self._packed)
        self._expanded = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` as far as there is data. Raises UnreadableFile for a bomb."""
        filled = 0
        while filled < len(buffer) and (piece := self._piece(len(buffer) - filled)):
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
        self._expanded += filled
        self._refuse_bombs()
        return filled

    def _piece(self, size: int) -> bytes:
        if self.damage:
            return b""
        try:
            return self._gzip.read1(size)
        except EOFError:
            self.damage = "the gzip data ends in the middle"
        except (gzip.BadGzipFile, zlib.error):
            self.damage = "the gzip data is broken"
        return b""

    def _refuse_bombs(self) -> None:
        ratio = self._expanded / max(self._packed.count, 1)
        if self._expanded > EXPANDED_LIMIT:
            raise UnreadableFile(f"the file unpacks to more than {EXPANDED_LIMIT:,} bytes")
        if self._expanded > RATIO_FREE and ratio > RATIO_LIMIT:
            raise UnreadableFile(f"the file unpacks to more than {RATIO_LIMIT} times its size")


class _Counted(io.RawIOBase):
    """A stream that knows how many bytes were read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.count = 0
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.count += len(data)
        return data
