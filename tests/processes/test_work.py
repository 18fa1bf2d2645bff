"""`work`, `serve` and `send` as real processes, stopped and killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest
from faulty_smtp_server import faulty_smtp_server
from invented import fill, join
from smtp_server import Postbox, smtp_server

from paperpost.engine.runs import compose_all_of
from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.store import outbox, subscribers
from paperpost.store.database import Database

COMMAND = (sys.executable, "-m", "paperpost")
TODAY = datetime.now(UTC).date()


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    """An installation by the real clock, with papers announced yesterday."""
    (tmp_path / "home").mkdir(exist_ok=True)
    settings = load_settings(
        home=tmp_path / "home", database_url=database_url, secret_key=("a key for tests only",)
    )
    opened = Installation(settings, Database(database_url))
    fill(opened, [TODAY - timedelta(days=1)])  # an hour ago may have been yesterday
    yield opened
    opened.close()


def environment(installation: Installation, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "PAPERPOST_HOME": str(installation.settings.home),
        "PAPERPOST_DATABASE_URL": installation.settings.store_url,
        "PAPERPOST_SECRET_KEY": installation.settings.secret_key[0],
        "PAPERPOST_SOURCES": "",
        **more,
    }


@contextmanager
def started(
    installation: Installation, *arguments: str, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    log = installation.settings.home / f"{arguments[0]}-{time.monotonic_ns()}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*COMMAND, *arguments], env=environment(installation, **more), stderr=file
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], object], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def states(installation: Installation) -> Counter[str]:
    with installation.database.reading() as session:
        counts = outbox.count_by_state(session)["digest"]
    return +Counter(counts)


def make_due(installation: Installation, *names: str) -> None:
    """Subscribers whose digest was due an hour ago, beyond any jitter."""
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    for name in names:
        join(installation, name, "graph neural networks", hour=hour_ago.hour, size=3)
    with installation.database.writing() as session:
        for person in subscribers.active(session, 0, 100):
            subscribers.set_next_due(session, person.id or 0, hour_ago)


def test_two_works_on_one_database_mail_everyone_once(installation: Installation) -> None:
    names = [f"reader{number}" for number in range(12)]
    make_due(installation, *names)
    with smtp_server() as postbox:
        url = postbox.url
        with (
            started(installation, "work", PAPERPOST_SMTP_URL=url) as one,
            started(installation, "work", PAPERPOST_SMTP_URL=url) as two,
        ):
            wait_until(lambda: states(installation) == {"sent": 12})
            for process in (one, two):
                process.send_signal(signal.SIGTERM)
            assert [one.wait(40), two.wait(40)] == [0, 0]
        assert sorted(postbox.recipients) == sorted(f"{name}@example.org" for name in names)


def test_serve_answers_while_work_runs_beside_it_and_sigterm_ends_both(
    installation: Installation,
) -> None:
    make_due(installation, "ada")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with started(installation, "serve", "--port", str(port)) as serve:
        wait_until(lambda: _answers(port))
        wait_until(lambda: states(installation) == {"sent": 1})
        (worker,) = psutil.Process(serve.pid).children()
        serve.send_signal(signal.SIGTERM)
        assert serve.wait(40) == 0
        assert not worker.is_running()
    logs = "".join(path.read_text() for path in installation.settings.home.glob("serve-*.log"))
    assert "Fatal" not in logs
    assert "Traceback" not in logs
    assert states(installation) == {"sent": 1}


def test_work_ends_when_its_serve_is_killed(installation: Installation) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with started(installation, "serve", "--port", str(port)) as serve:
        wait_until(lambda: _answers(port))
        wait_until(lambda: psutil.Process(serve.pid).children())
        (worker,) = psutil.Process(serve.pid).children()
        serve.kill()
        serve.wait()
        wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_send_killed_again_and_again_loses_nothing(installation: Installation) -> None:
    names = [f"reader{number}" for number in range(40)]
    for name in names:
        join(installation, name, "graph neural networks", size=3)
    compose_all_of(installation, TODAY)
    with smtp_server() as postbox:
        for kill_at in (3, 8, 15, 25):  # in the middle of its work
            with started(installation, "send", PAPERPOST_SMTP_URL=postbox.url) as process:
                wait_until(partial(_has_arrived, postbox, kill_at))
                process.kill()
        with started(installation, "send", PAPERPOST_SMTP_URL=postbox.url) as process:
            assert process.wait(60) == 0
        assert states(installation) == {"sent": len(names)}
        assert set(postbox.recipients) == {f"{name}@example.org" for name in names}
        most = 4 * load_settings().smtp_connections  # one for each connection and kill
        assert len(postbox.recipients) - len(names) <= most
        ids = {(to, postbox.message(i)["Message-ID"]) for i, to in enumerate(postbox.recipients)}
        assert len(ids) == len(names)  # both copies of a doubled mail carry the same one


def _has_arrived(postbox: Postbox, number: int) -> bool:
    return len(postbox.raw) >= number


def test_send_told_to_stop_gives_its_leases_back(installation: Installation) -> None:
    for number in range(30):
        join(installation, f"reader{number}", "graph neural networks", size=3)
    compose_all_of(installation, TODAY)
    with faulty_smtp_server() as server:
        server.latency = 0.2  # so that there is something to stop
        with started(installation, "send", PAPERPOST_SMTP_URL=server.url()) as process:
            wait_until(lambda: len(server.accepted) > 2)
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0
        counts = states(installation)
        assert counts["sending"] == counts["unknown"] == 0
        assert 2 < counts["sent"] == len(server.accepted) < 30
        assert counts["sent"] + counts["queued"] == 30
