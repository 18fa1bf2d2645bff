"""Answers that are too large, too slow, or never end."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import traps
from asking import Asking
from certificates import Authority
from loopback_source import LoopbackSource, Told
from web_on_loopback import Question, WebOnLoopback

from paperpost.sources.errors import AnswerTooLarge, RequestFailed, Stopped


@pytest.fixture
def source() -> Iterator[LoopbackSource]:
    with LoopbackSource() as running:
        yield running


class Page:
    """A host that has one page."""

    hosts = ("old.example",)

    def answer(self, question: Question) -> Told:
        return Told(body=f"of {question.host}".encode())


def test_an_answer_too_large_is_cut_short(source: LoopbackSource) -> None:
    sent = 0

    def flood(to: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        try:
            for _ in range(1_000):
                sent += to.wfile.write(bytes(64 * 1024))
        except OSError:
            return

    source.tell(Told(write=flood))
    asking = Asking(max_bytes=100_000)
    with asking.client, pytest.raises(AnswerTooLarge, match="larger than 100,000 bytes"):
        asking.client.get(source.url)
    assert sent < 60 * 1024 * 1024


def test_a_silent_server_times_out_and_a_closed_port_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asking = Asking(timeout=0.05, max_attempts=2)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with asking.client, pytest.raises(RequestFailed, match="timed out"):
            asking.client.get(url)
    with Asking().client as client, pytest.raises(RequestFailed, match="refused"):
        client.get(url)


@pytest.fixture
def page() -> Iterator[WebOnLoopback]:
    with WebOnLoopback(Page()) as web:
        yield web


def test_what_was_compressed_is_read_and_a_bomb_is_not(page: WebOnLoopback) -> None:
    page.spring(traps.gzipped)
    page.spring(traps.gzip_bomb)
    asking = Asking(mirror=page.url, max_bytes=1_000_000)
    with asking.client:
        assert asking.client.get("https://old.example/page").body == b"of old.example"
        with pytest.raises(AnswerTooLarge):
            asking.client.get("https://old.example/page")
    assert asking.log[-1].size < 1_000_000
    assert asking.log[-1].said == "the answer is larger than 1,000,000 bytes"


def test_a_bomb_in_a_bomb_and_one_in_an_error_are_not_unpacked(page: WebOnLoopback) -> None:
    bomb = gzip.compress(gzip.compress(bytes(10_000_000)))
    page.spring(traps.answers(200, bomb, Content_Encoding="gzip, gzip"))
    page.spring(traps.answers(403, gzip.compress(bytes(10_000_000)), Content_Encoding="gzip"))
    asking = Asking(mirror=page.url)
    with asking.client:
        with pytest.raises(RequestFailed, match="encoded as 'gzip, gzip'"):
            asking.client.get("https://old.example/page")
        with pytest.raises(RequestFailed, match="HTTP 403") as caught:
            asking.client.get("https://old.example/page")
    assert len(caught.value.body) <= 64 * 1024


@contextmanager
def dripping(first: bytes, drop: bytes, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that sends `first` and then a drop now and then, without an end."""

    def serve() -> None:
        plain, _ = listening.accept()
        with tls.wrap_socket(plain, server_side=True) if tls else plain as connection:
            connection.recv(65536)
            try:
                connection.sendall(first)
                while True:
                    connection.sendall(drop)
                    time.sleep(0.01)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http{'s' if tls else ''}://localhost:{listening.getsockname()[1]}/"
        thread.join()


OK = b"HTTP/1.1 200 OK\r\n"
# A block of deflate without content: it may come for ever, and nothing is ever unpacked.
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"
GZIP_HEAD = b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"", mtime=0)[:10]


@pytest.mark.parametrize(
    ("first", "drop"),
    [(OK, b"X: y\r\n"), (OK + b"\r\n", b"x"), (OK + GZIP_HEAD, EMPTY_BLOCK)],
    ids=["head", "body", "compressed"],
)
def test_an_answer_that_never_ends_is_given_up_wherever_it_is(first: bytes, drop: bytes) -> None:
    asking = Asking(deadline=0.1, max_attempts=1)
    late = pytest.raises(RequestFailed, match=r"no whole answer within 0\.1 seconds")
    with dripping(first, drop) as url, asking.client, late:
        asking.client.get(url)
    assert asking.log[0].said == "no whole answer within 0.1 seconds"


def test_an_encrypted_answer_that_never_ends_is_given_up_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    asking = Asking(deadline=0.3, max_attempts=1)
    late = pytest.raises(RequestFailed, match=r"no whole answer within 0\.3 seconds")
    with dripping(OK, b"X: y\r\n", authority.server("localhost")) as url, asking.client, late:
        asking.client.get(url)
    assert asking.log[0].seconds < 2


def test_a_program_that_stops_does_not_wait_for_an_answer() -> None:
    stop = threading.Event()
    asking = Asking(stop=stop)
    with dripping(OK, b"X: y\r\n") as url, asking.client:
        threading.Timer(0.05, stop.set).start()
        started = time.monotonic()
        with pytest.raises(Stopped):
            asking.client.get(url)
    assert time.monotonic() - started < 2
    assert len(asking.log) == 1
