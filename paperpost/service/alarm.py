"""The operator is told when digests fail: what is wrong, as sentences, and a mail that says it.

At most one mail a day, and none as long as nothing is new. No address and no link of a
subscriber stands in it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from paperpost.service.discretion import discreet
from paperpost.service.installation import Installation
from paperpost.service.letters import message_id
from paperpost.service.silence import at, could_not_be_read
from paperpost.service.standing import Standing, standings
from paperpost.sources.source import DayState, in_words
from paperpost.store import outbox, subscribers, troubles
from paperpost.store.subscribers import domain_of
from paperpost.store.tables import Delivery, DeliveryKind, DeliveryState
from paperpost.store.troubles import Mails

BETWEEN_ALARMS = timedelta(days=1)
ALARM_USEFUL = timedelta(days=3)
# A source may be away for a night, a mail server for the time of a restart, and a job may lose
# against somebody else's long transaction.
SOURCE_PATIENCE = timedelta(days=1)
MISSED_ANNOUNCEMENTS = 2
MAIL_PATIENCE = timedelta(hours=1)
JOB_PATIENCE = timedelta(minutes=15)
# What ended at a moment is written down a little later; each mail must be told of exactly once.
WRITTEN_DOWN = timedelta(minutes=1)
MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong. `key` is the same for as long as it is the same trouble."""

    key: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Failing:
    """Since when a job of the clock has failed at every turn, how it did first, and how often."""

    since: datetime
    reason: str
    times: int = 1


def look(
    installation: Installation, failing: Mapping[str, Failing], now: datetime
) -> list[Trouble]:
    """Everything that the operator should know; `failing` are jobs by name."""
    with installation.database.reading() as session:
        last = troubles.last_alarm(session)
        asked = standings(session, installation.settings, now)
        return [
            *lost_mail(session, last.created_at if last else None, now),
            *standing(session, asked, now),
            *failing_jobs(failing, now),
        ]


def standing(session: Session, asked: Sequence[Standing], now: datetime) -> list[Trouble]:
    """What goes on being wrong until somebody does something: with sources and the mail server."""
    waiting = troubles.stuck(session, now - MAIL_PATIENCE, now)
    return [
        *unread_sources(asked, now, subscribers.first_joined(session)),
        *stale_sources(asked, now),
        *stuck_mail(waiting),
    ]


def lost_mail(session: Session, last_alarm: datetime | None, now: datetime) -> list[Trouble]:
    """Mails that were lost since the last alarm, or within a day if there was none."""
    key, until = str(last_alarm or now.date()), now - WRITTEN_DOWN
    since = (last_alarm or now - BETWEEN_ALARMS) - WRITTEN_DOWN
    refused = troubles.refused(session, since, until)
    expired = troubles.expired(session, since, until)
    found = []
    if refused.number:
        sentence = _mails(refused, "was refused for good", "were refused for good")
        found.append(Trouble(f"refused since {key}", f"{sentence}: {_reasons(refused)}."))
    if expired.number:
        sentence = _mails(expired, "was not sent in time", "were not sent in time")
        found.append(Trouble(f"expired since {key}", f"{sentence} and given up."))
    return found


def unread_sources(
    asked: Sequence[Standing], now: datetime, begun: datetime | None = None
) -> list[Trouble]:
    """Sources that have failed for more than a day, or were not asked for two announcements; one
    that was never read has failed since there are subscribers (`begun`)."""
    found = []
    for one in asked:
        key = f"{one.name} unread since {one.succeeded_at}"
        since = one.succeeded_at or begun
        if one.failed and since is not None and now - since > SOURCE_PATIENCE:
            found.append(Trouble(key, could_not_be_read(one)))
        elif one.succeeded_at is not None and _missed(one, one.succeeded_at, now):
            found.append(Trouble(key, f"{one.name} was last read on {at(one.succeeded_at)}."))
    return found


