"""A subscriber's past digests: what became of each, and its mail as it was mailed."""

from dataclasses import dataclass
from datetime import date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from sqlmodel import Session

from mailer.wording import subject_line
from paperpost.service.discretion import discreet
from paperpost.service.installation import Installation
from paperpost.service.letters import Materials, build, shown
from paperpost.store import digest_history, digests, fragments
from paperpost.store.digest_history import Entry
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Delivery, DeliveryState, Digest, Subscriber

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class PastDigest:
    """A digest of one local date. `state` is a DeliveryState; `because` says why there is no mail,
    or none that arrived, without anybody's address; `at` is when it was sent, or else was due."""

    local_date: date
    subject: str
    papers: int
    state: str
    because: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PastDigests:
    """One page of past digests, newest first; pages run from 1 to `pages`, which is 1 where there
    are none."""

    digests: tuple[PastDigest, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class PastMail:
    """A digest's mail, rebuilt from what was frozen: `data` is the whole message, with the address
    that it went to; None where there was no mail. `earlier` and `later` are the dates of the
    digests around it."""

    digest: PastDigest
    data: bytes | None
    html: str
    text: str
    earlier: date | None
    later: date | None


def show(installation: Installation, number: int, page: int = 1) -> PastDigests:
    """A page of a subscriber's digests. Changes nothing."""
    with installation.database.reading() as session:
        total = digest_history.count(session, number)
        offset = (page - 1) * PAGE_SIZE
        found = digest_history.page(session, number, limit=PAGE_SIZE, offset=offset)
    return PastDigests(
        digests=tuple(_told(entry) for entry in found),
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE_SIZE)),
    )


def mail(installation: Installation, person: Subscriber, day: date) -> PastMail | None:
    """The mail of a subscriber's digest of that local date; None if there is no such digest. Its
    links are real. Changes nothing."""
    with installation.database.reading() as session:
        entry = digest_history.of_date(session, id_of(person), day)
        if entry is None:
            return None
        earlier, later = digest_history.around(session, id_of(person), day)
        data = _rebuilt(installation, session, person, day)
    message = None if data is None else message_from_bytes(data, policy=policy.default)
    html, text = _part(message, "html"), _part(message, "plain")
    return PastMail(_told(entry), data, html, text, earlier, later)


def _told(entry: Entry) -> PastDigest:
    title = entry.first_title if entry.papers else None
    return PastDigest(
        local_date=entry.local_date,
        subject=subject_line(entry.local_date, entry.frequency, title),
        papers=entry.papers,
        state=entry.state,
        because=_because(entry),
        at=entry.sent_at or entry.due_at,
    )


def _because(entry: Entry) -> str:
    """What is known of a mail that arrived is where it was written, or a server's receipt: of no
    use to its reader."""
    if entry.state == DeliveryState.SENT:
        return ""
    return entry.silence if entry.state == DeliveryState.SILENT else discreet(entry.reply)


def _rebuilt(
    installation: Installation, session: Session, person: Subscriber, day: date
) -> bytes | None:
    """The bytes that `resend` would send; None where nothing was to be mailed."""
    digest = digests.of_date(session, id_of(person), day)
    delivery = None if digest is None else session.get(Delivery, digest.delivery_id)
    if digest is None or delivery is None or delivery.state == DeliveryState.SILENT:
        return None
    return build(installation, delivery, _materials(session, person, digest)).data


def _materials(session: Session, person: Subscriber, digest: Digest) -> Materials:
    found = fragments.by_number(session, {item["fragment"] for item in digest.items})
    texts = {number: shown(stored) for number, stored in found.items()}
    return Materials({id_of(person): person}, {digest.delivery_id: digest}, texts)


def _part(message: EmailMessage | None, kind: str) -> str:
    part = None if message is None else message.get_body((kind,))
    return "" if part is None else str(part.get_content())
