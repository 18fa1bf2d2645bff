"""Envelope senders that say which delivery came back (VERP), signed so that nobody makes one up.

    local+TOKEN@domain        for the mail that is sent from PAPERPOST_BOUNCES=local@domain

TOKEN is 32 letters and digits: base32 (RFC 4648, section 6; in lower case, for mail servers may
change the case of a local part) over

    delivery (4 bytes) | subscriber (4) | day it was made, since 1970 (2) | MAC (10)

with integers big-endian, and the MAC the first 80 bits of HMAC-SHA256 over a purpose of its own and
the ten bytes before: as few as RFC 2104, section 5, allows, because a local part has 64 octets at
most (RFC 5321, section 4.5.3.1.1), and a guess costs its maker a mail. The subscriber stands in it
because a database may give a deleted delivery's number away again, but never a subscriber's.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from mailer.errors import MailerError

# Mail servers give up after five days; what comes later than this is no bounce.
LASTS = timedelta(days=30)
TOKEN_LENGTH = 32
LONGEST_LOCAL_PART = 64 - len("+") - TOKEN_LENGTH

_PURPOSE = b"\x06bounce"  # as in mailer/links.py: no other token can pass for one of these
_BODY = 10
_EPOCH = date(1970, 1, 1)


class BadMark(MailerError):
    """A token that was not made here, or too long ago."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What an envelope sender says: the numbers of a delivery and of whom it went to."""

    delivery: int
    subscriber: int


def envelope_sender(address: str, key: bytes, mark: Mark, made: datetime) -> str:
    """The envelope sender of one delivery; made is aware, and the same gives the same."""
    local, _, domain = address.rpartition("@")
    day = (made.astimezone(UTC).date() - _EPOCH).days
    body = b"".join(
        number.to_bytes(width, "big")
        for number, width in ((mark.delivery, 4), (mark.subscriber, 4), (day, 2))
    )
    token = base64.b32encode(body + _mac(key, body)).decode("ascii").lower()
    return f"{local}+{token}@{domain}"


def read_mark(token: str, keys: Sequence[bytes], now: datetime) -> Mark:
    """What a token says that was signed with one of the keys; raises BadMark."""
    try:
        blob = base64.b32decode(token.upper())
    except (binascii.Error, ValueError) as error:
        raise BadMark("its address is damaged") from error
    body, mac = blob[:_BODY], blob[_BODY:]
    if not any(hmac.compare_digest(_mac(key, body), mac) for key in keys):
        raise BadMark("its address was not made here")
    made = _EPOCH + timedelta(days=int.from_bytes(body[8:], "big"))
    if now.astimezone(UTC).date() - made > LASTS:
        raise BadMark(f"its address was made on {made} and is too old")
    return Mark(int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"))


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + body, "sha256")[:_BODY]
