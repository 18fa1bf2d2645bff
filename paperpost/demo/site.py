"""The site on a free port of loopback, in a thread, for as long as the demo needs it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_server

import uvicorn

from paperpost.service.installation import Installation
from paperpost.web.app import create_app


@contextmanager
def site(installation: Installation) -> Iterator[str]:
    """Serve the real site; gives its address."""
    with create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(installation), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
