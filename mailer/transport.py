"""The ways out: a mail server, or a folder of files.

`open_transport` chooses; the outcomes are in mailer.outcome, SMTP is in mailer.smtp.
"""

import os
import tempfile
from pathlib import Path

from mailer.outcome import (
    Accepted,
    Outcome,
    Outgoing,
    Refused,
    Transport,
    Unknown,
    Unreachable,
)
from mailer.smtp import SmtpTransport, TransportError

__all__ = [
    "Accepted",
    "FileTransport",
    "Outcome",
    "Outgoing",
    "Refused",
    "SmtpTransport",
    "Transport",
    "TransportError",
    "Unknown",
    "Unreachable",
    "open_transport",
]


def open_transport(smtp_url: str | None, folder: Path, timeout: float) -> Transport:
    """SMTP if there is a server's URL, else files in the folder; timeout in seconds.

    Connects only when something is sent. Raises TransportError for a URL that cannot be used.
    """
    return SmtpTransport(smtp_url, timeout) if smtp_url else FileTransport(folder)


class FileTransport:
    """Writes each message into the folder, whole or not at all; the same name is written over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, outgoing: Outgoing) -> Outcome:
        """Accepted when the file is on the disk, Unreachable when the disk did not take it."""
        name = outgoing.filename
        if Path(name).name != name or name in ("", "..") or "\0" in name:
            return Refused(f"not a file name: {name[:80]!r}", permanent=True)
        try:
            self._write(outgoing)
        except OSError as error:
            return Unreachable(f"cannot write into {self._folder}: {error.strerror or error}")
        return Accepted(f"written to {outgoing.filename}")

    def close(self) -> None:
        """Nothing to let go of."""

    def _write(self, outgoing: Outgoing) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                # On the wire lines end with CRLF; in files they end as in all files here, so
                # that what reads a mailbox folder, or a decoded text part, finds plain lines.
                file.write(outgoing.data.replace(b"\r\n", b"\n"))
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._folder / outgoing.filename)
        except BaseException:
            os.unlink(name)
            raise
        self._sync_folder()

    def _sync_folder(self) -> None:
        """The new name is on the disk only when its folder is."""
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
