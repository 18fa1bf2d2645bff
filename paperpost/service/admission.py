"""How much the open forms take in an hour, so that nobody floods others with mail.

What is admitted depends on what was posted in the last hour, and on how many of all those
addresses have confirmed since, never on whose address it is: the answer tells nothing about it.
Kept in the database, for all processes and beyond restarts.
"""

import hashlib
import hmac
from datetime import timedelta
from enum import StrEnum

from sqlmodel import Session

from paperpost.errors import PaperpostError
from paperpost.service.installation import Installation
from paperpost.store import form_posts
from paperpost.store.tables import FormPost

HOUR = timedelta(hours=1)
ADDRESSES_OF_A_CLIENT = 10
CONFIRMED = "confirmed"  # the form that posts of an address count for once it was confirmed


class OpenForm(StrEnum):
    """A form in which anybody may type any address."""

    SUBSCRIBE = "subscribe"
    LINK = "link"


class TooManyAtOnce(PaperpostError):
    """More addresses were posted in the last hour than are taken."""

    def __init__(self) -> None:
        super().__init__("Too many addresses were entered here within an hour: try again later")


def admit(
    installation: Installation,
    session: Session,
    form: OpenForm,
    email: str,
    client: str | None,
) -> None:
    """Count an address that somebody typed; `client` is who, as far as one can tell, None for a
    caller that is no client of the site. Raises TooManyAtOnce."""
    since = installation.clock() - HOUR
    address = _mark(installation, "address", email)
    own = _mark(installation, "client", client or "")
    everybodys = form_posts.addresses_at(session, form, since)
    others = form_posts.addresses_of(session, own, since, but=address)
    if form == OpenForm.SUBSCRIBE and everybodys >= installation.settings.signups_per_hour:
        raise TooManyAtOnce
    if client is not None and others >= ADDRESSES_OF_A_CLIENT:
        raise TooManyAtOnce
    post = FormPost(form=form, address=address, client=own, posted_at=installation.clock())
    form_posts.add(session, post)


def settle(installation: Installation, session: Session, email: str) -> None:
    """An address was confirmed: its owner takes nobody's place among all. It stays one of those
    that its client typed, who would learn otherwise that it was confirmed."""
    form_posts.count_as(session, CONFIRMED, _mark(installation, "address", email))


def forget_old(installation: Installation) -> None:
    """Forget what was posted more than an hour ago."""
    with installation.database.writing() as session:
        form_posts.remove_before(session, installation.clock() - HOUR)


def _mark(installation: Installation, kind: str, value: str) -> str:
    """What tells one address or client from another, and nobody which it is."""
    key, text = installation.keys[0], f"form post {kind} {value}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]
