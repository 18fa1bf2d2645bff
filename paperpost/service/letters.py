"""From a row of the outbox to the bytes of a mail, the same bytes every time."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import quote

from email_validator import validate_email

from mailer.compose import (
    compose_access_link,
    compose_alarm,
    compose_confirmation,
    compose_digest,
)
from mailer.digest import Digest as DigestContent
from mailer.digest import DigestItem, Fragment, Letter, Revision
from mailer.transport import Outgoing
from mailer.verp import Mark, envelope_sender
from paperpost.service import links
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.settings import Settings
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Delivery, DeliveryKind, Digest, Paper, Subscriber
from paperpost.store.tables import Fragment as StoredFragment


class CannotBuild(Exception):
    """A row of the outbox lacks what its mail is made of."""


class Shown(NamedTuple):
    """A paper's fragment as it is mailed, and the paper's title."""

    fragment: Fragment
    title: str


@dataclass(frozen=True, slots=True)
class Materials:
    """What the mails of one batch are made of, read in one go."""

    subscribers: Mapping[int, Subscriber]
    digests: Mapping[int, Digest]
    fragments: Mapping[int, Shown]


def shown(stored: StoredFragment) -> Shown:
    """A stored fragment, ready to be mailed."""
    return Shown(Fragment(html=stored.html, text=stored.text, url=stored.url), stored.title)


def message_id(installation: Installation, subscriber_id: int, day: date, kind: str) -> str:
    """A Message-ID that is always the same for one mail and tells nobody whose it is."""
    domain = installation.settings.sender_domain
    key = installation.keys[0]
    text = f"message id {kind} {subscriber_id} {day.isoformat()}"
    code = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:24]
    return f"<{day:%Y%m%d}.{code}@{domain}>"


def web_address(settings: Settings, paper: Paper) -> str:
    """Where a paper is read: the source's page if its address holds the paper's id, so that a
    reader can tell which it is; else our own, which leads on to the source."""
    if paper.url and paper.id in paper.url:
        return paper.url
    return f"{settings.public_url}/paper/{quote(paper.id, safe='/:')}"


def build(installation: Installation, delivery: Delivery, materials: Materials) -> Outgoing:
    """The mail of an outbox row; raises CannotBuild if what it is made of is gone."""
    address = _address(installation, delivery, materials)
    letter = _letter(installation, delivery, address)
    data = _BUILDERS[DeliveryKind(delivery.kind)](installation, delivery, letter, materials)
    dkim = installation.dkim
    return Outgoing(
        sender=_envelope_sender(installation, delivery),
        recipient=letter.recipient,
        data=data if dkim is None else dkim.sign(data, letter.date),
        filename=file_name(delivery, address),
    )


def _envelope_sender(installation: Installation, delivery: Delivery) -> str:
    """Where a mail server sends the mail back to: for a subscriber's an address that names it."""
    settings = installation.settings
    if settings.bounces is None:
        return settings.sender_address
    if delivery.id is None or delivery.subscriber_id is None:
        return settings.bounces
    mark = Mark(delivery.id, delivery.subscriber_id)
    # By the clock, not by the row: a digest that is sent again after weeks may come back, too.
    return envelope_sender(settings.bounces, installation.keys[0], mark, installation.clock())


def _address(installation: Installation, delivery: Delivery, materials: Materials) -> str:
    if delivery.kind == DeliveryKind.ALARM:
        if installation.settings.operator is None:
            raise CannotBuild("PAPERPOST_OPERATOR is not set any more")
        return installation.settings.operator
    person = materials.subscribers.get(delivery.subscriber_id or 0)
    if person is None:
        raise CannotBuild("the subscriber is gone")
    return person.email


def file_name(delivery: Delivery, email: str) -> str:
    """What a mail is called that is written as a file; the end tells alike addresses apart."""
    name = delivery.message_id.strip("<>").partition("@")[0]
    return f"{delivery.local_date}-{delivery.kind}-{_safe(email)}-{name[-8:]}.eml"


def remove_files(installation: Installation, deliveries: Sequence[Delivery], email: str) -> None:
    """Remove the mails that were written as files."""
    for delivery in deliveries:
        path = installation.settings.mail_folder / file_name(delivery, email)
        path.unlink(missing_ok=True)


