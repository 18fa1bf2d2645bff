import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from mailer.outcome import Accepted, Outgoing, Refused, Unknown, Unreachable
from mailer.smtp import MESSAGES_PER_CONNECTION, SmtpTransport

TIMEOUT = 5.0
MESSAGE = b"Subject: x\r\n\r\nhello\r\n.a line with a dot\r\n"


def outgoing(
    recipient: str = "ada@example.org", data: bytes = MESSAGE, sender: str = "paperpost@localhost"
) -> Outgoing:
    return Outgoing(sender, recipient, data, "1.eml")


@contextmanager
def smtp(url: str, timeout: float = TIMEOUT) -> Iterator[SmtpTransport]:
    transport = SmtpTransport(url, timeout)
    try:
        yield transport
    finally:
        transport.close()


# A server of a trusted library


class Kept(Sink):
    """Keeps what it accepts, and refuses ben for good and cleo for now."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, bytes]] = []

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("ben"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("cleo"):
            return "450 4.2.1 mailbox busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.original_content, bytes)
        self.accepted.append((envelope.rcpt_tos[0], envelope.original_content))
        return "250 kept"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(kept: Kept, **options: Any) -> Iterator[int]:
    controller = Controller(kept, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def test_a_message_arrives_as_it_was_sent() -> None:
    kept = Kept()
    with running(kept) as port, smtp(f"smtp://127.0.0.1:{port}") as transport:
        assert isinstance(transport.send(outgoing()), Accepted)
    assert kept.accepted == [("ada@example.org", MESSAGE)]


def test_a_refused_recipient_does_not_stop_the_next() -> None:
    kept = Kept()
    with running(kept) as port, smtp(f"smtp://127.0.0.1:{port}") as transport:
        for_good = transport.send(outgoing("ben@example.org"))
        for_now = transport.send(outgoing("cleo@example.org"))
        assert isinstance(transport.send(outgoing()), Accepted)
    assert for_good == Refused("RCPT: 550 5.1.1 no such mailbox", permanent=True)
    assert for_now == Refused("RCPT: 450 4.2.1 mailbox busy", permanent=False)
    assert len(kept.accepted) == 1


def test_bare_line_ends_cannot_end_the_message_early() -> None:
    kept = Kept()
    data = b"Subject: x\n\nhello\n.\nMAIL FROM:<evil@example.org>\r.\r\nend"
    with running(kept) as port, smtp(f"smtp://127.0.0.1:{port}") as transport:
        assert isinstance(transport.send(outgoing(data=data)), Accepted)
    [(_, received)] = kept.accepted
    assert received.split(b"\r\n")[3:] == [b".", b"MAIL FROM:<evil@example.org>", b".", b"end", b""]


def test_an_address_outside_of_ascii_goes_where_it_is_understood() -> None:
    kept = Kept()
    with running(kept, enable_SMTPUTF8=True) as port, smtp(f"smtp://127.0.0.1:{port}") as transport:
        assert isinstance(transport.send(outgoing("δοκιμή@example.org")), Accepted)
    assert kept.accepted[0][0] == "δοκιμή@example.org"


def authenticated(
    server: Server, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    good = isinstance(data, LoginPassword) and data.password == b"p:w/"
    return AuthResult(success=good, handled=False)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_login_is_needed_and_not_blamed_on_the_message() -> None:
    kept = Kept()
    options = {"authenticator": authenticated, "auth_required": True, "auth_require_tls": False}
    with running(kept, **options) as port:
        for login, expected in (
            ("", Unreachable),
            ("ada:x@", Unreachable),
            ("ada:p%3Aw%2F@", Accepted),
        ):
            with smtp(f"smtp://{login}127.0.0.1:{port}") as transport:
                assert isinstance(transport.send(outgoing()), expected)
    assert len(kept.accepted) == 1


# A server that fails where it is told to

GONE = b""
SILENT = b"silent"
GOOD = {
    "CONNECT": b"220 hello",
    "EHLO": b"250 hello",
    "MAIL": b"250 fine",
    "RCPT": b"250 fine",
    "DATA": b"354 go on",
    "BODY": b"go on",
    ".": b"250 taken",
    "RSET": b"250 fine",
    "QUIT": b"221 bye",
}


class Scripted(socketserver.ThreadingTCPServer):
    """Answers each command by the script, or by what it is told once; GONE cuts the connection
    there, SILENT says nothing.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, script: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.script = GOOD | script
        self.once: dict[str, bytes] = {}
        self.heard: list[str] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Scripted)
        self.server.heard.append("CONNECT")
        if not self.answer("CONNECT"):
            return
        while line := self.rfile.readline():
            verb = line[:4].decode().strip().upper()
            self.server.heard.append(verb)
            if not self.answer(verb) or verb == "QUIT":
                return
            if verb == "DATA" and not self.take_message():
                return

    def take_message(self) -> bool:
        assert isinstance(self.server, Scripted)
        if not self.server.script["DATA"].startswith(b"354"):
            return True
        if self.server.script["BODY"] == GONE:
            return False
        while self.rfile.readline() not in (b".\r\n", b""):
            pass
        self.server.heard.append(".")
        return self.answer(".")

    def answer(self, verb: str) -> bool:
        assert isinstance(self.server, Scripted)
        reply = self.server.once.pop(verb, self.server.script[verb])
        if reply == SILENT:
            self.server.over.wait(TIMEOUT)
        elif reply:
            self.wfile.write(reply + b"\r\n")
        return reply not in (GONE, SILENT) and not reply.startswith(b"421")

    def finish(self) -> None:
        # Reset instead of a goodbye, so that a client that is writing learns of it at once.
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        super().finish()


