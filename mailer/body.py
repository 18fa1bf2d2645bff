"""A body of a message, spliced: what many mails share is encoded once, the rest in one go.

Quoted-printable (RFC 2045, section 6.7) goes line by line, so that the encoding of whole lines,
one behind the other, is that of the whole. It encodes "=", so that no line can look like one of
our boundaries; and here none begins with a dot, which SMTP would have to double.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

# Between texts that are encoded together. No text of a mail has this sign: `readable` removes it,
# `safe_url` encodes it.
SEPARATOR = "\0\n"
_PLAIN_SEPARATOR = b"\0\r\n"
_QUOTED_SEPARATOR = b"=00\r\n"


class Lines(NamedTuple):
    """Whole lines, with CRLF, and the same lines in quoted-printable."""

    plain: bytes
    quoted: bytes


class Part(NamedTuple):
    """A part of a body: personal has, divided by SEPARATOR, a text behind each of shared; every
    text is whole lines or empty. size is that of shared, plain."""

    shared: Sequence[Lines]
    personal: str
    size: int


@dataclass(frozen=True, slots=True)
class Body:
    """A text, all of it: shared and personal lines in turn."""

    shared: Sequence[Lines]
    personal: bytes
    size: int

    def encoded(self) -> tuple[bytes, bytes]:
        """Content-Transfer-Encoding and content: quoted-printable for Latin text, base64 for most
        others, whichever is shorter. Lines have at most 76 characters."""
        personal = _quoted(self.personal).split(_QUOTED_SEPARATOR)
        quoted = _alternating([lines.quoted for lines in self.shared], personal)
        if len(quoted) < self.size * 4 // 3:
            return b"quoted-printable", quoted
        personal = self.personal.split(_PLAIN_SEPARATOR)
        plain = _alternating([lines.plain for lines in self.shared], personal)
        return b"base64", base64.encodebytes(plain).replace(b"\n", b"\r\n")


def spliced(parts: Sequence[Part]) -> Body:
    """The parts, one behind the other."""
    personal = SEPARATOR.join([part.personal for part in parts])
    plain = personal.replace("\n", "\r\n").encode()
    shared = list(chain.from_iterable([part.shared for part in parts]))
    separators = (len(shared) - 1) * len(_PLAIN_SEPARATOR)
    size = sum([part.size for part in parts]) + len(plain) - separators
    return Body(shared, plain, size)


def body(text: str) -> Body:
    """A text that nothing is spliced into."""
    lines = whole_lines(text)
    return Body([lines], b"", len(lines.plain))


def whole_lines(text: str) -> Lines:
    """The lines of a text, encoded; the last one is ended if it is not."""
    plain = (text.removesuffix("\n") + "\n").replace("\n", "\r\n").encode() if text else b""
    return Lines(plain, _quoted(plain))


def _quoted(plain: bytes) -> bytes:
    quoted = b"\n" + binascii.b2a_qp(plain, istext=True)
    while b"\n." in quoted:  # RFC 5321, section 4.5.2
        quoted = quoted.replace(b"\n.", b"\n=2E=\r\n")
    return quoted[1:]


def _alternating(shared: list[bytes], personal: list[bytes]) -> bytes:
    pieces = shared + personal
    pieces[0::2], pieces[1::2] = shared, personal
    return b"".join(pieces)