def mailable(address: str) -> str:
    """The address with its domain in ASCII (RFC 5890) where that is enough for any server; one
    whose local part is not ASCII needs a server that knows SMTPUTF8."""
    if address.isascii():  # it was checked when it was stored
        return address
    checked = validate_email(address, check_deliverability=False, test_environment=True)
    return checked.ascii_email or address


def _safe(text: str) -> str:
    """An address as part of a file name."""
    return "".join(sign if sign.isalnum() or sign in "@.+-_" else "_" for sign in text)[:80]


def _letter(installation: Installation, delivery: Delivery, address: str) -> Letter:
    settings = installation.settings
    return Letter(
        sender=settings.sender,
        recipient=mailable(address),
        message_id=delivery.message_id,
        date=delivery.created_at,
        postal_address=settings.postal_address,
        public_url=settings.public_url,
        operator=settings.operator,
    )


def _digest(
    installation: Installation, delivery: Delivery, letter: Letter, materials: Materials
) -> bytes:
    digest = materials.digests.get(delivery.id or 0)
    if digest is None:
        raise CannotBuild("the digest is gone")
    person = materials.subscribers[delivery.subscriber_id or 0]
    return compose_digest(_content(installation, digest, person, materials.fragments), letter)


def _content(
    installation: Installation,
    digest: Digest,
    person: Subscriber,
    fragments: Mapping[int, Shown],
) -> DigestContent:
    base, signer = installation.settings.public_url, installation.signer
    number, issued = id_of(person), links.issued(digest.composed_at, person)

    def item(frozen: Mapping[str, Any]) -> DigestItem:
        paper, kept = frozen["paper"], fragments[frozen["fragment"]]
        return DigestItem(
            fragment=kept.fragment,
            title=kept.title,
            reasons=tuple(frozen["reasons"]),
            more_url=links.url(base, signer, Purpose.VOTE, issued, number, paper, 1),
            less_url=links.url(base, signer, Purpose.VOTE, issued, number, paper, -1),
            trending=frozen.get("trending", False),
            explored=frozen.get("explored", False),
            revised=_revision(frozen.get("revised")),
        )

    return DigestContent(
        local_date=digest.local_date,
        items=tuple(item(frozen) for frozen in digest.items),
        considered=digest.considered,
        frequency=digest.frequency,
        preferences_url=links.url(base, signer, Purpose.PREFERENCES, issued, number),
        unsubscribe_url=links.url(base, signer, Purpose.UNSUBSCRIBE, issued, number),
        why=digest.why,
        silence=digest.silence,
        missing=digest.missing,
    )


def _revision(frozen: Mapping[str, Any] | None) -> Revision | None:
    if frozen is None:
        return None
    return Revision(date.fromisoformat(frozen["on"]), frozen["version"])


def _confirmation(
    installation: Installation, delivery: Delivery, letter: Letter, materials: Materials
) -> bytes:
    link = _own_link(installation, delivery, materials, Purpose.CONFIRM)
    return compose_confirmation(link, letter)


def _access_link(
    installation: Installation, delivery: Delivery, letter: Letter, materials: Materials
) -> bytes:
    link = _own_link(installation, delivery, materials, Purpose.ACCESS)
    return compose_access_link(link, letter)


def _alarm(
    installation: Installation, delivery: Delivery, letter: Letter, _materials: Materials
) -> bytes:
    content = delivery.content or {}
    to_the_operator = replace(letter, operator=None)  # who need not be told whom to write to
    lines = [str(line) for line in content["lines"]]
    page = links.operator_url(installation, delivery.created_at)
    return compose_alarm(str(content["subject"]), lines, to_the_operator, page_url=page)


def _own_link(
    installation: Installation, delivery: Delivery, materials: Materials, purpose: Purpose
) -> str:
    person = materials.subscribers[delivery.subscriber_id or 0]
    issued, base = links.issued(delivery.created_at, person), installation.settings.public_url
    return links.url(base, installation.signer, purpose, issued, id_of(person))


_BUILDERS = {
    DeliveryKind.DIGEST: _digest,
    DeliveryKind.CONFIRMATION: _confirmation,
    DeliveryKind.ACCESS_LINK: _access_link,
    DeliveryKind.ALARM: _alarm,
}
