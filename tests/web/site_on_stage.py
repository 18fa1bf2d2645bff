"""A real uvicorn on loopback, and a browser of sorts."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn
from doors import DAY, Doors
from invented import Invented, fill, join
from starlette.types import ASGIApp, Receive, Scope, Send

from paperpost.service.installation import Installation
from paperpost.web.app import create_app
from paperpost.web.serve import listen


class Stage:
    """One server for all tests; each puts its own site on it."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.listener = listen("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    stage = Stage()
    server = uvicorn.Server(uvicorn.Config(stage, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [stage.listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield stage
    server.should_exit = True
    thread.join()
    stage.listener.close()


@pytest.fixture
def browse_site(stage: Stage) -> Iterator[Callable[[Installation], httpx.Client]]:
    """Put the site of an installation on the stage: a client that has its front page open."""
    clients = []

    def browse(installation: Installation) -> httpx.Client:
        stage.app = create_app(installation)
        clients.append(httpx.Client(base_url=stage.address, trust_env=False))
        return clients[-1]

    yield browse
    for client in clients:
        client.close()


@pytest.fixture
def papers(installation: Installation) -> list[Invented]:
    """Twelve papers of one day."""
    return fill(installation, [DAY])


@pytest.fixture
def client(
    installation: Installation, browse_site: Callable[[Installation], httpx.Client]
) -> httpx.Client:
    """A client of the test's installation."""
    return browse_site(installation)


@pytest.fixture
def doors(installation: Installation, papers: list[Invented]) -> Doors:
    """The links that Ada was mailed."""
    join(installation, "ada", "graph neural networks", "speech")
    return Doors(installation, "ada@example.org", papers[0].id)


@pytest.fixture
def dump(installation: Installation) -> Callable[[], list[str]]:
    """Everything in the database, as text."""
    path = installation.database.engine.url.database
    assert path is not None

    def read() -> list[str]:
        connection = sqlite3.connect(path)
        try:
            return list(connection.iterdump())
        finally:
            connection.close()

    return read
