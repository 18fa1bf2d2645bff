"""SMTP as a client: one connection, reused, whose failures are told apart by when they happen.

    connect, TLS, login       failed: Unreachable, nothing is known about any message
    MAIL, RCPT, DATA, body    4yz or lost: Refused for now; 5yz: Refused for good
    the final dot             2yz Accepted, 4yz and 5yz as above; lost: Unknown (RFC 1047)

`smtplib.SMTP.sendmail` does not tell the last two lines apart, so the commands are given one by
one, or at once where the server offers it. What was asked for is never downgraded: no STARTTLS
means no mail.
"""

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import Literal
from urllib.parse import unquote, urlsplit

from mailer.errors import MailerError
from mailer.outcome import Accepted, Outcome, Outgoing, Refused, Unknown, Unreachable

# Servers cut long connections, each at its own number; this one stays below all that are known.
MESSAGES_PER_CONNECTION = 100
# How many times longer than for any other answer to wait for the one to the whole message: ten
# minutes rather than one (RFC 5321, section 4.5.3.2.6).
PATIENCE_AFTER_THE_DOT = 10

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
# RFC 5321, section 4.1.2, without quoted local parts and address literals.
_ONE_ADDRESS = re.compile(r"""[^\s<>,;:\\"@\x00-\x1f\x7f]+@[^\s<>,;:\\"@\x00-\x1f\x7f]+""")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"(?m)^\.")
# RFC 4954, section 6, and RFC 3207, section 4: "log in first", "use TLS first". They are about the
# settings, and must not make every message of the day a permanent failure.
_NOT_ALLOWED_YET = 530
_CLOSING = 421
_SEND_IT = 354
# Every error of smtplib is an OSError, as are those of sockets, TLS and name servers.
_LOST = OSError

Security = Literal["smtp", "smtp+starttls", "smtps"]


class TransportError(MailerError):
    """The URL of the mail server cannot be used; the message says why, without the password."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where and how to connect; login is user and password, or None."""

    security: Security
    host: str
    port: int
    login: tuple[str, str] | None = field(repr=False)


def parse_smtp_url(url: str) -> SmtpServer:
    """`smtp://`, `smtp+starttls://` or `smtps://`, then `[user:pass@]host[:port]`.

    User and password are percent-encoded. Raises TransportError.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise TransportError("The SMTP URL has a bad host or port.") from error
    security = _security(parts.scheme)
    if not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise TransportError(f"The SMTP URL must be {security}://[user:password@]host[:port].")
    login = _login(parts.username, parts.password)
    if login and security == "smtp" and not _is_loopback(host):
        raise TransportError(
            f"A password is not sent to {host} in the clear: use smtp+starttls:// or smtps://."
        )
    return SmtpServer(security, host, port or _PORTS[security], login)


class SmtpTransport:
    """Hands messages to one mail server over one connection; timeout is of one wait, in seconds."""

    def __init__(self, url: str, timeout: float) -> None:
        self._server = parse_smtp_url(url)
        self._timeout = timeout
        self._connection: smtplib.SMTP | None = None
        self._sent = 0

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand over the message; connects first if needed, or if the old connection is dead."""
        if self._sent >= MESSAGES_PER_CONNECTION:
            self.close()
        reused = self._connection is not None
        outcome = self._try(outgoing)
        if reused and isinstance(outcome, Unreachable):
            outcome = self._try(outgoing)
        return outcome

    def open(self) -> smtplib.SMTP | Unreachable:
        """The connection, greeted, encrypted and logged in as the URL asks."""
        try:
            self._connection = self._connection or _connected(self._server, self._timeout)
        except (OSError, UnicodeError) as error:
            return Unreachable(f"{self._server.host}:{self._server.port}: {_reason(error)}")
        return self._connection

    def close(self) -> None:
        """Say goodbye, if anybody still listens."""
        connection, self._connection, self._sent = self._connection, None, 0
        if connection is None:
            return
        try:
            connection.quit()
        except OSError:
            connection.close()

    def _try(self, outgoing: Outgoing) -> Outcome:
        connection = self.open()
        if isinstance(connection, Unreachable):
            return connection
        self._sent += 1
        outcome, usable = _transaction(connection, outgoing)
        if not usable:
            self._drop()
        return outcome

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection, self._sent = None, 0


