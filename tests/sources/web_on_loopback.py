"""The hosts that sources ask, on loopback: each speaks its own protocol, and traps can be set.

A client whose `mirror` is `web.url` finds https://HOST/PATH at `web.url`/HOST/PATH. One more
protocol is one more file `speaks_….py` with a class that has `hosts` and `answer(question)`, and
is given to `WebOnLoopback` beside the others. Traps (traps.py) change what would be answered:

    with WebOnLoopback(ArxivFeeds(archive), ArxivOai(archive)) as web:
        web.spring(traps.busy(503, retry_after="7"), on="oaipmh.arxiv.org")
        ...
        assert [question.host for question in web.asked] == [...]
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from loopback_source import Told

Trap = Callable[[Told], Told]


@dataclass(frozen=True)
class Question:
    """One request: `path` without the host, `query` with the last value of each name."""

    host: str
    path: str
    query: dict[str, str]
    url: str
    headers: Message


class Speaker(Protocol):
    """Who answers for some hosts; None where there is nothing of that name."""

    @property
    def hosts(self) -> tuple[str, ...]: ...

    def answer(self, question: Question) -> Told | None: ...


@dataclass
class _Sprung:
    trap: Trap
    on: str
    times: int


class WebOnLoopback:
    """Several hosts on one port. `asked` is what was asked, `at_once` the most at one time."""

    def __init__(self, *speakers: Speaker) -> None:
        self.asked: list[Question] = []
        self.at_once = 0
        self._speakers = {host: speaker for speaker in speakers for host in speaker.hosts}
        self._traps: list[_Sprung] = []
        self._one_at_a_time = threading.Lock()
        self._in_flight = 0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        serve = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        serve.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def spring(self, trap: Trap, *, on: str = "", times: int = 1) -> None:
        """Let the trap change the next `times` answers to what has `on` in its host, path or
        query; with several traps set, the first that fits."""
        self._traps.append(_Sprung(trap, on, times))

    def forget(self) -> None:
        """Forget what was asked, and the traps."""
        self.asked.clear()
        self._traps.clear()

    def told(self, path: str, headers: Message) -> Told:
        """What is answered to a request of this server."""
        question = _question(path, headers)
        with self._one_at_a_time:
            self.asked.append(question)
            speaker = self._speakers.get(question.host)
            answer = speaker.answer(question) if speaker else None
            sprung = next((trap for trap in self._traps if trap.on in question.url), None)
            if sprung:
                sprung.times -= 1
                if not sprung.times:
                    self._traps.remove(sprung)
        told = _unless_known(answer or Told(404, b"there is nothing here"), question)
        return sprung.trap(told) if sprung else told

    @contextmanager
    def counted(self) -> Iterator[None]:
        """A request that is on its way."""
        with self._one_at_a_time:
            self._in_flight += 1
            self.at_once = max(self.at_once, self._in_flight)
        try:
            yield
        finally:
            with self._one_at_a_time:
                self._in_flight -= 1


def _question(path: str, headers: Message) -> Question:
    """`/HOST/PATH?QUERY` as what was meant."""
    url = path.lstrip("/")
    parts = urlsplit(f"//{url}")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Question(parts.netloc, unquote(parts.path), query, url, headers)


def _unless_known(told: Told, question: Question) -> Told:
    """304 for a client that has it already (RFC 9110, section 13)."""
    etag, changed = told.headers.get("ETag"), told.headers.get("Last-Modified")
    asked_etag = question.headers["If-None-Match"]
    if asked_etag:  # which makes If-Modified-Since not count
        known = asked_etag == etag
    else:
        known = changed is not None and question.headers["If-Modified-Since"] == changed
    return Told(304, headers=told.headers) if told.status == 200 and known else told


def _handler(web: WebOnLoopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with web.counted():
                told = web.told(self.path, self.headers)
                self.send_response(told.status)
                for name, value in told.headers.items():
                    self.send_header(name, value)
                if told.write is None and told.status != 304:
                    self.send_header("Content-Length", str(len(told.body)))
                self.end_headers()
                try:
                    if told.write is None:
                        self.wfile.write(told.body)
                    else:
                        told.write(self)
                except OSError:  # the client has seen enough
                    self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
