"""TLS and STARTTLS: what was asked for is never downgraded, and nothing goes in the clear."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from certificates import Authority
from smtp_server import Postbox, smtp_server

from mailer.outcome import Accepted, Outcome, Outgoing, Unreachable
from mailer.smtp import SmtpTransport

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
BOTH = pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
MESSAGE = Outgoing(
    "paperpost@localhost", "ada@example.org", b"Subject: x\r\n\r\nhello\r\n", "1.eml"
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


class Office:
    """A mail server that wants TLS and a login, and remembers who tried to log in."""

    def __init__(self, postbox: Postbox, logins: list[Any]) -> None:
        self._port = postbox.url.rpartition(":")[2]
        self.postbox = postbox
        self.logins = logins

    def url(self, scheme: str) -> str:
        return f"{scheme}://ada:secret@localhost:{self._port}"


@contextmanager
def office(scheme: str, context: Any) -> Iterator[Office]:
    logins: list[Any] = []

    def authenticated(*details: Any) -> AuthResult:
        logins.append(details)
        return AuthResult(success=True)

    tls = (
        {"ssl_context": context, "auth_require_tls": False}  # aiosmtpd means STARTTLS alone
        if scheme == "smtps"
        else {"tls_context": context, "require_starttls": True}
    )
    with smtp_server(authenticator=authenticated, auth_required=True, **tls) as postbox:
        yield Office(postbox, logins)


def sent(url: str) -> Outcome:
    transport = SmtpTransport(url, 5)
    try:
        return transport.send(MESSAGE)
    finally:
        transport.close()


@BOTH
def test_a_server_that_can_be_trusted_is_logged_into_and_takes_the_mail(
    scheme: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with office(scheme, authority.server("localhost")) as there:
        assert isinstance(sent(there.url(scheme)), Accepted)
    assert there.postbox.recipients == ["ada@example.org"]
    assert len(there.logins) == 1


@BOTH
@pytest.mark.parametrize(
    ("name", "how", "reason"),
    [
        ("mail.example.org", {}, "Hostname mismatch, certificate is not valid for 'localhost'"),
        ("localhost", {"trusted": False}, "self-signed certificate"),
        ("localhost", {"days": -1}, "certificate has expired"),
    ],
)
def test_a_server_that_cannot_be_trusted_learns_nothing(
    scheme: str,
    name: str,
    how: dict[str, Any],
    reason: str,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with office(scheme, authority.server(name, **how)) as there:
        outcome = sent(there.url(scheme))
    assert isinstance(outcome, Unreachable)
    assert "the server's certificate is not trusted" in outcome.reply
    assert reason in outcome.reply
    assert (there.postbox.raw, there.logins) == ([], [])


@BOTH
def test_an_authority_that_this_machine_does_not_know_is_not_trusted(
    scheme: str, authority: Authority
) -> None:
    with office(scheme, authority.server("localhost")) as there:
        assert isinstance(sent(there.url(scheme)), Unreachable)
    assert (there.postbox.raw, there.logins) == ([], [])


@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+starttls"])
def test_small_packets_are_not_held_back(
    scheme: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nagle's algorithm makes a message over TLS 17 times slower."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    context = authority.server("localhost")
    name = "ssl_context" if scheme == "smtps" else "tls_context"
    with smtp_server(**{name: context}) as postbox:
        transport = SmtpTransport(
            postbox.url.replace("smtp://127.0.0.1", f"{scheme}://localhost"), 5
        )
        opened = transport.open()
        assert not isinstance(opened, Unreachable)
        assert opened.sock is not None
        assert opened.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert isinstance(opened.sock, ssl.SSLSocket) is (scheme != "smtp")
        transport.close()


# A server, or somebody in between, that talks in the clear


class InTheClear(socketserver.ThreadingTCPServer):
    """Answers by the script, without TLS, and remembers all that it hears."""

    daemon_threads = True

    def __init__(self, script: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.script = script
        self.heard = b""

    def url(self, scheme: str) -> str:
        return f"{scheme}://ada:secret@localhost:{self.server_address[1]}"


class Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, InTheClear)
        self.wfile.write(b"220 hello\r\n")
        while line := self.rfile.readline():
            self.server.heard += line
            verb = line[:4].upper().strip().decode("latin-1")
            self.wfile.write(self.server.script.get(verb, b"250 fine") + b"\r\n")


@contextmanager
def in_the_clear(**script: bytes) -> Iterator[InTheClear]:
    with InTheClear(script) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


OFFERED = b"250-hello\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ({"EHLO": b"250-hello\r\n250 AUTH PLAIN LOGIN"}, "does not offer STARTTLS"),
        ({"EHLO": b"502 what?"}, "does not offer STARTTLS"),
        ({"EHLO": OFFERED, "STAR": b"454 not now"}, "454 not now"),
        ({"EHLO": OFFERED, "STAR": b"250 as you like"}, "250 as you like"),
        ({"EHLO": OFFERED, "STAR": b"220 go\r\n250 go on in the clear"}, "SSL"),
        ({"EHLO": OFFERED, "STAR": b"220 go"}, "SSL"),
    ],
    ids=["stripped", "old", "later", "odd", "injected", "not TLS"],
)
def test_starttls_is_done_or_nothing_is_said(script: dict[str, bytes], reason: str) -> None:
    with in_the_clear(**script) as server:
        outcome = sent(server.url("smtp+starttls"))
    assert isinstance(outcome, Unreachable)
    assert reason in outcome.reply
    for said in (b"AUTH", b"MAIL", b"hello", b"secret"):
        assert said not in server.heard


def test_tls_from_the_start_is_not_talked_down() -> None:
    with in_the_clear() as server:
        assert isinstance(sent(server.url("smtps")), Unreachable)
    for said in (b"EHLO", b"AUTH", b"secret"):
        assert said not in server.heard
