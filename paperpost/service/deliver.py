"""Delivering what is queued: the store's outbox as the mailer wants it."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlmodel import Session

from mailer.delivery import Tally, deliver
from mailer.outbox import Claim, Recorded, Settled
from mailer.transport import open_transport
from paperpost.service import bounce, calendar, throttling
from paperpost.service.installation import Installation
from paperpost.service.leases import is_dead, new_lease
from paperpost.service.letters import Materials, Shown, build, shown
from paperpost.store import digests, fragments, leases, subscribers, throttles
from paperpost.store.database import StoreError
from paperpost.store.leases import Held, Result
from paperpost.store.tables import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Digest,
    SubscriberState,
)

log = structlog.get_logger()

LEASE = timedelta(seconds=30)
SMTP_TIMEOUT_SECONDS = 60.0
CLAIMED_AT_ONCE = 100
# So long a database may be away until what the server took meanwhile is forgotten, and sent again.
LONGEST_OUTAGE_SECONDS = 300.0
# Of about four kilobytes each, kept in memory during a run.
MOST_FRAGMENTS = 2_000


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
        settle_for=LONGEST_OUTAGE_SECONDS,
    )


@dataclass
class StoreOutbox:
    """The mailer's Outbox over the store's rows; one for each run.

    `retry_all_before`: what was refused for now, and not since then, may be tried even if its next
    try is not due yet.
    """

    installation: Installation
    retry_all_before: datetime | None = None
    lease: str = field(default_factory=new_lease)
    _fragments: dict[int, Shown] = field(default_factory=dict)
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
        try:
            materials = self._materials(rows)
        except BaseException:
            self._release([row.id or 0 for row in rows])
            raise
        return [
            Claim(
                row.id or 0,
                row.attempts,
                partial(build, self.installation, row, materials),
                unknown=row.state == DeliveryState.UNKNOWN,
            )
            for row in rows
        ]

    def settle(
        self, done: Sequence[tuple[Claim, Recorded]], next_ones: Sequence[Claim], now: datetime
    ) -> Settled:
        """Write down what ended, and look once more at what is next, in one transaction."""
        numbers = [claim.delivery_id for claim, _ in done]
        numbers += [claim.delivery_id for claim in next_ones]
        with self.installation.database.writing() as session:
            held = leases.held(session, self.lease, numbers)
            ours = [(claim, what) for claim, what in done if claim.delivery_id in held]
            self._record(session, ours, held, now)
            waiting = [held[one.delivery_id] for one in next_ones if one.delivery_id in held]
            good = [one for one in waiting if one.lease_ends_at > now]
            confirmed = frozenset(self._begin(session, good, now))
        self._count_refusals([(claim, what) for claim, what in ours if what.state == "failed"], now)
        recorded = frozenset(claim.delivery_id for claim, _ in ours)
        return Settled(recorded, confirmed, frozenset(one.id for one in good) - confirmed)

    def renew(self, now: datetime) -> None:
        """Extend the leases that are still ours."""
        with self.installation.database.writing() as session:
            leases.renew(session, self.lease, now, now + LEASE)

    def release(self, claims: Sequence[Claim]) -> None:
        """Give back what was not tried, as it was."""
        self._release([claim.delivery_id for claim in claims])

    def _release(self, numbers: Sequence[int]) -> None:
        with self.installation.database.writing() as session:
            leases.release(session, self.lease, numbers)

    def next_lease_end(self, now: datetime) -> datetime | None:
        """When the first of others' leases runs out."""
        with self.installation.database.reading() as session:
            return leases.next_lease_end(session, now, but_not=self.lease)

    def _record(
        self,
        session: Session,
        done: Sequence[tuple[Claim, Recorded]],
        held: Mapping[int, Held],
        now: datetime,
    ) -> None:
        results = [_result(claim.delivery_id, recorded) for claim, recorded in done]
        if results:
            leases.record(session, results, now)
        # In one order: two processes that lock the same rows in two orders would lock up.
        for domain, reply in sorted(
            (held[claim.delivery_id].domain, recorded.reply)
            for claim, recorded in done
            if recorded.throttled
        ):
            throttles.close(session, domain, now + throttling.CLOSED_FOR, reply)

    def _count_refusals(self, refused: Sequence[tuple[Claim, Recorded]], now: datetime) -> None:
        """Let refusals for good count against their addresses, each on its own: this locks
        subscribers, as deleting one does, whose mails would then be waited for."""
        for claim, recorded in refused:
            try:
                with self.installation.database.writing() as session:
                    bounce.refused(session, claim.delivery_id, recorded.reply, now)
            except StoreError as error:
                log.warning("refusal not counted", delivery=claim.delivery_id, error=str(error))

    def _begin(self, session: Session, waiting: Sequence[Held], now: datetime) -> list[int]:
        """Of these deliveries those that go out now; what is not wanted any more is closed."""
        if not waiting:
            return []
        too_much = throttling.closed(throttles.all_of(session), now)
        leases.release(session, self.lease, [one.id for one in waiting if one.domain in too_much])
        going = []
        for one in waiting:
            end = last_look(one, now)
            if end is not None:
                leases.close(session, one.id, *end)
            elif one.domain not in too_much:
                going.append(one)
        numbers = [one.id for one in going]
        if numbers:
            leases.begin(session, numbers, now + LEASE)
        return numbers

    def _materials(self, rows: Sequence[Delivery]) -> Materials:
        of_digests = [row.id or 0 for row in rows if row.kind == DeliveryKind.DIGEST]
        with self.installation.database.reading() as session:
            found = digests.of_deliveries(session, of_digests)
            return Materials(
                subscribers=subscribers.by_id(session, {row.subscriber_id or 0 for row in rows}),
                digests=found,
                fragments=self._shown(session, found.values()),
            )

    def _shown(self, session: Session, of_digests: Iterable[Digest]) -> dict[int, Shown]:
        """The fragments of these digests; the day's papers are in most, and read once."""
        wanted = {item["fragment"] for digest in of_digests for item in digest.items}
        kept = self._fragments
        if len(kept) > MOST_FRAGMENTS:
            kept.clear()
        found = fragments.by_number(session, wanted - kept.keys())
        kept |= {number: shown(stored) for number, stored in found.items()}
        return {number: kept[number] for number in wanted if number in kept}


def _result(number: int, recorded: Recorded) -> Result:
    state = DeliveryState(recorded.state)
    return Result(number, state, recorded.reply, recorded.next_attempt_at, recorded.counted)


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
