"""One message on the wire: headers by the email package, bodies as they were spliced.

`EmailMessage` writes 500 messages of a digest's size in a second; with spliced bodies there are
thousands. Headers hold what others wrote and take the safe way, unless a value is so plain that
nothing can happen to it.
"""

import hashlib
import re
from collections.abc import Mapping
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from functools import lru_cache

from mailer.body import Body

_URL_HEADERS = frozenset({"List-Unsubscribe", "List-Help", "List-Owner", "Message-ID"})
# Folding at 78 would turn a long address into encoded words, which nothing can open: RFC 5322,
# section 2.1.1 allows 998. An ASCII subject is short; folding one with a long word adds a space.
_UNFOLDED = SMTP.clone(max_line_length=998)
_UNICODE = SMTP.clone(utf8=True)
# `email` decodes an encoded word in a value and can write what was in it, line breaks included,
# into the message: a title must not bring one (CVE-2024-6923 was this).
_ENCODED_WORD = re.compile(r"=(?=\?)")

# The headers whose value is another in each mail, and what it looks like when `email` would write
# it just as it stands. All others are folded once and kept.
_WORD = r"[A-Za-z0-9_+-]+"
_PLAIN = {
    name: re.compile(pattern)
    for name, pattern in {
        "To": rf"(?=.{{3,70}}$){_WORD}(?:\.{_WORD})*@{_WORD}(?:\.{_WORD})*",
        "Message-ID": rf"(?=.{{3,200}}$)<{_WORD}(?:\.{_WORD})*@{_WORD}(?:\.{_WORD})*>",
        "List-Unsubscribe": r"(?=.{3,900}$)<https?://[A-Za-z0-9_.:/+-]+>",
    }.items()
}


def header_text(text: str) -> str:
    """Text of others, fit for a header: on one line and without encoded words."""
    return _ENCODED_WORD.sub("= ", " ".join(text.split()))


def message(headers: Mapping[str, str], text: Body, html: Body) -> bytes:
    """A multipart/alternative message with CRLF line ends; 7-bit unless To has a non-ASCII address.

    headers must have a Message-ID; the boundary is made from it, so that the same input gives the
    same bytes. Raises ValueError for a header with a line break.
    """
    digest = hashlib.sha256(headers["Message-ID"].encode()).hexdigest()
    boundary = f"=_paperpost_{digest[:32]}".encode("ascii")
    return b"".join(
        [
            *[header_line(name, value) for name, value in headers.items()],
            b"MIME-Version: 1.0\r\n",
            b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n\r\n',
            *_part(boundary, b"plain", text),
            *_part(boundary, b"html", html),
            b"--" + boundary + b"--\r\n",
        ]
    )


def header_line(name: str, value: str) -> bytes:
    """A header as it is sent, folded if it has to be; ValueError for one with a line break."""
    plain = _PLAIN.get(name)
    if plain is None:
        return _kept(name, value)
    return f"{name}: {value}\r\n".encode() if plain.fullmatch(value) else _folded(name, value)


# Most headers are the same in every digest of a day, and folding one takes 0.1 ms.
@lru_cache(maxsize=1024)
def _kept(name: str, value: str) -> bytes:
    return _folded(name, value)


def _folded(name: str, value: str) -> bytes:
    if len(value.splitlines()) > 1 or value != value.rstrip("\r\n"):  # `email` lets the last pass
        raise ValueError(f"The header {name} may not have a line break.")
    policy = _policy(name, value)
    parsed = policy.header_store_parse(name, value)
    if name == "Subject" and not value.isascii():
        # `email` loses or doubles the space between a plain word and an encoded one.
        encoded = Header(value, "utf-8", header_name=name).encode(linesep="\r\n")
        return f"{name}: {encoded}\r\n".encode("ascii")
    return policy.fold_binary(*parsed)


def _policy(name: str, value: str) -> "EmailPolicy[EmailMessage]":
    if name in _URL_HEADERS or name == "Subject":
        return _UNFOLDED
    # RFC 6532: an address outside of ASCII cannot be encoded, only written as it is.
    return _UNICODE if name == "To" and not value.isascii() else SMTP


def _part(boundary: bytes, subtype: bytes, body: Body) -> list[bytes]:
    encoding, content = body.encoded()
    return [
        b"--" + boundary + b"\r\nContent-Type: text/" + subtype + b"; charset=utf-8\r\n",
        b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n",
        content,
    ]
