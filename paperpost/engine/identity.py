"""Whose work it is: a worker does nothing for an installation that is not its own."""

import hashlib
import hmac
from dataclasses import dataclass

from mailer.compose import TEMPLATE_VERSION
from paperpost import __version__
from paperpost.service.installation import Installation
from paperpost.store.same_database import name_of_database


@dataclass(frozen=True, slots=True)
class Identity:
    """What must be the same for two processes to compose the same digests: values by what is said
    of who has another one.

    It travels to workers, so it holds nothing secret: of the key a keyed fingerprint, and of the
    sources, whose addresses may have passwords, a hash.
    """

    parts: tuple[tuple[str, str], ...]

    @property
    def mark(self) -> str:
        """A short name for it."""
        return f"paperpost-{_hash(repr(self.parts))[:12]}"

    def differences(self, other: "Identity") -> list[str]:
        """What the other one has that differs, in words."""
        others = dict(other.parts)
        return [words for words, value in self.parts if others.get(words) != value]


def identity_of(installation: Installation) -> Identity:
    """The identity of an installation on PostgreSQL: its code, its database, and every setting that
    ranking and composing read."""
    # Not before a worker has said how many threads numpy is to take.
    from recommender.blend import BLEND
    from recommender.snapshot import FORMAT

    settings = installation.settings
    with installation.database.reading() as session:
        database = name_of_database(session)
    fingerprint = hmac.new(installation.keys[0], b"whose work it is", hashlib.sha256)
    parts = {
        "another version of Paperpost": __version__,
        "tables of another version": installation.database.head(),
        "another way of ranking": BLEND,
        "another format of model snapshots": FORMAT,
        "other templates of mails": TEMPLATE_VERSION,
        "another database": database,
        "another PAPERPOST_SECRET_KEY": fingerprint.hexdigest()[:32],
        "another PAPERPOST_PUBLIC_URL": settings.public_url,
        "a PAPERPOST_FROM of another domain": settings.sender_domain,
        "another PAPERPOST_UPVOTES": settings.upvotes,
        "another PAPERPOST_SOURCES": _hash(repr(settings.sources)),
    }
    return Identity(tuple((words, str(value)) for words, value in parts.items()))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
