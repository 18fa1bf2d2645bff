"""What one process trained, and took in since, is what another one finds: real processes that share
nothing but the database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from invented import fill

from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.store.database import Database

COMMAND = (sys.executable, "-m", "paperpost")
SECONDS_TO_START = 60


def environment(home: Path, url: str) -> dict[str, str]:
    return {
        **os.environ,
        "PAPERPOST_HOME": str(home),
        "PAPERPOST_DATABASE_URL": url,
        "PAPERPOST_MODELS": "database",
        "PAPERPOST_SECRET_KEY": "a key for tests only",
        "PAPERPOST_SOURCES": "",
    }


@contextmanager
def serving(home: Path, url: str) -> Iterator[str]:
    """The address of a process that serves pages."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*COMMAND, "serve", "--web-only", "--port", str(port)]
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(home, url), stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def page_of(address: str) -> str:
    """The page, as soon as the model is loaded, for which no visitor waits while another does."""
    end = time.monotonic() + SECONDS_TO_START
    while True:
        with suppress(httpx.TransportError):
            page = httpx.get(address, timeout=SECONDS_TO_START).raise_for_status().text
            if "Similar papers" in page:
                return page
        assert time.monotonic() < end, "it shows no similar papers"
        time.sleep(0.1)


def test_a_page_shows_what_another_process_learnt_and_took_in(
    database_url: str, tmp_path: Path
) -> None:
    trainer, web = tmp_path / "trainer", tmp_path / "web"
    for home in (trainer, web):
        home.mkdir()
    settings = load_settings(
        home=trainer, database_url=database_url, secret_key=("a key for tests only",)
    )
    today = datetime.now(UTC).date()
    ours = Installation(settings, Database(database_url))
    old = fill(ours, [today - timedelta(days=2)])
    subprocess.run([*COMMAND, "train"], env=environment(trainer, database_url), check=True)
    new = fill(ours, [today - timedelta(days=1)])
    ours.close()
    with serving(web, database_url) as address:
        page = page_of(f"{address}/paper/{old[0].id}")
    alike = {one.id for one in (*old, *new) if one.topic == old[0].topic} - {old[0].id}
    assert alike & {one.id for one in new if one.id in page}
    assert [path.name for path in (web / "models").iterdir()] == [
        path.name for path in (trainer / "models").iterdir()
    ]