def _transaction(connection: smtplib.SMTP, outgoing: Outgoing) -> tuple[Outcome, bool]:
    """One message over an open connection, and whether the connection can take another."""
    for address in (outgoing.sender, outgoing.recipient):
        # smtplib would quietly send to what it can make of "a, b@x.org" or of a line break; what
        # exactly differs between versions of Python.
        if not _ONE_ADDRESS.fullmatch(address):
            return Refused(f"not an address: {address[:80]!r}", permanent=True), True
    data = _with_line_ends(outgoing.data)
    try:
        options = _mail_options(connection, outgoing, data)
    except smtplib.SMTPNotSupportedError as error:
        return Refused(str(error), permanent=True), True
    envelope = _envelope_at_once if connection.has_extn("pipelining") else _envelope
    try:
        refused = envelope(connection, outgoing, options)
        if refused is not None:
            return refused
        connection.send(_with_dots_doubled(data))
    except _LOST as error:
        return Refused(f"connection lost before the end: {_reason(error)}", permanent=False), False
    return _final_dot(connection)


def _envelope(
    connection: smtplib.SMTP, outgoing: Outgoing, options: list[str]
) -> tuple[Outcome, bool] | None:
    """MAIL, RCPT and DATA; None when the server waits for the message."""
    try:
        code, reply = connection.mail(outgoing.sender, options)
    except _LOST as error:
        # Nothing of this message was said yet: whatever happened is the connection's affair.
        return Unreachable(f"connection lost: {_reason(error)}"), False
    if code == _CLOSING:
        return Unreachable(_said(code, reply)), False
    if code // 100 != 2:
        return _refused(connection, "MAIL", code, reply)
    code, reply = connection.rcpt(outgoing.recipient)
    if code // 100 != 2:
        return _refused(connection, "RCPT", code, reply)
    code, reply = connection.docmd("DATA")
    return None if code == _SEND_IT else _refused(connection, "DATA", code, reply)


def _envelope_at_once(
    connection: smtplib.SMTP, outgoing: Outgoing, options: list[str]
) -> tuple[Outcome, bool] | None:
    """The same in one round trip, for servers that offer it (RFC 2920)."""
    words = " ".join([f"MAIL FROM:{smtplib.quoteaddr(outgoing.sender)}", *options])
    recipient = smtplib.quoteaddr(outgoing.recipient)
    try:
        connection.send(f"{words}\r\nRCPT TO:{recipient}\r\nDATA\r\n".encode())
        code, reply = connection.getreply()
    except _LOST as error:
        return Unreachable(f"connection lost: {_reason(error)}"), False
    if code == _CLOSING:
        return Unreachable(_said(code, reply)), False
    refused = None if code // 100 == 2 else ("MAIL", code, reply)
    for command, good in (("RCPT", 2), ("DATA", 3)):
        if code != _CLOSING:
            code, reply = connection.getreply()
            if refused is None and code // 100 != good:
                refused = command, code, reply
    if refused is None:
        return None
    if code == _SEND_IT:  # section 3.1: it waits for a message that nobody is to get
        connection.send(b".\r\n")
        connection.getreply()
    return _refused(connection, *refused)


