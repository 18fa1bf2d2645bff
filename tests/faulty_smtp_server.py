"""A real SMTP server that goes wrong where it is told to, and right everywhere else."""

import socket
import socketserver
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes

GOOD = {
    "CONNECT": b"220 hello",
    "STARTTLS": b"454 no",
    "AUTH": b"235 welcome",
    "MAIL": b"250 fine",
    "RCPT": b"250 fine",
    "DATA": b"354 go on",
    "END": b"250 taken",
    "RSET": b"250 fine",
    "NOOP": b"250 fine",
    "QUIT": b"221 bye",
}
GONE = b""
# Nothing is said until the test is over: the client has to lose its patience.
SILENCE = b"silence"


@dataclass(frozen=True)
class Fault:
    """What happens at one place of a conversation: CONNECT, a command, BODY (in the middle of the
    message) or END (after it). `taken`: the message counts as accepted whatever is said;
    `then_gone` cuts the connection after the reply."""

    at: str
    reply: bytes = GONE
    taken: bool = False
    then_gone: bool = False


@dataclass
class Server:
    """What the server does, and what it has seen; recipients are told by their address.

    `everywhere` is the fault of every connection, `once` the fault of the first that comes by, `of`
    those of single recipients. `accepted` has recipient and Message-ID of each message taken,
    `heard` how often each place was reached, `most_at_once` how many messages to a domain were on
    their way together; each takes at least `latency` seconds.
    """

    everywhere: Fault | None = None
    once: Fault | None = None
    of: dict[str, Fault] = field(default_factory=dict)
    offers: tuple[str, ...] = ()
    accepted: list[tuple[str, str]] = field(default_factory=list)
    heard: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)
    latency: float = 0.0
    address: str = ""
    over: threading.Event = field(default_factory=threading.Event)
    _open: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, scheme: str = "smtp", login: str = "") -> str:
        """Where to send."""
        return f"{scheme}://{login}{self.address}"

    def heal(self) -> None:
        """Everything is right from now on."""
        self.everywhere, self.once, self.of = None, None, {}

    def fault(self, at: str, recipient: str) -> Fault | None:
        """What goes wrong here, if anything does."""
        with self._lock:
            self.heard[at] += 1
            if self.once is not None and self.once.at == at:
                found, self.once = self.once, None
                return found
        return next(
            (one for one in (self.everywhere, self.of.get(recipient)) if one and one.at == at), None
        )

    def accept(self, recipient: str, message: bytes) -> None:
        """Take the responsibility for a message."""
        with self._lock:
            self.accepted.append((recipient, message_from_bytes(message)["Message-ID"]))

    @contextmanager
    def transaction(self, recipient: str) -> Iterator[None]:
        """Count how many messages to a domain are on their way at once."""
        domain = recipient.rpartition("@")[2]
        with self._lock:
            self._open[domain] += 1
            self.most_at_once[domain] = max(self.most_at_once[domain], self._open[domain])
        try:
            self.over.wait(self.latency)
            yield
        finally:
            with self._lock:
                self._open[domain] -= 1


class _Gone(Exception):
    """The connection is cut."""


class _Conversation(socketserver.StreamRequestHandler):
    recipient = ""
    was_refused = False
    waits_for_message = False

    @property
    def _server(self) -> Server:
        assert isinstance(self.server, _Listener)
        return self.server.behaviour

    def handle(self) -> None:
        try:
            self._answer("CONNECT")
            while line := self.rfile.readline():
                verb = line[:4].decode("ascii").upper().strip()
                self._obey("STARTTLS" if verb == "STAR" else verb, line)
        except (_Gone, OSError):
            return

    def _obey(self, verb: str, line: bytes) -> None:
        if verb in ("EHLO", "HELO"):
            self._greet()
            return
        if verb == "RCPT":
            self.recipient = line.partition(b"<")[2].partition(b">")[0].decode("ascii")
        self._answer(verb)
        if verb == "DATA" and self.waits_for_message:
            with self._server.transaction(self.recipient):
                self._take()
        if verb == "QUIT":
            raise _Gone

    def _greet(self) -> None:
        if self._server.fault("EHLO", ""):
            raise _Gone
        lines = ("hello", *self._server.offers)
        signs = ["-"] * (len(lines) - 1) + [" "]
        self.wfile.write(
            b"".join(f"250{sign}{one}\r\n".encode() for sign, one in zip(signs, lines, strict=True))
        )

    def _take(self) -> None:
        if self._server.fault("BODY", self.recipient):
            raise _Gone
        message = b""
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            message += line
        fault = self._server.fault("END", self.recipient)
        if fault is None or fault.taken:
            self._server.accept(self.recipient, message)
        self._say("END", fault)

    def _answer(self, at: str) -> None:
        self._say(at, self._server.fault(at, self.recipient))

    def _say(self, at: str, fault: Fault | None) -> None:
        reply = fault.reply if fault else GOOD.get(at, b"500 what?")
        if at == "DATA" and self.was_refused:
            reply = b"503 5.5.1 nobody to send it to"
        if at in ("MAIL", "RCPT"):
            self.was_refused = not reply.startswith(b"2") or (at == "RCPT" and self.was_refused)
        if reply == SILENCE:
            self._server.over.wait()
        if reply in (GONE, SILENCE):
            raise _Gone
        self.waits_for_message = at == "DATA" and reply.startswith(b"354")
        self.wfile.write(reply + b"\r\n")
        if reply.startswith(b"421") or (fault and fault.then_gone):
            raise _Gone

    def finish(self) -> None:
        # Reset instead of a goodbye, so that a client that is writing learns of it at once.
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        super().finish()


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, behaviour: Server) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.behaviour = behaviour


@contextmanager
def faulty_smtp_server() -> Iterator[Server]:
    """A server on a free port for as long as this lasts; it starts without a fault."""
    behaviour = Server()
    with _Listener(behaviour) as listener:
        behaviour.address = f"127.0.0.1:{listener.server_address[1]}"
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield behaviour
        finally:
            behaviour.over.set()
            listener.shutdown()
            thread.join()
