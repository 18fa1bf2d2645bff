"""Becoming a subscriber: by form (confirmed by mail), by command, or many from a file."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from paperpost.errors import PaperpostError
from paperpost.service import calendar, link_mails, wishes
from paperpost.service.admission import OpenForm, admit
from paperpost.service.installation import Installation
from paperpost.service.wishes import InvalidWish, Wishes
from paperpost.store import outbox, subscribers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import DeliveryKind, InterestKind, Subscriber, SubscriberState

LINES_BETWEEN_WORDS = 1000
COLUMNS = (
    *("email", "keywords", "authors", "categories", "muted"),
    *("timezone", "hour", "size", "frequency"),
    *("threshold", "explore", "quiet_note", "revisions"),
)


class SignupClosed(PaperpostError):
    """The operator does not let this address subscribe by itself."""


class UnreadableList(PaperpostError):
    """A file of subscribers is not a CSV with an `email` column."""


@dataclass(frozen=True, slots=True)
class SignedUp:
    """What a subscription by command led to: `created`, or an existing one changed; `mailed`
    says whether a confirmation was queued."""

    email: str
    state: str
    created: bool
    mailed: bool


@dataclass(slots=True)
class SignedUpMany:
    """What became of a file of subscribers; `rejected` holds line numbers and reasons, `asked`
    the interests of all lines together, each once."""

    added: int = 0
    updated: int = 0
    skipped: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    asked: dict[InterestKind, dict[str, None]] = field(default_factory=dict)


def by_form(
    installation: Installation, email: str, wanted: Wishes, *, client: str | None = None
) -> None:
    """Take a subscription from the web, typed by `client` (admission.py). What happens shows only
    in the address's own mailbox: a confirmation to a new one and to one that sent mail back, a
    link to the preferences to a known one. The statements that are executed are the same. What is
    asked for again without another mail is not taken: its owner would not be told.

    Raises InvalidWish for what is no address, SignupClosed by the operator's rule, TooManyAtOnce.
    """
    email = wishes.address(email)
    _require_open(installation, email)
    with installation.database.writing() as session:
        admit(installation, session, OpenForm.SUBSCRIBE, email, client)
        person = _new(session, email, installation.clock())
        works = person.state == SubscriberState.ACTIVE and person.suppressed_at is None
        kind = DeliveryKind.ACCESS_LINK if works else DeliveryKind.CONFIRMATION
        is_told = link_mails.queue(installation, session, person, kind)
        # A stranger must neither learn nor change anything about a subscriber, and somebody who
        # left keeps the interests they had until they say so themselves.
        asked = (wanted.interests(), wanted.columns())
        subscribers.ask_while_pending(session, person, *asked, is_told=is_told)


def by_command(
    installation: Installation, email: str, wanted: Wishes, *, confirmed: bool
) -> SignedUp:
    """Subscribe an address or change what it asked for; a `confirmed` one is sent nothing."""
    email = wishes.address(email)
    with installation.database.writing() as session:
        return _sign_up(installation, session, email, wanted, confirmed=confirmed)


def from_file(installation: Installation, path: Path, *, confirmed: bool) -> SignedUpMany:
    """Subscribe everyone in a CSV; a bad line is rejected and the rest goes in.

    Someone who unsubscribed is skipped: a list does not undo a person's own decision.
    """
    result = SignedUpMany()
    for count, (email, wanted) in enumerate(_asked_for(path, result, installation.say), start=1):
        # One transaction each: others get their turn, and nobody waits in two places.
        with installation.database.writing() as session:
            _sign_up_from_list(installation, session, email, wanted, confirmed, result)
        for kind, values in wanted.interests().items():
            result.asked.setdefault(kind, {}).update(dict.fromkeys(values))
        if count % LINES_BETWEEN_WORDS == 0:
            installation.say(f"{count:,} lines taken in")
    return result


def _asked_for(
    path: Path, result: SignedUpMany, say: Callable[[str], None]
) -> Iterator[tuple[str, Wishes]]:
    """Addresses and wishes of a list's lines; what cannot be used goes to `result.rejected`.

    Raises UnreadableList.
    """
    for line, row in _rows(path, say):
        try:
            if any(_is_undecoded(value) for value in row.values()):
                raise InvalidWish("not UTF-8 text")
            email = wishes.address(row.get("email") or "")
            yield email, wishes.checked({k: v for k, v in row.items() if v})
        except InvalidWish as error:
            result.rejected.append((line, str(error)))


def _is_undecoded(value: str | None) -> bool:
    """Whether a text holds bytes that `surrogateescape` carried along."""
    return any("\udc80" <= sign <= "\udcff" for sign in value or "")


def _sign_up_from_list(
    installation: Installation,
    session: Session,
    email: str,
    wanted: Wishes,
    confirmed: bool,
    result: SignedUpMany,
) -> None:
    person = subscribers.by_email(session, email)
    if person is not None and person.state == SubscriberState.UNSUBSCRIBED:
        result.skipped += 1
        return
    before = None if person is None else _described(session, person)
    done = _sign_up(installation, session, email, wanted, confirmed=confirmed)
    person = subscribers.by_email(session, email)
    if done.created:
        result.added += 1
    elif person is not None and _described(session, person) != before:
        result.updated += 1
    else:
        result.skipped += 1


def _described(session: Session, person: Subscriber) -> tuple[object, ...]:
    own = subscribers.interests(session, [id_of(person)])[id_of(person)]
    schedule = (person.timezone, person.hour, person.size, person.frequency)
    selection = (person.threshold, person.explore, person.quiet_note, person.revisions)
    interests = {kind: sorted(values) for kind, values in own.items()}
    return (person.state, *schedule, *selection, interests)


def _rows(path: Path, say: Callable[[str], None]) -> Iterator[tuple[int, Mapping[str, str | None]]]:
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
            if "email" not in names:
                raise UnreadableList(f"{path}: the first line must name the columns, with email")
            for name in names:
                if name not in COLUMNS:
                    say(f"column {name!r} is not known and left out (known: {', '.join(COLUMNS)})")
            reader.fieldnames = names
            for row in reader:
                yield reader.line_num, {name: row.get(name) for name in COLUMNS}
    except (OSError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnreadableList(f"{path}: {reason}") from error


def _sign_up(
    installation: Installation, session: Session, email: str, wanted: Wishes, *, confirmed: bool
) -> SignedUp:
    now = installation.clock()
    person = subscribers.by_email(session, email)
    created = person is None
    person = person or _new(session, email, now)
    if confirmed:
        activate(person, now)
    apply(session, person, wanted, now)
    mailed = False
    if person.state != SubscriberState.ACTIVE:
        mailed = link_mails.queue(installation, session, person, DeliveryKind.CONFIRMATION)
    return SignedUp(email, person.state, created, mailed)


def _require_open(installation: Installation, email: str) -> None:
    rule = installation.settings.signup
    domain = email.rpartition("@")[2]
    if rule == ("open",) or domain in rule:
        return
    if rule == ("closed",):
        raise SignupClosed("subscribing by this form is closed; ask whoever runs it")
    raise SignupClosed(f"only addresses at {', '.join(rule)} may subscribe here")


def _new(session: Session, email: str, now: datetime) -> Subscriber:
    person = Subscriber(email=email, state=SubscriberState.PENDING, joined_at=now)
    subscribers.add(session, person)  # or whoever posted the same form at the same moment
    found = subscribers.by_email(session, email)
    if found is None:
        raise ValueError("a subscriber was not stored")
    return found


def activate(person: Subscriber, now: datetime) -> None:
    """Begin a subscription; the row is for the caller to add and to schedule."""
    if person.state != SubscriberState.ACTIVE:
        person.state, person.confirmed_at, person.left_at = SubscriberState.ACTIVE, now, None


def deactivate(person: Subscriber, now: datetime) -> None:
    """End a subscription; the row is for the caller to add."""
    person.state, person.left_at = SubscriberState.UNSUBSCRIBED, now
    reschedule(person, now)


def reactivate(session: Session, person: Subscriber, now: datetime) -> None:
    """Undo the end of a subscription; what was held back and is still news goes out after all."""
    person.state, person.left_at = SubscriberState.ACTIVE, None
    reschedule(person, now)
    session.add(person)
    outbox.unsuppress(session, id_of(person), now)


def apply(session: Session, person: Subscriber, wanted: Wishes, now: datetime) -> None:
    """Write what was asked for, and when the next digest is due."""
    subscribers.set_interests(session, id_of(person), wanted.interests())
    for name, value in wanted.columns().items():
        setattr(person, name, value)
    reschedule(person, now)
    session.add(person)
    session.flush()


def reschedule(person: Subscriber, now: datetime) -> None:
    """Set when an active subscriber's next digest is due; nobody else has one.

    One that is due already stays so: what was saved a moment before the tick costs no digest.
    """
    if person.state == SubscriberState.ACTIVE:
        if person.next_due_at is not None and person.next_due_at <= now:
            return
        due = calendar.next_due(person.frequency, person.hour, person.timezone, now)
        person.next_due_at = due.at
    else:
        person.next_due_at = None


def mail_access_link(installation: Installation, email: str) -> bool:
    """Mail a fresh link to the preferences, export and deletion, or one to confirm to who has not
    yet; for an unknown address nothing happens. Whether a mail was queued is for the address's
    owner alone to be told. Raises InvalidWish for what is no address."""
    email = wishes.address(email)
    with installation.database.writing() as session:
        return _mail_access_link(installation, session, email)


def mail_access_link_by_form(installation: Installation, email: str, *, client: str) -> None:
    """The same for an address that `client` typed. Raises InvalidWish and TooManyAtOnce."""
    email = wishes.address(email)
    with installation.database.writing() as session:
        admit(installation, session, OpenForm.LINK, email, client)
        _mail_access_link(installation, session, email)


def _mail_access_link(installation: Installation, session: Session, email: str) -> bool:
    person = subscribers.by_email(session, email)
    if person is None:
        link_mails.queue_for_nobody(installation, session, email)
        return False
    # Of one kind, whichever form is posted: strangers have few mails sent to who never asked.
    is_pending = person.state == SubscriberState.PENDING
    kind = DeliveryKind.CONFIRMATION if is_pending else DeliveryKind.ACCESS_LINK
    return link_mails.queue(installation, session, person, kind)