def _final_dot(connection: smtplib.SMTP) -> tuple[Outcome, bool]:
    """From here on the server may have the message, whatever is heard of it."""
    try:
        connection.send(b".\r\n")
        code, reply = _patiently(connection)
    except _LOST as error:
        return Unknown(f"no answer to the whole message: {_reason(error)}"), False
    said = _said(code, reply)
    match code // 100:
        case 2:
            return Accepted(said), True
        case 4 | 5:
            return Refused(said, permanent=code // 100 == 5), code != _CLOSING
    return Unknown(f"an answer that is none: {said}"), False


def _patiently(connection: smtplib.SMTP) -> tuple[int, bytes]:
    """The answer to the whole message, for which a server that looks through it may take long:
    whoever gives up too early sends it twice."""
    if connection.sock is None:
        raise smtplib.SMTPServerDisconnected("not connected")
    patience = connection.sock.gettimeout()
    connection.sock.settimeout(patience and PATIENCE_AFTER_THE_DOT * patience)
    try:
        return connection.getreply()
    finally:
        if connection.sock is not None:
            connection.sock.settimeout(patience)


def _refused(
    connection: smtplib.SMTP, command: str, code: int, reply: bytes
) -> tuple[Outcome, bool]:
    """The server's no, and the transaction reset so that the next message starts clean."""
    if code == _NOT_ALLOWED_YET and command == "MAIL":
        return Unreachable(_said(code, reply)), False
    for_good = code // 100 == 5 and code != _NOT_ALLOWED_YET
    outcome = Refused(f"{command}: {_said(code, reply)}", permanent=for_good)
    if code == _CLOSING:
        return outcome, False
    try:
        return outcome, connection.rset()[0] // 100 == 2
    except _LOST:
        return outcome, False


def _with_line_ends(data: bytes) -> bytes:
    """Every line ended by CRLF, the last one too."""
    pairs = data.count(b"\r\n")
    if not pairs == data.count(b"\r") == data.count(b"\n"):  # counting is fast, replacing is not
        data = _LINE_END.sub(b"\r\n", data)
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def _with_dots_doubled(data: bytes) -> bytes:
    """A line with nothing but a dot would end the message (RFC 5321, section 4.5.2)."""
    return _LEADING_DOT.sub(b"..", data) if data.startswith(b".") or b"\n." in data else data


def _mail_options(connection: smtplib.SMTP, outgoing: Outgoing, data: bytes) -> list[str]:
    """What the server must know beforehand (RFC 1870, 6152, 6531).

    Raises SMTPNotSupportedError if it cannot take an address outside of ASCII.
    """
    options = [f"size={len(data)}"] if connection.has_extn("size") else []
    if not data.isascii() and connection.has_extn("8bitmime"):
        options.append("BODY=8BITMIME")
    head = data.partition(b"\r\n\r\n")[0]
    if not (outgoing.sender + outgoing.recipient).isascii() or not head.isascii():
        if not connection.has_extn("smtputf8"):
            raise smtplib.SMTPNotSupportedError(
                f"the mail server does not offer SMTPUTF8, which {outgoing.recipient} needs"
            )
        options.append("SMTPUTF8")
    return options


def _connected(server: SmtpServer, timeout: float) -> smtplib.SMTP:
    """A connection ready for MAIL: greeted, encrypted if asked for, logged in."""
    connection: smtplib.SMTP
    if server.security == "smtps":
        connection = smtplib.SMTP_SSL(
            server.host, server.port, _own_name(), timeout=timeout, context=_tls()
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, _own_name(), timeout=timeout)
    try:
        _prepare(connection, server)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: smtplib.SMTP, server: SmtpServer) -> None:
    if connection.sock:
        # Without it, Nagle's algorithm waits for the peer's delayed acknowledgement in each
        # message: measured 17 times slower over TLS.
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.ehlo_or_helo_if_needed()
    if server.security == "smtp+starttls":
        if not connection.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError(
                "the server does not offer STARTTLS, and no mail is sent to it in the clear"
            )
        connection.starttls(context=_tls())
        connection.ehlo_or_helo_if_needed()
    if server.login:
        connection.login(*server.login)


def _tls() -> ssl.SSLContext:
    """Checks the certificate and the name in it, which smtplib's own default does not."""
    return ssl.create_default_context()


def _security(scheme: str) -> Security:
    match scheme:
        case "smtp" | "smtp+starttls" | "smtps":
            return scheme
    raise TransportError("The SMTP URL must begin with smtp://, smtp+starttls:// or smtps://.")


def _login(user: str | None, password: str | None) -> tuple[str, str] | None:
    if not user and not password:
        return None
    if not user or not password:
        raise TransportError("The SMTP URL needs both a user and a password, or neither.")
    login = unquote(user), unquote(password)
    if not "".join(login).isascii():  # smtplib cannot send it, and would quote it in its error
        raise TransportError("The user and the password of the SMTP URL must be ASCII.")
    return login


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@cache
def _own_name() -> str:
    """How this machine greets. Not socket.getfqdn(), which can wait long for a name server."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _said(code: int, reply: bytes) -> str:
    return f"{code} {' '.join(reply.decode('utf-8', 'replace').split())}"[:500]


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        reply = error.smtp_error
        return _said(error.smtp_code, reply if isinstance(reply, bytes) else str(reply).encode())
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    return (" ".join(str(error).split()) or type(error).__name__)[:500]
