"""The links in our mails: what each is for, how long it works, where it leads.

The purpose is part of what is signed, so that a vote link can never unsubscribe. A digest's
links hold the moment of its composing, so that composing it again gives the same bytes.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from mailer.links import BadLink, ExpiredLink, Link, LinkError, Signer

__all__ = ["BadLink", "ExpiredLink", "LinkError", "Purpose", "read", "token", "url"]


class Purpose(StrEnum):
    """What a link does; also the first part of its path."""

    VOTE = "vote"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "me"
    CONFIRM = "confirm"
    ACCESS = "access"


# None: for ever, as leaving has to be possible from any old mail (RFC 8058, section 3.1).
LASTS: dict[Purpose, timedelta | None] = {
    Purpose.VOTE: timedelta(days=180),
    Purpose.UNSUBSCRIBE: None,
    Purpose.PREFERENCES: timedelta(days=180),
    Purpose.CONFIRM: timedelta(days=7),
    Purpose.ACCESS: timedelta(hours=1),
}


def token(signer: Signer, purpose: Purpose, issued: datetime, *fields: int) -> str:
    """A signed token for one purpose; the first field is the subscriber's number."""
    return signer.sign(purpose, fields, issued)


def url(base: str, signer: Signer, purpose: Purpose, issued: datetime, *fields: int) -> str:
    """The full address of a link."""
    return f"{base}/{purpose}/{token(signer, purpose, issued, *fields)}"


def read(signer: Signer, text: str, purpose: Purpose, now: datetime) -> Link:
    """What a token says; raises BadLink, or ExpiredLink (which still tells the fields)."""
    return signer.read(text, purpose, now, LASTS[purpose])
