"""Mail that came back: whose it was, what it means, and what is done about it.

Whose it was is told by the signed token in the envelope sender (mailer/verp.py) and by nothing
else: not by the addresses in a report, and not by our Message-ID, which everybody knows who has
seen the mail. So who makes a report up does nothing with it. Who has a real token, from a mail that
was forwarded to them with all its headers, can do little: it works for thirty days, for a mail that
was sent, once for each kind of report, and what it does a subscriber undoes by one button.

A complaint may come without it, or after months: then the mail's own link to unsubscribe tells
whose it was. Whoever has that may unsubscribe them anyway.

A mailbox that does not exist, or that failed three times within thirty days, gets no more digests;
whoever says "this is spam" is unsubscribed. Nothing resets the three: a mail that was taken may
still come back days later, so nobody ever learns that one arrived.
"""

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from mailer.bounce_folder import BounceFolder
from mailer.bounces import Report, find_leave_tokens, find_tokens, judge_reply, read_report
from mailer.links import Link
from mailer.verp import BadMark, Mark, read_mark
from paperpost.service import links
from paperpost.service.account import named
from paperpost.service.installation import Installation
from paperpost.service.letters import mailable
from paperpost.service.links import LinkError, Purpose
from paperpost.service.subscribe import deactivate
from paperpost.service.suppression import lift, suppress
from paperpost.store import bounces, subscribers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import (
    Bounce,
    BounceKind,
    DeliveryState,
    Subscriber,
    SubscriberState,
)

SOFT_WINDOW = timedelta(days=30)
MOST_SOFT = 3
# A report may be faster than our own record that the mail was taken.
_SENT = (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.SENT)


_GONE = "the mail that it is about is no longer stored"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a report: `kind` is "hard", "soft" or "complaint" if it was counted, else
    None and `reason` says why not; `effect` is "suppressed", "unsubscribed" or ""."""

    kind: str | None
    status: str
    effect: str
    reason: str

    @property
    def word(self) -> str:
        """In one word."""
        return "ignored" if self.kind is None else "counted"


def take(installation: Installation, raw: bytes) -> Taken:
    """Count what one message reports; the same again changes nothing. Raises StoreError alone,
    whatever the message is."""
    try:
        mark = _mark(installation, raw)
    except BadMark as error:
        return _take_complaint(installation, raw) or _ignored(str(error))
    report = _report(installation, raw, mark.subscriber)
    if report.kind is None:
        return _ignored(report.detail)
    with installation.database.writing() as session:
        found = bounces.addressee(session, mark.delivery)
        if found is None or id_of(found[1]) != mark.subscriber:
            return _ignored(_GONE)
        delivery, person = found
        if delivery.state not in _SENT:
            return _ignored(f"the mail that it is about is {delivery.state}")
        return _count(session, str(delivery.id), person, report, installation.clock())


def _take_complaint(installation: Installation, raw: bytes) -> Taken | None:
    """Count a complaint that names no envelope sender; None if it is none about a mail of ours."""
    link = _link(installation, raw)
    if link is None:
        return None
    number = link.fields[0]
    report = _report(installation, raw, number)
    if report.kind != "complaint":
        return None
    with installation.database.writing() as session:
        person = bounces.in_turn(session, number)
        if person is None:
            return _ignored(_GONE)
        mail = f"link {number} {link.issued.isoformat()}"
        return _count(session, mail, person, report, installation.clock())


def _report(installation: Installation, raw: bytes, number: int) -> Report:
    """What a message reports of a mail to a subscriber."""
    with installation.database.reading() as session:
        person = subscribers.by_id(session, [number]).get(number)
    if person is None:
        return Report(None, "", _GONE)
    return read_report(raw, mailable(person.email))


def refused(session: Session, delivery_id: int, reply: str, now: datetime) -> None:
    """Count a mail server's refusal for good (5yz) of a delivery, as mailer/smtp.py words it. What
    is not about the mailbox does not count (mailer/refusals.py)."""
    report = judge_reply(reply)
    found = bounces.addressee(session, delivery_id) if report.kind else None
    if found is not None:
        _count(session, str(delivery_id), found[1], report, now)


def open_folder(installation: Installation) -> BounceFolder | None:
    """The folder that is watched for reports, if one is."""
    path = installation.settings.bounce_folder
    return None if path is None else BounceFolder(path)


def take_new(
    installation: Installation, folder: BounceFolder, stop: threading.Event
) -> Counter[str]:
    """Count what has come into the folder; how many were "counted" and "ignored"."""
    counts: Counter[str] = Counter()
    for message in folder.arrived():
        if stop.is_set():
            break
        counts[take(installation, message.raw).word] += 1
        message.put_away()
    return counts


def forgive(installation: Installation, email: str) -> bool:
    """Mail to an address again; whether anything was suppressed. Raises UnknownSubscriber."""
    with installation.database.writing() as session:
        return lift(session, named(session, email), installation.clock())


def _mark(installation: Installation, raw: bytes) -> Mark:
    error = BadMark("it names no mail of ours")
    for token in find_tokens(raw):
        try:
            return read_mark(token, installation.keys, installation.clock())
        except BadMark as bad:
            error = bad
    raise error


def _link(installation: Installation, raw: bytes) -> Link | None:
    """A link to unsubscribe that a message quotes."""
    for token in find_leave_tokens(raw):
        try:
            return links.read(installation.signer, token, Purpose.UNSUBSCRIBE, installation.clock())
        except LinkError:
            continue
    return None


def _ignored(reason: str) -> Taken:
    return Taken(None, "", "", reason)


def _count(session: Session, mail: str, person: Subscriber, report: Report, now: datetime) -> Taken:
    fingerprint = f"{mail} {report.kind}"
    if bounces.is_known(session, fingerprint):
        return _ignored("this mail's report was counted before")
    kind = BounceKind(str(report.kind))
    row = Bounce(
        subscriber_id=id_of(person),
        kind=kind,
        status=report.status,
        detail=report.detail,
        received_at=now,
        fingerprint=fingerprint,
    )
    bounces.add(session, row)
    return Taken(kind, report.status, _effect(session, person, row), "")


def _effect(session: Session, person: Subscriber, row: Bounce) -> str:
    now, code = row.received_at, f" ({row.status})" if row.status else ""
    if row.kind == BounceKind.COMPLAINT:
        if person.state == SubscriberState.UNSUBSCRIBED:
            return ""
        deactivate(person, now)
        session.add(person)
        return "unsubscribed"
    if row.kind == BounceKind.SOFT:
        if bounces.count_soft(session, id_of(person), now - SOFT_WINDOW) < MOST_SOFT:
            return ""
        because = f"{MOST_SOFT} mails to this address came back within {SOFT_WINDOW.days} days"
    else:
        because = "mail to this address was refused for good"
    return "suppressed" if suppress(session, person, because + code, now) else ""
