"""Tokens for the links of a mail: who may do what, signed, without an address in them.

A token is base64url without padding over

    key id (1 byte) | width (1) | issued, seconds since 1970 (5) | fields (width each) | MAC (16)

with integers big-endian, and the MAC the first 16 bytes of HMAC-SHA256 (RFC 2104, section 5 allows
to truncate it to half) over the purpose and all that stands before. The purpose is in the MAC, not
in the token: a link to vote can never unsubscribe.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from mailer.errors import MailerError

LONGEST_TOKEN = 512
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_HEAD = 7
_MAC = 16
_WIDEST = 8


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says: the numbers that were signed, and when (UTC, to the second)."""

    fields: tuple[int, ...]
    issued: datetime


class LinkError(MailerError):
    """The token does not open anything."""


class BadLink(LinkError):
    """The token was not made by this installation for this purpose."""


class ExpiredLink(LinkError):
    """The token was made here for this purpose, but is too old."""

    def __init__(self, link: Link) -> None:
        super().__init__(f"This link was made on {link.issued:%Y-%m-%d} and is too old.")
        self.link = link


class Signer:
    """Signs with the first key and accepts every key, so that keys can be rotated."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or not all(keys):
            raise ValueError("Signing links needs at least one key, and none may be empty.")
        self._keys = {key: _key_id(key) for key in keys}
        self._first = keys[0]

    def sign(self, purpose: str, fields: Sequence[int], issued: datetime) -> str:
        """A token for these signed 64-bit numbers; issued is aware, not before 1970."""
        width = max(map(_width, fields), default=1)
        if width > _WIDEST:
            raise ValueError("A field of a link must fit into 64 bits.")
        head = self._keys[self._first] + bytes([width]) + _seconds(issued)
        body = head + b"".join([field.to_bytes(width, "big", signed=True) for field in fields])
        return _encoded(body + _mac(self._first, purpose, body))

    def read(self, token: str, purpose: str, now: datetime, max_age: timedelta | None) -> Link:
        """What the token says, if it was signed for this purpose and is at most max_age old.

        Raises BadLink for anything else than a token of ours, ExpiredLink (with the link) for an
        old one; max_age None means that it stays valid.
        """
        blob = _decoded(token)
        body, mac = blob[:-_MAC], blob[-_MAC:]
        if not any(
            body[:1] == key_id and hmac.compare_digest(_mac(key, purpose, body), mac)
            for key, key_id in self._keys.items()
        ):
            raise BadLink("This link is not one of ours.")
        width = body[1]
        numbers = range(_HEAD, len(body), width)
        fields = tuple(int.from_bytes(body[i : i + width], "big", signed=True) for i in numbers)
        link = Link(fields, datetime.fromtimestamp(int.from_bytes(body[2:_HEAD], "big"), UTC))
        if max_age is not None and now - link.issued > max_age:
            raise ExpiredLink(link)
        return link


def _width(number: int) -> int:
    """How many bytes a signed number needs."""
    return (number if number >= 0 else ~number).bit_length() // 8 + 1


# All links of a digest are issued in the same moment.
@lru_cache(maxsize=256)
def _seconds(issued: datetime) -> bytes:
    return int(issued.timestamp()).to_bytes(5, "big")


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"paperpost key id\0" + key).digest()[:1]


def _mac(key: bytes, purpose: str, body: bytes) -> bytes:
    name = purpose.encode()
    return hmac.digest(key, bytes([len(name)]) + name + body, "sha256")[:_MAC]


def _encoded(blob: bytes) -> str:
    return base64.urlsafe_b64encode(blob).rstrip(b"=").decode("ascii")


def _decoded(token: str) -> bytes:
    """The bytes of a token in its one canonical spelling."""
    if len(token) > LONGEST_TOKEN or not _ALPHABET.fullmatch(token):
        raise BadLink("This link is damaged.")
    try:
        blob = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except binascii.Error as error:
        raise BadLink("This link is damaged.") from error
    # The last sign has unused bits: without this, two spellings would open the same door.
    if _encoded(blob) != token or len(blob) < _HEAD + _MAC:
        raise BadLink("This link is damaged.")
    return blob
