"""DKIM signatures: RFC 6376 with rsa-sha256, RFC 8463 with ed25519-sha256, relaxed/relaxed.

Written here because dkimpy, the library for it, signs some hundred messages a second; the
mathematics is `cryptography`'s, and the tests verify with dkimpy. The same message, key and time
give the same bytes: neither signature has a random part (RFC 8017, section 8.2; RFC 8032).
"""

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from mailer.errors import MailerError

if TYPE_CHECKING:  # an optional library, loaded when there is a key
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

# RFC 8058, section 3.1 wants both headers of one-click unsubscription covered, Gmail's feedback
# loop its own.
SIGNED = (
    *("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type"),
    *("List-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"),
)
# RFC 8301, section 3.2: nobody accepts signatures by shorter keys.
SHORTEST_RSA_KEY = 1024

_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_SPACES = re.compile(rb"[ \t]+")
_SIGNATURE_LINE = 72


class DkimError(MailerError):
    """The key cannot sign; the message says why, without the key."""


@dataclass(frozen=True, slots=True)
class _Key:
    """A private key: `sign` takes the SHA-256 of what is to be signed."""

    algorithm: str
    rsa_bits: int | None
    public: bytes
    sign: Callable[[bytes], bytes]


class DkimSigner:
    """Signs messages for one domain with one key; several threads may use it."""

    def __init__(self, pem: str, selector: str, domain: str) -> None:
        """pem is a private key without a password, domain in ASCII. Raises DkimError."""
        self._key = _key(pem)
        self._selector, self._domain = selector, domain

    @property
    def rsa_bits(self) -> int | None:
        """The length of the key, if it is RSA's."""
        return self._key.rsa_bits

    @property
    def record_name(self) -> str:
        """Under which name in the DNS the public key is looked for."""
        return f"{self._selector}._domainkey.{self._domain}"

    @property
    def record(self) -> str:
        """The TXT record to publish there (RFC 6376, section 3.6.1; RFC 8463, section 4)."""
        return f"v=DKIM1; k={self._key.algorithm}; p={self.public_key}"

    @property
    def public_key(self) -> str:
        """The public key as the record has it, in base64."""
        return _base64(self._key.public)

    def sign(self, message: bytes, signed_at: datetime) -> bytes:
        """The message, all of whose lines end with CRLF, with a signature as its first header.

        signed_at is the message's own time: signing it again later gives the same bytes.
        """
        head, _, body = message.partition(b"\r\n\r\n")
        names, fields = _covered(head)
        ours = self._field(names, body, int(signed_at.timestamp()))
        signed = b"".join(fields) + _relaxed_field(ours).removesuffix(b"\r\n")
        signature = _base64(self._key.sign(hashlib.sha256(signed).digest()))
        lines = range(0, len(signature), _SIGNATURE_LINE)
        folded = "\r\n\t ".join(signature[i : i + _SIGNATURE_LINE] for i in lines)
        return ours + folded.encode("ascii") + b"\r\n" + message

    def _field(self, names: list[list[str]], body: bytes, time: int) -> bytes:
        """Our header up to where its signature comes (RFC 6376, section 3.5)."""
        listed = ":\r\n\t ".join(":".join(group) for group in names)
        body_hash = _base64(hashlib.sha256(_relaxed_body(body)).digest())
        return (
            f"DKIM-Signature: v=1; a={self._key.algorithm}-sha256; c=relaxed/relaxed;\r\n"
            f"\td={self._domain}; s={self._selector}; t={time};\r\n"
            f"\th={listed};\r\n"
            f"\tbh={body_hash};\r\n"
            "\tb="
        ).encode("ascii")


def _covered(head: bytes) -> tuple[list[list[str]], list[bytes]]:
    """The names for `h=`, the same ones together, and in their order the fields there are.

    Every name stands there once more than it occurs, so that a field of that name that somebody
    adds breaks the signature (RFC 6376, section 8.15).
    """
    there: dict[bytes, list[bytes]] = defaultdict(list)
    for field in _FIELD_END.split(head):
        relaxed = _relaxed_field(field)
        there[relaxed.partition(b":")[0]].append(relaxed)
    names: list[list[str]] = []
    fields: list[bytes] = []
    for name in SIGNED:
        found = there[name.lower().encode("ascii")]
        names.append([name] * (len(found) + 1))
        fields += reversed(found)  # section 5.4.2: from the bottom up
    return names, fields


def _relaxed_field(field: bytes) -> bytes:
    """RFC 6376, section 3.4.2."""
    name, _, value = field.partition(b":")
    unfolded = _SPACES.sub(b" ", value.replace(b"\r\n", b""))
    return name.rstrip().lower() + b":" + unfolded.strip(b" ") + b"\r\n"


def _relaxed_body(body: bytes) -> bytes:
    """RFC 6376, section 3.4.4."""
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    body = body.replace(b"\t", b" ")
    while b"  " in body:  # three times as fast as a regular expression
        body = body.replace(b"  ", b" ")
    text = body.replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def _key(pem: str) -> _Key:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise DkimError("signing needs `cryptography`: install the extra `dkim`") from error
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise DkimError("not a private key in PEM without a password") from error
    if isinstance(key, RSAPrivateKey):
        return _rsa(key)
    if isinstance(key, Ed25519PrivateKey):
        # RFC 8463, section 3: what Ed25519 signs is the hash.
        return _Key("ed25519", None, key.public_key().public_bytes_raw(), key.sign)
    raise DkimError("the key must be an RSA or an Ed25519 key")


def _rsa(key: "RSAPrivateKey") -> _Key:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if key.key_size < SHORTEST_RSA_KEY:
        raise DkimError(f"an RSA key of {key.key_size} bits is too short: make one of 2048")
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    sign = partial(key.sign, padding=PKCS1v15(), algorithm=Prehashed(SHA256()))
    return _Key("rsa", key.key_size, public, sign)


def _base64(blob: bytes) -> str:
    return base64.b64encode(blob).decode("ascii")
