"""Who is signed in on this browser: a subscriber who pressed "Keep me signed in" on their own page.

The cookie holds a signed token with the power of a link to the preferences, and no more: it opens
their own pages at /me/mine (own.py), and cannot be made to last longer there. SameSite keeps it out
of requests that other sites start (RFC 6265bis, section 5.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Response

from paperpost.service import links
from paperpost.service.installation import Installation
from paperpost.service.links import LASTS, LinkError, Purpose
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber

COOKIE = "paperpost"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A subscriber who is signed in."""

    person: Subscriber

    @property
    def number(self) -> int:
        """Their number."""
        return id_of(self.person)


def visitor_of(installation: Installation, cookies: Mapping[str, str]) -> Visitor | None:
    """Whom the cookie of a request names; None without one, or with one that opens nothing."""
    if COOKIE not in cookies:
        return None
    try:
        with installation.database.reading() as session:
            person, _ = links.owner(installation, session, cookies[COOKIE], Purpose.SESSION)
    except LinkError:
        return None
    return Visitor(person)


def sign_in(installation: Installation, response: Response, person: Subscriber) -> None:
    """Keep a subscriber signed in on this browser."""
    now = installation.clock()
    token = links.token(installation.signer, Purpose.SESSION, now, id_of(person))
    lasts = LASTS[Purpose.SESSION]
    path, secure = _place(installation)
    response.set_cookie(
        COOKIE,
        token,
        max_age=None if lasts is None else int(lasts.total_seconds()),
        path=path,
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def sign_out(installation: Installation, response: Response) -> None:
    """Forget who was signed in on this browser."""
    path, secure = _place(installation)
    response.delete_cookie(COOKIE, path=path, secure=secure, httponly=True, samesite="lax")


def _place(installation: Installation) -> tuple[str, bool]:
    """The path that the cookie is for, and whether it may go through TLS alone."""
    address = urlsplit(installation.settings.public_url)
    return address.path or "/", address.scheme == "https"
