"""A database that goes away and comes back while mail is sent and pages are asked for."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from database_server import database_server
from scene import COMMAND, Scene, accepting_server, prepare
from sqlmodel import col, select
from verdict import Row, Verdict
from workers import Crew, finish

from paperpost.store.database import Database
from paperpost.store.tables import Delivery

MAILS = 120
CONNECTIONS = 4


@contextmanager
def site(scene: Scene) -> Iterator[httpx.Client]:
    """A `serve --web-only` of its own, and a client of it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*COMMAND, "serve", "--web-only", "--port", str(port)]
    log = (scene.home / "site.log").open("wb")
    with log, subprocess.Popen(command, env=scene.environment(), stderr=log) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                wait_until(lambda: status_of(client) == 200)
                yield client
        finally:
            process.terminate()


def status_of(client: httpx.Client) -> int | None:
    try:
        return client.get("/healthz", timeout=20).status_code
    except httpx.TransportError:
        return None


def wait_until(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def rows(database: Database) -> list[Row]:
    query = select(col(Delivery.id), col(Delivery.message_id), col(Delivery.state))
    with database.reading() as session:
        return [Row(number or 0, name, state) for number, name, state in session.exec(query)]


def require_a_plain_answer(client: httpx.Client) -> None:
    page = client.get("/")
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "Not available right now" in page.text
    problem = client.get("/api/days/newest")
    assert (problem.status_code, problem.headers["retry-after"]) == (503, "5")
    assert problem.json()["detail"] == "The database does not answer."
    assert client.get("/healthz").status_code == 503


def test_when_the_database_was_away_all_goes_on_and_no_mail_comes_twice(tmp_path: Path) -> None:
    with database_server() as server:
        server.start()
        scene = prepare(Scene(tmp_path / "home", server.url), mails=MAILS)
        database = Database(server.url)
        with site(scene) as client, accepting_server(tmp_path / "accepted.log", 0.1) as mail:
            crew = Crew(scene, database, mail, CONNECTIONS)
            try:
                crew.hire(["work", "work"])
                wait_until(lambda: len(mail.accepted()) > MAILS // 4)
                server.stop()
                in_between = len(mail.accepted())
                require_a_plain_answer(client)
                server.start()
                finish(crew)
                wait_until(lambda: status_of(client) == 200)
                assert client.get("/").status_code == 200
            finally:
                crew.kill_all()
            found = rows(database)
            assert in_between < MAILS
            assert Verdict(found, mail.accepted(), len(found), 0, CONNECTIONS).broken() == []
        database.close()
    for log in scene.home.glob("*.log"):
        assert "Traceback" not in log.read_text()
