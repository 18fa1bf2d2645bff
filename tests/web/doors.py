"""The links of a mail, and the forms behind them, as a reader's browser has them."""

from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser

import httpx

from paperpost.service import links
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.store import outbox, papers, subscribers
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Delivery, DeliveryKind, Subscriber

DAY = date(2026, 4, 7)


class Doors:
    """Makes one subscriber's links, all issued now."""

    def __init__(self, installation: Installation, email: str, paper_id: str) -> None:
        self.installation = installation
        self.email = email
        self.subscriber_id = id_of(self.subscriber())
        with installation.database.reading() as session:
            paper = papers.find(session, paper_id)
        assert paper is not None
        self.paper_number = number_of(paper)

    def token(self, purpose: Purpose, value: int = 1) -> str:
        """A token of that purpose; `value` is what a vote link stands for."""
        fields = [self.subscriber_id]
        if purpose == Purpose.VOTE:
            fields += [self.paper_number, value]
        here = self.installation
        return links.token(here.signer, purpose, here.clock(), *fields)

    def path(self, purpose: Purpose, value: int = 1) -> str:
        """The path of a link."""
        return f"/{purpose}/{self.token(purpose, value)}"

    def subscriber(self) -> Subscriber:
        """The subscriber as stored now."""
        with self.installation.database.reading() as session:
            found = subscribers.by_email(session, self.email)
        assert found is not None
        return found


@dataclass
class Form:
    """A form of a page, with what its fields hold, and the boxes that are not ticked."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, str] = field(default_factory=dict)
    button: str = ""

    def tick(self, *names: str) -> None:
        """Tick boxes; without a name all of them."""
        self.fields |= {name: self.boxes[name] for name in names or self.boxes}

    def post(self, client: httpx.Client) -> httpx.Response:
        """Press the button of the form just as it stands."""
        assert self.method == "post"
        return client.post(self.action, data=self.fields)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open = False
        self._in = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = True
            self.found.append(Form(named["action"], named["method"]))
        elif self._open and tag == "input" and _is_sent(named):
            self.found[-1].fields[named["name"]] = named.get("value", "")
        elif self._open and tag == "input":
            self.found[-1].boxes[named["name"]] = named["value"]
        elif self._open and tag == "textarea":
            self._area = named["name"]
            self.found[-1].fields[self._area] = ""
        elif self._open and tag == "select":
            self._area = named["name"]
        elif self._open and tag == "option" and "selected" in named:
            self.found[-1].fields[self._area] = named["value"]
        self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""
        if tag == "form":
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open and self._in == "button":
            self.found[-1].button += data.strip()
        elif self._open and self._in == "textarea":
            self.found[-1].fields[self._area] += data.removeprefix("\n")


def _is_sent(field: dict[str, str]) -> bool:
    """A browser leaves out a box or a radio button that is not checked."""
    return field.get("type") not in ("checkbox", "radio") or "checked" in field


def forms(page: httpx.Response) -> list[Form]:
    """The forms of a page, in order."""
    parser = _Forms()
    parser.feed(page.text)
    return parser.found


def last_mail(installation: Installation, email: str, kind: DeliveryKind) -> Delivery | None:
    """The newest mail of a kind in the outbox for an address."""
    with installation.database.reading() as session:
        person = subscribers.by_email(session, email)
        mails = [] if person is None else outbox.of_subscriber(session, id_of(person))
    return next((mail for mail in reversed(mails) if mail.kind == kind), None)
