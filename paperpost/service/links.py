"""The links in our mails: what each is for, how long it works, where it leads.

The purpose is part of what is signed, so that a vote link can never unsubscribe. A digest's
links hold the moment of its composing, so that composing it again gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlmodel import Session

from mailer.links import BadLink, ExpiredLink, Link, LinkError, Signer
from paperpost.store import subscribers
from paperpost.store.tables import Subscriber

if TYPE_CHECKING:
    from paperpost.service.installation import Installation

__all__ = [
    "BadLink",
    "ExpiredLink",
    "LinkError",
    "Purpose",
    "Signed",
    "issued",
    "lasting_token",
    "operator_url",
    "owner",
    "read",
    "require_operator",
    "signed_for",
    "token",
    "url",
]


class Purpose(StrEnum):
    """What a link does; also the first part of its path."""

    VOTE = "vote"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "me"
    CONFIRM = "confirm"
    ACCESS = "access"
    FEED = "feed"
    API = "api"
    SESSION = "session"
    OPERATOR = "operator"


# None: for ever, as leaving has to be possible from any old mail (RFC 8058, section 3.1), and a
# feed or a script that stops in silence is missed by nobody. Whoever wants these to end renews
# their links (Subscriber.links_from).
LASTS: dict[Purpose, timedelta | None] = {
    Purpose.VOTE: timedelta(days=180),
    Purpose.UNSUBSCRIBE: None,
    Purpose.PREFERENCES: timedelta(days=180),
    Purpose.CONFIRM: timedelta(days=7),
    Purpose.ACCESS: timedelta(hours=1),
    Purpose.FEED: None,
    Purpose.API: None,
    Purpose.SESSION: timedelta(days=180),
    Purpose.OPERATOR: timedelta(days=90),
}


def token(signer: Signer, purpose: Purpose, issued: datetime, *fields: int) -> str:
    """A signed token for one purpose; the first field is the subscriber's number."""
    return signer.sign(purpose, fields, issued)


def issued(made: datetime, person: Subscriber) -> datetime:
    """When the links of something that was made then are said to be issued: those of a mail that
    waited, or is sent again, while its reader renewed their links open something nonetheless."""
    return made if person.links_from is None else max(made, person.links_from)


def lasting_token(signer: Signer, purpose: Purpose, person: Subscriber) -> str:
    """A subscriber's token that is the same whenever it is shown, until they renew their links."""
    return token(signer, purpose, issued(person.joined_at, person), subscribers.id_of(person))


def url(base: str, signer: Signer, purpose: Purpose, issued: datetime, *fields: int) -> str:
    """The full address of a link."""
    return f"{base}/{purpose}/{token(signer, purpose, issued, *fields)}"


def read(signer: Signer, text: str, purpose: Purpose, now: datetime) -> Link:
    """What a token says; raises BadLink, or ExpiredLink (which still tells the fields)."""
    return signer.read(text, purpose, now, LASTS[purpose])


@dataclass(frozen=True, slots=True)
class Signed:
    """What the signature of a token says: for what and for whom it was made."""

    purpose: Purpose
    number: int


def signed_for(
    installation: Installation, text: str, purposes: Collection[Purpose]
) -> Signed | None:
    """For which of these purposes a token was signed here, and for which subscriber, however old
    it is and whether or not it opens anything; None for what is no such token."""
    for purpose in purposes:
        try:
            link = installation.signer.read(text, purpose, installation.clock(), None)
        except BadLink:
            continue
        return Signed(purpose, link.fields[0])
    return None


def owner(
    installation: Installation, session: Session, text: str, purpose: Purpose
) -> tuple[Subscriber, Link]:
    """Whose link this is, and what it says. Raises BadLink, also where they are no longer stored,
    and ExpiredLink, also where they renewed their links since."""
    link = read(installation.signer, text, purpose, installation.clock())
    person = subscribers.by_id(session, link.fields[:1]).get(link.fields[0])
    if person is None:
        raise BadLink("Whoever this link belonged to is no longer stored.")
    if person.links_from is not None and link.issued < person.links_from:
        raise ExpiredLink(link)
    return person, link


def operator_url(installation: Installation, issued: datetime) -> str:
    """The address of the operator's page."""
    base, signer = installation.settings.public_url, _operators_signer(installation)
    return url(base, signer, Purpose.OPERATOR, issued, 0)


def require_operator(installation: Installation, text: str) -> None:
    """Let the operator in, and nobody else. Raises LinkError."""
    read(_operators_signer(installation), text, Purpose.OPERATOR, installation.clock())


def _operators_signer(installation: Installation) -> Signer:
    """The first key alone counts: a new one before it ends the operator's links, and leaves those
    in subscribers' mails as they are."""
    return Signer(installation.keys[:1])
