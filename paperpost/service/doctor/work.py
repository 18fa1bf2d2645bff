"""Whether the work is done: papers come in, digests are composed, mails go out."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from paperpost.service.doctor.checks import Check, fail, ok, warn
from paperpost.service.installation import Installation
from paperpost.service.standing import Standing, standings
from paperpost.service.throttling import closed
from paperpost.sources.source import DayState
from paperpost.store import overdue, papers, throttles
from paperpost.store.tables import DeliveryState

# Longer than a weekend with a holiday.
SILENT_TOO_LONG = timedelta(days=5)
# So many whole days without any paper are told of a source that never had one.
BARREN_DAYS = 2
LATE = timedelta(hours=1)
LATELY = timedelta(days=7)
# More failed mails than one in so many are a fault of ours rather than of addresses.
TOO_MANY = 20


def sources(installation: Installation) -> Iterator[Check]:
    """How the last fetch of each configured source ended and how its last days stand, and how new
    the newest paper is."""
    now = installation.clock()
    with installation.database.reading() as session:
        asked = standings(session, installation.settings, now)
        newest = papers.newest_day(session)
    for one in asked:
        yield _source(one, now)
    if not asked:
        yield warn("source", "PAPERPOST_SOURCES is empty: nothing is fetched")
    if newest is None:
        yield warn("papers", "none yet: run `paperpost fetch` or `paperpost import`")
    elif now.date() - newest > SILENT_TOO_LONG:
        yield warn("papers", f"none newer than {newest}: look at the sources")
    else:
        yield ok("papers", f"the newest are of {newest}")


def _source(one: Standing, now: datetime) -> Check:
    if one.asked_at is None:
        return warn("source", f"{one.name} was never asked: run `paperpost fetch` or `serve`")
    if one.succeeded_at is None or now - one.succeeded_at > SILENT_TOO_LONG:
        since = f"since {one.succeeded_at:%Y-%m-%d}" if one.succeeded_at else "yet"
        return fail("source", f"{one.name} has given nothing {since}: {one.detail or 'not asked'}")
    if one.failed:
        return warn("source", f"{one.name}: {one.detail}")
    answered = f"{one.name} answered at {one.succeeded_at:%Y-%m-%d %H:%M} UTC"
    if trouble := one.trouble(one.source.today(now)):
        return warn("source", f"{answered}; {trouble.day} is {trouble.state}: {trouble.evidence}")
    whole = [day for day in one.days.values() if day.state == DayState.COMPLETE]
    if len(whole) >= BARREN_DAYS and not any(day.papers for day in one.days.values()):
        return warn("source", f"{answered}, but never had a paper: is its name right?")
    known = max(one.days.values(), key=lambda report: report.day, default=None)
    newest = f"; {known.day} is {known.state}: {known.evidence}" if known else ""
    return ok("source", f"{answered}{newest}")


def digests(installation: Installation) -> Iterator[Check]:
    """Whether digests are composed and mails handed over when they are due."""
    late = installation.clock() - LATE
    with installation.database.reading() as session:
        uncomposed = overdue.uncomposed(session, late)
        unsent = overdue.unsent(session, late)
    if uncomposed:
        is_running = "is `paperpost serve` or `work` running? (`digest` by hand needs neither)"
        yield warn("digests", f"{uncomposed:,} are over an hour late: {is_running}")
    else:
        yield ok("digests", "composed when they are due")
    if unsent:
        yield fail("queue", f"{unsent:,} mails wait for over an hour: see `paperpost status`")
    else:
        yield ok("queue", "nothing waits for long")


def deliveries(installation: Installation) -> Iterator[Check]:
    """How the mails of the last days ended."""
    since = installation.clock() - LATELY
    with installation.database.reading() as session:
        counts = overdue.ended(session, since)
        refusal = overdue.last_refusal(session, since)
    sent, failed, expired = (
        counts.get(state, 0)
        for state in (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.EXPIRED)
    )
    said = f"{sent:,} sent in seven days, {failed:,} failed, {expired:,} too late"
    if not failed + expired:
        yield ok("deliveries", said)
        return
    said += f"; the last answer was: {refusal}" if refusal else ""
    is_bad = (failed + expired) * TOO_MANY > sent + failed + expired
    yield fail("deliveries", said) if is_bad else warn("deliveries", said)


def throttled(installation: Installation) -> Iterator[Check]:
    """Domains whose servers take nothing for now."""
    with installation.database.reading() as session:
        waiting = closed(throttles.all_of(session), installation.clock())
    for domain, one in waiting.items():
        until = f"{one.closed_until:%H:%M} UTC"
        yield warn("throttle", f"{domain} gets nothing until {until}: {one.reply}")
    if not waiting:
        yield ok("throttle", "no domain has said that it gets too much")
