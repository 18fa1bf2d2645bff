"""Delivering what is queued: the store's outbox as the mailer wants it."""

import os
import platform
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path

import psutil
from sqlmodel import Session

from mailer.delivery import Claim, Recorded, Tally, deliver
from mailer.transport import Outgoing, open_transport
from paperpost.service import calendar
from paperpost.service.installation import Installation
from paperpost.service.letters import Materials, build
from paperpost.store import digests, outbox, subscribers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Delivery, DeliveryKind, DeliveryState

LEASE = timedelta(seconds=30)
SMTP_TIMEOUT_SECONDS = 60.0


def send(
    installation: Installation, stop: threading.Event | None = None, *, patient: bool = True
) -> Tally:
    """Deliver what is due. A `patient` run, which a person asked for, tries once also what
    failed a moment ago, and waits until others' leases run out; an impatient one does neither.
    """
    settings = installation.settings
    transport = open_transport(
        settings.smtp_url, settings.mail_folder, timeout=SMTP_TIMEOUT_SECONDS
    )
    started = installation.clock()
    shelf = StoreOutbox(installation, retry_all_before=started if patient else None)
    try:
        return deliver(
            shelf,
            transport,
            installation.clock,
            stop or threading.Event(),
            wait_for_leases=patient,
        )
    finally:
        transport.close()


@dataclass
class StoreOutbox:
    """The mailer's Outbox over the store's rows; one for each run.

    `retry_all_before`: whatever waits and was not tried since then may be tried, even if its
    next try is not due yet.
    """

    installation: Installation
    retry_all_before: datetime | None = None
    lease: str = ""
    _unknown: set[int] = field(default_factory=set)
    _has_tidied: bool = False

    def __post_init__(self) -> None:
        self.lease = self.lease or new_lease()

    def claim(self, now: datetime, limit: int) -> Sequence[Claim]:
        """Lease what may be tried now; each claim builds its mail when it is asked to."""
        with self.installation.database.writing() as session:
            taken_back = outbox.take_back(session, now, is_dead)
            if taken_back or not self._has_tidied:
                # Once a run, for it looks at all that waits; `confirm` looks at each mail again.
                outbox.expire(session, now)
                outbox.suppress(session, self._paused(session, now))
                self._has_tidied = True
            rows = outbox.claim(
                session,
                self.lease,
                now,
                limit=limit,
                lasts=LEASE,
                retry_all_before=self.retry_all_before,
            )
        self._unknown |= {row.id or 0 for row in rows if row.state == DeliveryState.UNKNOWN}
        materials = self._materials(rows)
        return [
            Claim(row.id or 0, self.lease, row.attempts, self._builder(row, materials))
            for row in rows
        ]

    def renew(self, claims: Sequence[Claim], now: datetime) -> set[int]:
        """Extend the leases; those that are still ours."""
        ids = [claim.delivery_id for claim in claims]
        with self.installation.database.writing() as session:
            return outbox.renew(session, self.lease, ids, now, LEASE)

    def confirm(self, claim: Claim, now: datetime) -> bool:
        """The last look: whether it is still ours and of use, and its subscriber still wants it."""
        number = claim.delivery_id
        with self.installation.database.writing() as session:
            outbox.expire(session, now, number, self.lease)
            outbox.suppress(session, self._paused(session, now), number, self.lease)
            return bool(outbox.renew(session, self.lease, [number], now, LEASE))

    def record(self, claim: Claim, recorded: Recorded, now: datetime) -> bool:
        """Write down how the try ended, in a transaction of its own."""
        state = DeliveryState(recorded.state)
        if not recorded.counted and claim.delivery_id in self._unknown:
            state = DeliveryState.UNKNOWN  # it was not tried, and nobody knows more than before
        with self.installation.database.writing() as session:
            return outbox.record(
                session,
                claim.delivery_id,
                claim.lease,
                state,
                recorded.reply,
                now,
                recorded.next_attempt_at,
                counted=recorded.counted,
            )

    def release(self, claims: Sequence[Claim], now: datetime) -> None:
        """Give back what was not tried, as it was."""
        ids = {claim.delivery_id for claim in claims}
        with self.installation.database.writing() as session:
            unknown = ids & self._unknown
            outbox.release(session, self.lease, unknown, DeliveryState.UNKNOWN)
            outbox.release(session, self.lease, ids - unknown, DeliveryState.QUEUED)

    def next_lease_end(self, now: datetime) -> datetime | None:
        """When the first of others' leases runs out."""
        with self.installation.database.reading() as session:
            return outbox.next_lease_end(session, now, but_not=self.lease)

    def _paused(self, session: Session, now: datetime) -> list[int]:
        return [
            id_of(person)
            for person in subscribers.pausing(session, now.date())
            if calendar.is_paused(person.paused_until, person.timezone, now)
        ]

    def _builder(self, row: Delivery, materials: Materials) -> Callable[[], Outgoing]:
        return partial(build, self.installation, row, materials)

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


def new_lease() -> str:
    """A lease that names this process so that others on this machine can tell if it is dead."""
    process = psutil.Process()
    return f"{_machine()}|{process.pid}|{process.create_time():.2f}|{secrets.token_hex(6)}"


def is_dead(lease: str) -> bool:
    """Whether the holder was a process of this machine that is no more."""
    machine, pid, started = (*lease.split("|"), "", "", "")[:3]
    if machine != _machine() or not pid.isdigit():
        return False
    try:
        process = psutil.Process(int(pid))
        # A number that was given to another process since: its start differs by more than the
        # clock can have been set by in between.
        replaced = abs(process.create_time() - float(started)) > 5
        return replaced or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except (psutil.AccessDenied, ValueError):
        return False


@cache
def _machine() -> str:
    """This machine since it started and, on Linux, this container: the process numbers of
    others mean nothing here."""
    parts = [platform.node()]
    boot = Path("/proc/sys/kernel/random/boot_id")
    if boot.exists():
        parts.append(boot.read_text(encoding="ascii").strip())
    namespace = Path("/proc/self/ns/pid")
    if namespace.exists():
        parts.append(os.readlink(namespace))
    return "/".join(parts).replace("|", "")
