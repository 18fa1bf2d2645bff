"""What is crashed: an installation full of queued digests, and the server they are sent to."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from verdict import Accepted

from paperpost.engine.runs import compose_all_of
from paperpost.service import subscribe
from paperpost.service.ingest import import_files
from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.store.database import Database

COMMAND = (sys.executable, "-m", "paperpost")
REPOSITORY = Path(__file__).resolve().parent.parent.parent
PAPERS = REPOSITORY / "paperpost" / "demo" / "papers.jsonl"
NEWEST_DAY = date(2026, 4, 14)  # of the demo's papers
KEY = "a key for tests only"
KEYWORDS = ("language models", "graph networks", "robots", "diffusion", "vision", "agents")


@dataclass(frozen=True)
class Scene:
    """One installation, by its home and its database's URL."""

    home: Path
    database_url: str

    def environment(self, **more: str) -> dict[str, str]:
        """What its commands are run with, and nothing of the developer's own."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PAPERPOST_")}
        return inherited | {
            "PAPERPOST_HOME": str(self.home),
            "PAPERPOST_DATABASE_URL": self.database_url,
            "PAPERPOST_SECRET_KEY": KEY,
            "PAPERPOST_SOURCES": "",
            **more,
        }


def prepare(scene: Scene, mails: int) -> Scene:
    """Queue so many digests of the demo's papers, each to its own subscriber."""
    settings = load_settings(home=scene.home, database_url=scene.database_url, secret_key=(KEY,))
    installation = Installation(settings, Database(scene.database_url))
    try:
        installation.database.upgrade()
        import_files(installation, [PAPERS])
        subscribe.from_file(installation, _people(scene.home, mails), confirmed=True)
        counts = compose_all_of(installation, NEWEST_DAY)
    finally:
        installation.close()
    assert counts["queued"] == mails
    return scene


def _people(home: Path, number: int) -> Path:
    """A list of subscribers of whom nobody is due by the clock while this runs."""
    home.mkdir(parents=True, exist_ok=True)
    hour = (datetime.now(UTC).hour + 12) % 24
    lines = [f"reader{n}@example.org,{KEYWORDS[n % len(KEYWORDS)]},{hour}" for n in range(number)]
    path = home / "people.csv"
    path.write_text("\n".join(("email,keywords,hour", *lines)) + "\n", encoding="utf-8")
    return path


def copied(scene: Scene, home: Path) -> Scene:
    """The same installation in another home; a SQLite database in the old home is copied too."""
    shutil.copytree(scene.home, home)
    return replace(
        scene, home=home, database_url=scene.database_url.replace(str(scene.home), str(home))
    )


@dataclass(frozen=True)
class AcceptingServer:
    """The server's process, the URL to send to, and what it accepted."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def hurry(self) -> None:
        """No more pauses."""
        self.process.send_signal(signal.SIGUSR1)

    def accepted(self) -> list[Accepted]:
        """Every message that was accepted until now, in order."""
        whole, _, _ = self.log.read_text(encoding="ascii").rpartition("\n")
        lines = (line.split(" ") for line in whole.splitlines())
        return [Accepted(int(port), *words) for port, *words in lines]


@contextmanager
def accepting_server(log: Path, pause: float, host: str = "127.0.0.1") -> Iterator[AcceptingServer]:
    """A server for as long as this lasts, in the network that this thread is in."""
    script = Path(__file__).with_name("accepting_server.py")
    command = [sys.executable, str(script), str(log), "--pause", str(pause), "--host", host]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            log.touch()
            yield AcceptingServer(
                process, f"smtp://{host}:{process.stdout.readline().strip()}", log
            )
        finally:
            process.terminate()
