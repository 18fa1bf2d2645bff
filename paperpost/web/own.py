"""A subscriber's own pages: behind /me/TOKEN (the link of any mail) or /access/TOKEN (a fresh one).

A handler asks for `Mine` and is given whose page it is; a token that opens nothing does not get
there.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi.responses import HTMLResponse
from starlette.convertors import Convertor, register_url_convertor

from paperpost.service import account
from paperpost.service.links import Purpose
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber
from paperpost.web.render import Here, Site

# How the routes of own pages begin.
OWN = "/{door:own}/{token}"


class _OwnDoor(Convertor[str]):
    regex = f"{Purpose.PREFERENCES}|{Purpose.ACCESS}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("own", _OwnDoor())


@dataclass(frozen=True, slots=True)
class Own:
    """Whose page it is, and the door it was reached by."""

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


def masked(email: str) -> str:
    """An address that its owner knows again and a reader of a forwarded digest does not learn:
    a***@example.org."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"


def _own(site: Here, door: Purpose, token: str) -> Own:
    return Own(site, door, token, account.owner(site.installation, token, door))


def _fresh(site: Here, token: str) -> Own:
    return _own(site, Purpose.ACCESS, token)


Mine = Annotated[Own, Depends(_own)]
# For routes that are behind a fresh link alone (/access/{token}/...).
Fresh = Annotated[Own, Depends(_fresh)]
