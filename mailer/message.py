"""One message on the wire: headers by the email package, bodies encoded once.

`EmailMessage` writes 500 messages of a digest's size in a second, the same headers with spliced
bodies thousands: the headers hold what others wrote and take the safe way, the bodies are encoded
so that no line of theirs can look like a header or a boundary.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from functools import lru_cache

_URL_HEADERS = frozenset({"List-Unsubscribe", "List-Owner", "Message-ID"})
# Folding at 78 would turn a long address into encoded words, which nothing can open: RFC 5322,
# section 2.1.1 allows 998. An ASCII subject is short; folding one with a long word adds a space.
_UNFOLDED = SMTP.clone(max_line_length=998)
_UNICODE = SMTP.clone(utf8=True)
# `email` decodes an encoded word in a value and can write what was in it, line breaks included,
# into the message: a title must not bring one (CVE-2024-6923 was this).
_ENCODED_WORD = re.compile(r"=(?=\?)")


def header_text(text: str) -> str:
    """Text of others, fit for a header: on one line and without encoded words."""
    return _ENCODED_WORD.sub("= ", " ".join(text.split()))


def message(headers: Mapping[str, str], text: str, html: str) -> bytes:
    """A multipart/alternative message with CRLF line ends; 7-bit unless To has a non-ASCII address.

    headers must have a Message-ID; the boundary is made from it, so that the same input gives the
    same bytes. Raises ValueError for a header with a line break.
    """
    digest = hashlib.sha256(headers["Message-ID"].encode()).hexdigest()
    boundary = f"=_paperpost_{digest[:32]}"
    head = b"".join(_folded(name, value) for name, value in headers.items())
    return b"\r\n".join(
        [
            head + b"MIME-Version: 1.0",
            f'Content-Type: multipart/alternative; boundary="{boundary}"'.encode("ascii"),
            b"",
            *_part(boundary, "plain", text),
            *_part(boundary, "html", html),
            f"--{boundary}--".encode("ascii"),
            b"",
        ]
    )


# Most headers are the same in every digest of a day, and folding one takes 0.1 ms.
@lru_cache(maxsize=256)
def _folded(name: str, value: str) -> bytes:
    policy = _policy(name, value)
    return policy.fold_binary(*policy.header_store_parse(name, value))


def _policy(name: str, value: str) -> "EmailPolicy[EmailMessage]":
    if name in _URL_HEADERS or (name == "Subject" and value.isascii()):
        return _UNFOLDED
    # RFC 6532: an address outside of ASCII cannot be encoded, only written as it is.
    return _UNICODE if name == "To" and not value.isascii() else SMTP


def _part(boundary: str, subtype: str, body: str) -> list[bytes]:
    encoding, encoded = _encoded(body.replace("\n", "\r\n").encode())
    return [
        f"--{boundary}".encode("ascii"),
        f"Content-Type: text/{subtype}; charset=utf-8".encode("ascii"),
        f"Content-Transfer-Encoding: {encoding}".encode("ascii"),
        b"",
        encoded,
    ]


def _encoded(body: bytes) -> tuple[str, bytes]:
    """The shorter of the two encodings of RFC 2045: quoted-printable for Latin text, base64 for
    most others. Both keep every line of the message under 78 bytes.
    """
    quoted = binascii.b2a_qp(body, istext=True)
    if len(quoted) < len(body) * 4 // 3:
        return "quoted-printable", quoted
    return "base64", base64.encodebytes(body).replace(b"\n", b"\r\n").rstrip(b"\r\n")
