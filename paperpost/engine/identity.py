"""Whose work it is: a worker does nothing for an installation that is not its own."""

import hashlib
import hmac
from dataclasses import dataclass, fields

from paperpost import __version__
from paperpost.service.installation import Installation
from paperpost.store.same_database import name_of_database

_WORDS = {
    "version": "another version of Paperpost",
    "database": "another database",
    "key": "another PAPERPOST_SECRET_KEY",
    "public_url": "another PAPERPOST_PUBLIC_URL",
    "sender_domain": "a PAPERPOST_FROM of another domain",
    "upvotes": "another PAPERPOST_UPVOTES",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What must be the same for two processes to compose the same digests. It travels to workers,
    so of the key it holds a keyed fingerprint alone."""

    version: str
    database: str
    key: str
    public_url: str
    sender_domain: str
    upvotes: bool

    @property
    def mark(self) -> str:
        """A short name for it."""
        return f"paperpost-{hashlib.sha256(repr(self).encode()).hexdigest()[:12]}"

    def differences(self, other: "Identity") -> list[str]:
        """What the other one has that differs, in words."""
        names = [field.name for field in fields(self)]
        return [_WORDS[name] for name in names if getattr(self, name) != getattr(other, name)]


def identity_of(installation: Installation) -> Identity:
    """The identity of an installation on PostgreSQL."""
    settings = installation.settings
    with installation.database.reading() as session:
        database = name_of_database(session)
    fingerprint = hmac.new(installation.keys[0], b"whose work it is", hashlib.sha256)
    return Identity(
        version=__version__,
        database=database,
        key=fingerprint.hexdigest()[:32],
        public_url=settings.public_url,
        sender_domain=settings.sender_domain,
        upvotes=settings.upvotes,
    )
