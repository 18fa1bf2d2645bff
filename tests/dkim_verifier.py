"""Keys to sign with, and dkimpy, which verifies as a mail server would."""

from functools import cache

import dkim  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def pem_of(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@cache
def rsa_pem() -> str:
    """An RSA key of the length that Gmail recommends."""
    return pem_of(generate_private_key(public_exponent=65537, key_size=2048))


@cache
def ed25519_pem() -> str:
    return pem_of(Ed25519PrivateKey.generate())


def verifies(message: bytes, name: str, record: str) -> bool:
    """Whether the one signature of a message is good, with this record in the DNS."""

    def published(asked: bytes, timeout: int = 5) -> bytes | None:
        return record.encode() if asked.decode().rstrip(".") == name else None

    return bool(dkim.verify(message, dnsfunc=published))
