"""The tokens that programs show instead of following links: one that lasts, for all but export and
deletion, and the one of a link that was mailed fresh, for these too."""

from dataclasses import dataclass

from paperpost.service import account, links
from paperpost.service.installation import Installation
from paperpost.service.links import BadLink, Purpose
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber


@dataclass(frozen=True, slots=True)
class Holder:
    """Who shows a token, and the purpose that it was signed for: API or ACCESS."""

    token: str
    door: Purpose
    person: Subscriber

    @property
    def number(self) -> int:
        """The subscriber's number."""
        return id_of(self.person)

    @property
    def is_fresh(self) -> bool:
        """Whether the token was mailed fresh."""
        return self.door == Purpose.ACCESS


def door_of(installation: Installation, token: str) -> Purpose:
    """What a token was signed for, by its signature alone. Raises LinkError."""
    now = installation.clock()
    try:
        links.read(installation.signer, token, Purpose.API, now)
    except BadLink:
        links.read(installation.signer, token, Purpose.ACCESS, now)
        return Purpose.ACCESS
    return Purpose.API


def holder_of(installation: Installation, token: str) -> Holder:
    """Whose token this is. Raises LinkError."""
    door = door_of(installation, token)
    with installation.database.reading() as session:
        person, _ = links.owner(installation, session, token, door)
    return Holder(token, door, person)


def lasting(installation: Installation, person: Subscriber) -> str:
    """A subscriber's token for programs: always the same one, until they renew their links."""
    return links.lasting_token(installation.signer, Purpose.API, person)


def token_of(installation: Installation, email: str, *, fresh: bool) -> str:
    """The token of an address, for the operator; a fresh one lasts an hour. Raises
    UnknownSubscriber."""
    with installation.database.reading() as session:
        person = account.named(session, email)
    if fresh:
        now = installation.clock()
        return links.token(installation.signer, Purpose.ACCESS, now, id_of(person))
    return lasting(installation, person)
