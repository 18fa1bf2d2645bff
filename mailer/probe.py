"""A look at the mail server: the way to it is the one that mails take, and none is sent."""

import ssl
from dataclasses import dataclass

from mailer.outcome import Unreachable
from mailer.smtp import SmtpTransport


@dataclass(frozen=True, slots=True)
class Welcome:
    """A server that would take mail from us: the TLS version (None in the clear), and the names of
    the extensions it offers, in capitals."""

    tls: str | None
    extensions: tuple[str, ...]


def probe(smtp_url: str, timeout: float) -> Welcome | Unreachable:
    """Connect, encrypt and log in as the URL asks; timeout is of one wait, in seconds.

    Raises TransportError for a URL that cannot be used.
    """
    transport = SmtpTransport(smtp_url, timeout)
    try:
        opened = transport.open()
        if isinstance(opened, Unreachable):
            return opened
        tls = opened.sock.version() if isinstance(opened.sock, ssl.SSLSocket) else None
        return Welcome(tls, tuple(sorted(name.upper() for name in opened.esmtp_features)))
    finally:
        transport.close()
