"""A certificate authority of our own, and servers' certificates, good and bad."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """Issues certificates into a folder; who trusts `file` trusts them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = generate_private_key(SECP256R1())
        self.file = folder / "authority.pem"
        own = _Request("authority.example", self._key, is_authority=True)
        self.file.write_bytes(_issued(own, own, days=1).public_bytes(Encoding.PEM))

    def server(self, name: str, *, days: int = 1, trusted: bool = True) -> ssl.SSLContext:
        """A server's context with a certificate for `name`, good for so many days from now: a
        negative number is one that has expired. One that is not `trusted` is self-signed."""
        wanted = _Request(name, generate_private_key(SECP256R1()))
        issuer = _Request("authority.example", self._key) if trusted else wanted
        file = self._folder / f"{name}{days}{trusted}.pem"
        secret = wanted.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(secret + _issued(wanted, issuer, days).public_bytes(Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


@dataclass(frozen=True)
class _Request:
    name: str
    key: EllipticCurvePrivateKey
    is_authority: bool = False

    @property
    def subject(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])


def _issued(wanted: _Request, issuer: _Request, days: int) -> x509.Certificate:
    end = datetime.now(UTC) + timedelta(days=days)
    public = wanted.key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(wanted.subject)
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=30))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(wanted.name)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=wanted.is_authority, path_length=None), True)
        .add_extension(_usage(wanted.is_authority), critical=True)
    )
    return builder.sign(issuer.key, SHA256())


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
