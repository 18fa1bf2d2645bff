"""One real mail, made and signed as digests are and handed over as they are."""

from collections.abc import Iterator
from datetime import datetime

from mailer.compose import TEMPLATE_VERSION, render_paper
from mailer.digest import PaperText
from mailer.outcome import Accepted, Outcome, Outgoing, Refused, Unknown
from mailer.transport import open_transport
from paperpost.service.doctor.checks import Check, fail, ok, warn
from paperpost.service.installation import Installation
from paperpost.service.letters import Materials, build, message_id, shown
from paperpost.store.subscribers import domain_of
from paperpost.store.tables import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Digest,
    Fragment,
    Subscriber,
    SubscriberState,
)

SECONDS = 30.0
# Nobody: the test mail's links open pages, and change nothing.
NOBODY = 0
TITLE = "A test mail: this is how a paper looks"
ABSTRACT = (
    "Your Paperpost can hand over mail. Look whether this one came into the inbox, and whether "
    "its headers say pass for SPF, DKIM and DMARC. Its links belong to nobody."
)


def send_test(installation: Installation, address: str) -> Iterator[Check]:
    """Compose a digest of one made-up paper for the address, send it and tell what was answered.

    It is no subscriber's and stands in no outbox.
    """
    outgoing = _test_mail(installation, address)
    size = f"{len(outgoing.data):,} bytes from {outgoing.sender}"
    signed = "signed" if installation.dkim else "not signed here"
    yield ok("test mail", f"composed for {outgoing.recipient}: {size}, {signed}")
    settings = installation.settings
    transport = open_transport(settings.smtp_url, settings.mail_folder, SECONDS)
    try:
        yield _told(transport.send(outgoing))
    finally:
        transport.close()


def _told(outcome: Outcome) -> Check:
    match outcome:
        case Accepted(reply):
            return ok("test mail", f"accepted: {reply}")
        case Unknown(reply):
            return warn("test mail", f"handed over, and nobody knows what became of it: {reply}")
        case Refused(reply, permanent):
            how = "for good" if permanent else "for now"
            return fail("test mail", f"refused {how}: {reply}")
    return fail("test mail", f"could not be handed over: {outcome.reply}")


def _test_mail(installation: Installation, address: str) -> Outgoing:
    now = installation.clock()
    person = Subscriber(id=NOBODY, email=address, state=SubscriberState.PENDING, joined_at=now)
    delivery = Delivery(
        id=NOBODY,
        kind=DeliveryKind.DIGEST,
        subscriber_id=NOBODY,
        domain=domain_of(address),
        local_date=now.date(),
        state=DeliveryState.SENDING,
        created_at=now,
        due_at=now,
        expires_at=now,
        message_id=message_id(installation, NOBODY, now.date(), f"test {now.isoformat()}"),
    )
    materials = Materials(
        {NOBODY: person}, {NOBODY: _digest(now)}, {NOBODY: shown(_fragment(installation, now))}
    )
    return build(installation, delivery, materials)


def _digest(now: datetime) -> Digest:
    item = {"paper": NOBODY, "fragment": NOBODY, "reasons": ["it is the test mail of `doctor`"]}
    return Digest(
        subscriber_id=NOBODY,
        local_date=now.date(),
        delivery_id=NOBODY,
        composed_at=now,
        template_version=TEMPLATE_VERSION,
        frequency="daily",
        why="this test",
        considered=1,
        newest_paper=0,
        items=[item],
    )


def _fragment(installation: Installation, now: datetime) -> Fragment:
    rendered = render_paper(
        PaperText(
            id="test",
            title=TITLE,
            abstract=ABSTRACT,
            authors=("Paperpost",),
            categories=(),
            announced=now.date(),
            url=f"{installation.settings.public_url}/",
        )
    )
    return Fragment(
        id=NOBODY,
        paper_number=NOBODY,
        checksum="",
        title=TITLE,
        url=rendered.url,
        html=rendered.html,
        text=rendered.text,
    )
