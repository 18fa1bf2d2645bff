"""A real uvicorn on loopback, and a browser of sorts."""

import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn
from doors import DAY, Doors
from invented import Invented, fill, join
from starlette.types import ASGIApp, Receive, Scope, Send
from stores import everything

from paperpost.service.installation import Installation
from paperpost.web.app import create_app
from paperpost.web.serve import listen


class Stage:
    """One server and one client for all tests; each test puts its own site on it."""

    def __init__(self, client: httpx.Client) -> None:
        self.app: ASGIApp | None = None
        self.client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with listen("127.0.0.1", 0) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
            stage = Stage(client)
            server = uvicorn.Server(uvicorn.Config(stage, log_level="warning", lifespan="off"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            while not server.started:
                time.sleep(0.01)
            yield stage
            server.should_exit = True
            thread.join()


@pytest.fixture
def browse_site(stage: Stage) -> Callable[[Installation], httpx.Client]:
    """Puts the site of an installation on the stage, and gives a client of it."""

    def browse(installation: Installation) -> httpx.Client:
        stage.app = create_app(installation)
        return stage.client

    return browse


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
    return lambda: everything(installation.database)
