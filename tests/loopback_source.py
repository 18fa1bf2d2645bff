"""A real HTTP server on loopback that answers as it is told, and remembers what it was asked."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Told:
    """One answer; `write` replaces the body where it matters how the bytes come."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    write: Callable[[BaseHTTPRequestHandler], None] | None = None


class LoopbackSource:
    """Gives the answers in turn, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[Told] = []
        self.asked: list[tuple[str, Message]] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        # a short poll, so that closing does not take half a second
        serve = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        serve.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def tell(self, *answers: Told) -> None:
        self.answers = list(answers)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                source.asked.append((self.path, self.headers))
                told = source.answers.pop(0) if len(source.answers) > 1 else source.answers[0]
                self.send_response(told.status)
                for name, value in told.headers.items():
                    self.send_header(name, value)
                if told.write is None:
                    self.send_header("Content-Length", str(len(told.body)))
                self.end_headers()
                if told.write is None:
                    self.wfile.write(told.body)
                else:
                    told.write(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