def _missed(one: Standing, since: datetime, now: datetime) -> bool:
    first, last = one.source.today(since), one.source.today(now)
    return one.days_due(first, last) >= MISSED_ANNOUNCEMENTS


def stale_sources(asked: Sequence[Standing], now: datetime) -> list[Trouble]:
    """Sources that answer, and have had nothing new for two days on which they should."""
    found = []
    for one in asked:
        newest, today = one.newest_complete(), one.source.today(now)
        report = one.trouble(today)
        if one.failed or newest is None or report is None or report.state != DayState.STALE:
            continue
        if one.days_due(newest, today) >= MISSED_ANNOUNCEMENTS:
            sentence = f"{one.name} answers, but has had nothing newer than {in_words(newest)}: "
            key = f"{one.name} has nothing newer than {newest}"
            found.append(Trouble(key, f"{sentence}{discreet(report.evidence)}."))
    return found


def stuck_mail(waiting: Mails) -> list[Trouble]:
    """That no mail server has taken mail for an hour."""
    if waiting.oldest is None:
        return []
    sentence = _mails(waiting, "has waited", "have waited, the oldest")
    sentence = f"{sentence} since {at(waiting.oldest)}: {_reasons(waiting)}."
    return [Trouble(f"mail waits since {waiting.oldest}", sentence)]


def failing_jobs(failing: Mapping[str, Failing], now: datetime) -> list[Trouble]:
    """The jobs of the clock that have failed for a while."""
    return [
        Trouble(
            f"{job} fails since {one.since}",
            f"The job `{job}` has failed since {at(one.since)}: {discreet(one.reason)}.",
        )
        for job, one in failing.items()
        if now - one.since >= JOB_PATIENCE
    ]


def _mails(mails: Mails, one: str, many: str) -> str:
    return f"1 mail {one}" if mails.number == 1 else f"{mails.number:,} mails {many}"


def _reasons(mails: Mails) -> str:
    """The most frequent replies, without the addresses that stand in them."""
    counts = Counter(discreet(reply).rstrip(".") or "not tried yet" for reply in mails.replies)
    shown = [
        f"{reply} ({number} times)" if number > 1 else reply
        for reply, number in counts.most_common(MOST_REASONS)
    ]
    return "; ".join([*shown, "others"] if len(counts) > MOST_REASONS else shown)


def tell(installation: Installation, found: Sequence[Trouble], now: datetime) -> bool:
    """Queue a mail to the operator with everything that was `found` to be wrong at that moment,
    if it is time for one; whether it was.

    Only whoever holds the tick lock may call it: nobody else queues alarms then.
    """
    operator = installation.settings.operator
    if operator is None or not found:
        return False
    with installation.database.reading() as session:
        last = troubles.last_alarm(session)
    if last is not None and not is_time(last, found, now):
        return False
    with installation.database.writing() as session:
        outbox.add(session, _alarm(installation, operator, found, now))
    return True


def is_time(last: Delivery, found: Sequence[Trouble], now: datetime) -> bool:
    """Whether, after the last alarm, another one would tell something new and not too much."""
    if last.state in outbox.OPEN or abs(now - last.created_at) < BETWEEN_ALARMS:
        return False
    known = (last.content or {}).get("troubles", ())
    return any(trouble.key not in known for trouble in found)


def _alarm(
    installation: Installation, operator: str, found: Sequence[Trouble], now: datetime
) -> Delivery:
    number = "something is" if len(found) == 1 else f"{len(found)} things are"
    return Delivery(
        kind=DeliveryKind.ALARM,
        domain=domain_of(operator),
        local_date=now.date(),
        state=DeliveryState.QUEUED,
        content={
            "subject": f"Paperpost: {number} wrong",
            "lines": [trouble.sentence for trouble in found],
            "troubles": [trouble.key for trouble in found],
        },
        created_at=now,
        due_at=now,
        expires_at=now + ALARM_USEFUL,
        message_id=message_id(installation, 0, now.date(), f"alarm {now.isoformat()}"),
    )
