"""The next mail of one subscriber as it would be composed now; nothing is stored or sent."""

from dataclasses import dataclass
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage

from paperpost.service import calendar
from paperpost.service.account import named
from paperpost.service.compose import draft
from paperpost.service.drafting import Draft
from paperpost.service.installation import Installation
from paperpost.service.letters import Materials, build, shown
from paperpost.service.resend import obstacle
from paperpost.store import digests, papers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Delivery, Digest, Subscriber


@dataclass(frozen=True, slots=True)
class Preview:
    """A subscriber's next digest: its date, the ids of its papers, best first, and the message.

    `data` is None where nothing would be mailed. `silence`: why it has no papers; `obstacle`: why
    it would not be sent; both empty if there is no reason.
    """

    email: str
    date: date
    papers: tuple[str, ...]
    data: bytes | None
    silence: str
    obstacle: str

    @property
    def subject(self) -> str | None:
        """The message's subject."""
        return None if self.data is None else str(_parsed(self.data)["Subject"])

    @property
    def html(self) -> str:
        """The message's HTML part."""
        part = None if self.data is None else _parsed(self.data).get_body(("html",))
        return "" if part is None else str(part.get_content())


def preview(installation: Installation, email: str, on: date | None = None) -> Preview:
    """The mail that EMAIL's next digest, or the one dated `on`, would be if it were composed now.
    Its links are real.

    Raises UnknownSubscriber.
    """
    with installation.database.reading() as session:
        person = named(session, email)
    drafted = draft(installation, person, on or _next_date(installation, person))
    new = drafted.digest
    with installation.database.reading() as session:
        chosen = papers.by_number(session, [item["paper"] for item in new.items])
    return Preview(
        email=person.email,
        date=new.local_date,
        papers=tuple(chosen[item["paper"]].id for item in new.items),
        data=_mail(installation, person, drafted) if new.items or person.quiet_note else None,
        silence=new.silence,
        obstacle=obstacle(person, installation.clock()),
    )


def _next_date(installation: Installation, person: Subscriber) -> date:
    """The date of the first digest that is due and not composed yet."""
    now, schedule = installation.clock(), (person.frequency, person.hour, person.timezone)
    is_due = person.next_due_at is not None and person.next_due_at <= now
    due = calendar.latest_due(*schedule, now) if is_due else calendar.next_due(*schedule, now)
    with installation.database.reading() as session:
        while (found := digests.of_date(session, id_of(person), due.local_date)) and found.items:
            due = calendar.next_due(*schedule, due.at)
    return due.local_date


def _mail(installation: Installation, person: Subscriber, drafted: Draft) -> bytes:
    now = installation.clock()
    # Neither is in the store, so that neither has a number.
    delivery = Delivery(id=0, **digests.delivery_values(drafted.digest, now))
    digest = Digest(delivery_id=0, **digests.digest_values(drafted.digest, now))
    fragments = {number: shown(one) for number, one in drafted.fragments.items()}
    materials = Materials({id_of(person): person}, {0: digest}, fragments)
    return build(installation, delivery, materials).data


def _parsed(data: bytes) -> EmailMessage:
    parsed = message_from_bytes(data, policy=policy.default)
    if not isinstance(parsed, EmailMessage):
        raise TypeError("the policy makes another kind of message")
    return parsed
