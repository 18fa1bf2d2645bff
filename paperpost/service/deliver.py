"""Delivering what is queued: the store's outbox as the mailer wants it."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from mailer.delivery import Tally, deliver
from mailer.outbox import Claim, Recorded, Settled
from mailer.transport import open_transport
from paperpost.service import calendar, throttling
from paperpost.service.installation import Installation
from paperpost.service.leases import is_dead, new_lease
from paperpost.service.letters import Materials, build
from paperpost.store import digests, leases, subscribers, throttles
from paperpost.store.leases import Held, Result
from paperpost.store.tables import Delivery, DeliveryKind, DeliveryState, SubscriberState

LEASE = timedelta(seconds=30)
SMTP_TIMEOUT_SECONDS = 60.0
CLAIMED_AT_ONCE = 100


def send(
    installation: Installation, stop: threading.Event | None = None, *, patient: bool = True
) -> Tally:
    """Deliver what is due. A `patient` run, which a person asked for, tries once also what
    failed a moment ago, and waits until others' leases run out; an impatient one does neither.
    """
    settings = installation.settings
    started = installation.clock()
    return deliver(
        StoreOutbox(installation, retry_all_before=started if patient else None),
        partial(
            open_transport, settings.smtp_url, settings.mail_folder, timeout=SMTP_TIMEOUT_SECONDS
        ),
        installation.clock,
        stop or threading.Event(),
        connections=settings.smtp_connections,
        batch=CLAIMED_AT_ONCE,
        wait_for_leases=patient,
    )


@dataclass
class StoreOutbox:
    """The mailer's Outbox over the store's rows; one for each run.

    `retry_all_before`: whatever waits and was not tried since then may be tried, even if its
    next try is not due yet.
    """

    installation: Installation
    retry_all_before: datetime | None = None
    lease: str = field(default_factory=new_lease)
    _domains: dict[int, str] = field(default_factory=dict)
    _unknown: set[int] = field(default_factory=set)
    _has_tidied: bool = False

    def claim(self, now: datetime, limit: int) -> Sequence[Claim]:
        """Lease what may be tried now; each claim builds its mail when it is asked to."""
        with self.installation.database.writing() as session:
            leases.take_back(session, now, is_dead)
            if not self._has_tidied:
                # Once a run, for it looks at all that waits; the last look is at each mail.
                leases.expire(session, now)
                throttles.forget(session, now - throttling.FORGOTTEN_AFTER)
                self._has_tidied = True
            rows = leases.claim(
                session,
                self.lease,
                now + LEASE,
                now,
                limit=limit,
                retry_all_before=self.retry_all_before,
                room=_room(session, now),
            )
        materials = self._materials(rows)
        return [
            Claim(row.id or 0, row.attempts, partial(build, self.installation, row, materials))
            for row in rows
        ]

    def settle(
        self, done: Sequence[tuple[Claim, Recorded]], next_ones: Sequence[Claim], now: datetime
    ) -> Settled:
        """Write down what ended, and look once more at what is next, in one transaction."""
        with self.installation.database.writing() as session:
            recorded = self._record(session, done, now)
            confirmed = self._begin(session, [claim.delivery_id for claim in next_ones], now)
        for number in recorded:
            self._domains.pop(number, None)
            self._unknown.discard(number)
        return Settled(frozenset(recorded), frozenset(confirmed))

    def renew(self, now: datetime) -> None:
        """Extend the leases that are still ours."""
        with self.installation.database.writing() as session:
            leases.renew(session, self.lease, now, now + LEASE)

    def release(self, claims: Sequence[Claim], now: datetime) -> None:
        """Give back what was not tried, as it was."""
        with self.installation.database.writing() as session:
            leases.release(session, self.lease, [claim.delivery_id for claim in claims])

    def next_lease_end(self, now: datetime) -> datetime | None:
        """When the first of others' leases runs out."""
        with self.installation.database.reading() as session:
            return leases.next_lease_end(session, now, but_not=self.lease)

    def _record(
        self, session: Session, done: Sequence[tuple[Claim, Recorded]], now: datetime
    ) -> set[int]:
        if not done:
            return set()
        results = [self._result(claim.delivery_id, recorded) for claim, recorded in done]
        for claim, recorded in done:
            if recorded.throttled:
                until = now + throttling.CLOSED_FOR
                throttles.close(session, self._domains[claim.delivery_id], until, recorded.reply)
        return leases.record(session, self.lease, results, now)

    def _result(self, number: int, recorded: Recorded) -> Result:
        state = DeliveryState(recorded.state)
        if not recorded.counted and number in self._unknown:
            state = DeliveryState.UNKNOWN  # it was not tried, and nobody knows more than before
        return Result(number, state, recorded.reply, recorded.next_attempt_at, recorded.counted)

    def _begin(self, session: Session, wanted: Sequence[int], now: datetime) -> set[int]:
        """Of these deliveries those that go out now; what is not wanted any more is closed."""
        if not wanted:
            return set()
        held = leases.held(session, self.lease, wanted, now)
        too_much = throttling.closed(throttles.all_of(session), now)
        going = {one.id: one for one in held}
        leases.release(session, self.lease, [one.id for one in held if one.domain in too_much])
        for one in held:
            end = last_look(one, now)
            if end is not None:
                leases.close(session, [one.id], *end)
            if end is not None or one.domain in too_much:
                del going[one.id]
        leases.begin(session, going, now + LEASE)
        self._domains |= {one.id: one.domain for one in going.values()}
        self._unknown |= {one.id for one in going.values() if one.state == DeliveryState.UNKNOWN}
        return set(going)

    def _materials(self, rows: Sequence[Delivery]) -> Materials:
        of_digests = [row.id or 0 for row in rows if row.kind == DeliveryKind.DIGEST]
        with self.installation.database.reading() as session:
            found = digests.of_deliveries(session, of_digests)
            shown = {item["fragment"] for digest in found.values() for item in digest.items}
            return Materials(
                subscribers=subscribers.by_id(session, {row.subscriber_id or 0 for row in rows}),
                digests=found,
                fragments=digests.fragments(session, shown),
            )


def last_look(mail: Held, now: datetime) -> tuple[DeliveryState, str] | None:
    """How a mail ends that is not of use any more; None if it is."""
    if mail.expires_at <= now:
        return DeliveryState.EXPIRED, leases.TOO_LATE
    if mail.kind != DeliveryKind.DIGEST:
        return None
    if mail.subscriber_state != SubscriberState.ACTIVE:
        return DeliveryState.SUPPRESSED, "the subscriber left"
    if mail.suppressed_at is not None:
        return DeliveryState.SUPPRESSED, "mail to this address came back"
    if calendar.is_paused(mail.paused_until, mail.timezone or "UTC", now):
        return DeliveryState.SUPPRESSED, "the subscriber paused"
    return None


def _room(session: Session, now: datetime) -> dict[str, int]:
    """How many more mails to each throttled domain may be leased, by anybody."""
    allowed = {
        one.domain: throttling.connections(one.closed_until, now)
        for one in throttles.all_of(session)
    }
    leased = leases.leased_by_domain(session, allowed, now) if allowed else {}
    return {domain: max(0, most - leased[domain]) for domain, most in allowed.items()}
