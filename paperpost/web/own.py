"""A subscriber's own pages: behind /me/TOKEN (the link of any mail), /access/TOKEN (a fresh one)
or, for whoever is signed in, /me/mine, which puts no token into a browser's history.

A handler asks for `Mine` and is given whose page it is; a token that opens nothing does not get
there.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi.responses import HTMLResponse
from starlette.convertors import Convertor, register_url_convertor

from paperpost.errors import PaperpostError
from paperpost.service import account
from paperpost.service.links import Purpose
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber
from paperpost.web.render import Here, Site

# How the routes of own pages begin.
OWN = "/{door:own}/{token}"
# In place of a token: whoever is signed in. No token is as short.
SIGNED_IN = "mine"


class _OwnDoor(Convertor[str]):
    regex = f"{Purpose.PREFERENCES}|{Purpose.ACCESS}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("own", _OwnDoor())


class NotSignedIn(PaperpostError):
    """An own page was asked for by the cookie, and there is none that opens it."""


@dataclass(frozen=True, slots=True)
class Own:
    """Whose page it is, and the door it was reached by; `token` is SIGNED_IN for a visitor."""

    site: Site
    door: Purpose
    token: str
    person: Subscriber

    @property
    def number(self) -> int:
        """The subscriber's number."""
        return id_of(self.person)

    @property
    def here(self) -> str:
        """The path under which all pages of this door are."""
        return f"{self.site.root}/{self.door}/{self.token}"

    @property
    def is_fresh(self) -> bool:
        """Whether the link was mailed fresh: it alone exports, deletes and renews."""
        return self.door == Purpose.ACCESS

    @property
    def is_by_cookie(self) -> bool:
        """Whether a cookie opened it, and not a link."""
        return self.token == SIGNED_IN

    def page(self, template: str, /, *, status: int = 200, **context: object) -> HTMLResponse:
        """A page that extends own.html."""
        return self.site.page(
            template,
            status=status,
            here=self.here,
            address=self.person.email if self.is_fresh else masked(self.person.email),
            is_fresh=self.is_fresh,
            **context,
        )


def own_by_cookie(site: Site) -> str:
    """The path under which a visitor's own pages are."""
    return f"{site.root}/{Purpose.PREFERENCES}/{SIGNED_IN}"


def masked(email: str) -> str:
    """An address that its owner knows again and a reader of a forwarded digest does not learn:
    a***@example.org."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"


def _own(site: Here, door: Purpose, token: str) -> Own:
    if (door, token) == (Purpose.PREFERENCES, SIGNED_IN):
        if site.visitor is None:
            raise NotSignedIn
        return Own(site, door, token, site.visitor.person)
    return Own(site, door, token, account.owner(site.installation, token, door))


def _fresh(site: Here, token: str) -> Own:
    return _own(site, Purpose.ACCESS, token)


Mine = Annotated[Own, Depends(_own)]
# For routes that are behind a fresh link alone (/access/{token}/...).
Fresh = Annotated[Own, Depends(_fresh)]