@contextmanager
def scripted(**script: bytes) -> Iterator[Scripted]:
    named = {"." if name == "END" else name: reply for name, reply in script.items()}
    with Scripted(named) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "END"])
@pytest.mark.parametrize(("reply", "permanent"), [(b"451 later", False), (b"554 never", True)])
def test_a_refusal_is_for_now_or_for_good_at_every_stage(
    stage: str, reply: bytes, permanent: bool
) -> None:
    with scripted(**{stage: reply}) as server, smtp(server.url) as transport:
        outcome = transport.send(outgoing())
        transport.send(outgoing())
    assert isinstance(outcome, Refused)
    assert outcome.permanent is permanent
    assert reply.decode() in outcome.reply
    assert server.heard.count("CONNECT") == 1, "a refusal leaves the connection usable"


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO", "MAIL"])
@pytest.mark.parametrize("reply", [GONE, b"421 closing"])
def test_no_conversation_says_nothing_about_the_message(stage: str, reply: bytes) -> None:
    with scripted(**{stage: reply}) as server, smtp(server.url) as transport:
        assert isinstance(transport.send(outgoing()), Unreachable)


def test_nobody_listening_is_unreachable() -> None:
    with smtp(f"smtp://127.0.0.1:{free_port()}") as transport:
        outcome = transport.send(outgoing())
    assert isinstance(outcome, Unreachable)
    assert "127.0.0.1" in outcome.reply


def test_a_server_that_wants_a_login_does_not_fail_the_message() -> None:
    with scripted(MAIL=b"530 5.7.0 log in") as server, smtp(server.url) as transport:
        assert isinstance(transport.send(outgoing()), Unreachable)


def test_a_server_that_wants_a_login_for_one_recipient_does_not_stop_the_others() -> None:
    with scripted(RCPT=b"530 5.7.0 log in") as server, smtp(server.url) as transport:
        outcome = transport.send(outgoing())
    assert outcome == Refused("RCPT: 530 5.7.0 log in", permanent=False)


@pytest.mark.parametrize("stage", ["RCPT", "DATA", "BODY"])
def test_a_connection_lost_before_the_final_dot_refuses_for_now(stage: str) -> None:
    large = b"Subject: x\r\n\r\n" + (b"x" * 900 + b"\r\n") * 20_000  # more than sockets buffer
    with scripted(**{stage: GONE}) as server, smtp(server.url) as transport:
        outcome = transport.send(outgoing(data=large))
    assert isinstance(outcome, Refused)
    assert not outcome.permanent
    assert "." not in server.heard


@pytest.mark.parametrize("reply", [GONE, SILENT, b"what?", b"354 go on"])
def test_a_connection_lost_after_the_final_dot_is_unknown(reply: bytes) -> None:
    with scripted(END=reply) as server, smtp(server.url, timeout=0.3) as transport:
        assert isinstance(transport.send(outgoing()), Unknown)
    assert server.heard[-1] == "."


def test_one_connection_is_reused() -> None:
    with scripted() as server, smtp(server.url) as transport:
        for _ in range(5):
            assert isinstance(transport.send(outgoing()), Accepted)
    assert server.heard.count("CONNECT") == 1
    assert server.heard[-1] == "QUIT"


def test_a_connection_is_changed_before_servers_tire_of_it() -> None:
    with scripted() as server, smtp(server.url) as transport:
        for _ in range(MESSAGES_PER_CONNECTION + 1):
            assert isinstance(transport.send(outgoing()), Accepted)
    assert server.heard.count("CONNECT") == 2


@pytest.mark.parametrize("reply", [GONE, b"421 idle too long"])
def test_a_reused_connection_that_died_is_replaced_silently(reply: bytes) -> None:
    with scripted() as server, smtp(server.url) as transport:
        assert isinstance(transport.send(outgoing()), Accepted)
        server.once["MAIL"] = reply
        assert isinstance(transport.send(outgoing()), Accepted)
    assert server.heard.count("CONNECT") == 2
    assert server.heard.count(".") == 2


def test_an_address_outside_of_ascii_needs_a_server_that_takes_it() -> None:
    with scripted() as server, smtp(server.url) as transport:
        outcome = transport.send(outgoing("δοκιμή@example.org"))
        assert isinstance(transport.send(outgoing()), Accepted)
    assert isinstance(outcome, Refused)
    assert outcome.permanent
    assert "SMTPUTF8" in outcome.reply


@pytest.mark.parametrize("address", ["a@x.org\r\nRCPT TO:<b@x.org>", "a@x.org\n", "a,b@x.org"])
def test_what_is_not_one_address_is_not_sent_to(address: str) -> None:
    with scripted() as server, smtp(server.url) as transport:
        assert isinstance(transport.send(outgoing(address)), Refused)
        assert isinstance(transport.send(outgoing(sender=address)), Refused)
    assert "RCPT" not in server.heard
