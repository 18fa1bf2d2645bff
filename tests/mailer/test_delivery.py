import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.delivery import Claim, Recorded, Tally, deliver, judge, retry_delay
from mailer.outcome import Accepted, Outcome, Outgoing, Refused, Unknown, Unreachable
from mailer.transport import FileTransport

NOW = datetime(2026, 4, 14, 8, tzinfo=UTC)
LEASE = timedelta(seconds=30)


@dataclass
class Row:
    """A delivery as an outbox stores it."""

    state: str = "queued"
    lease: str | None = None
    lease_end: datetime = NOW
    due: datetime = NOW
    attempts: int = 0
    reply: str = ""


@dataclass
class Now:
    """A clock that stands still until it is told to go on."""

    moment: datetime = NOW

    def __call__(self) -> datetime:
        return self.moment

    def later(self, **how_much: float) -> None:
        self.moment += timedelta(**how_much)


@dataclass
class MemoryOutbox:
    """The rules of an outbox, in memory; `who` is the process whose view of the rows this is."""

    rows: dict[int, Row]
    who: str = "us"
    build: Callable[[int], Outgoing] | None = None
    renewed: list[int] = field(default_factory=list)

    def claim(self, now: datetime, limit: int) -> Sequence[Claim]:
        free = [
            (number, row)
            for number, row in self.rows.items()
            if row.state in ("queued", "unknown", "sending")
            and row.due <= now
            and (row.lease is None or row.lease_end <= now)
        ]
        for _, row in free[:limit]:
            row.state, row.lease, row.lease_end = "sending", f"{self.who} {now}", now + LEASE
        return [self._claim(number, row) for number, row in free[:limit]]

    def confirm(self, claim: Claim, now: datetime) -> bool:
        return bool(self.renew([claim], now))

    def renew(self, claims: Sequence[Claim], now: datetime) -> set[int]:
        held = {claim.delivery_id for claim in claims if self._held(claim)}
        for number in held:
            self.rows[number].lease_end = now + LEASE
        self.renewed += sorted(held)
        return held

    def record(self, claim: Claim, recorded: Recorded, now: datetime) -> bool:
        if not self._held(claim):
            return False
        row = self.rows[claim.delivery_id]
        row.state, row.reply, row.lease = recorded.state, recorded.reply, None
        row.attempts += recorded.counted
        row.due = recorded.next_attempt_at or row.due
        return True

    def release(self, claims: Sequence[Claim], now: datetime) -> None:
        for claim in claims:
            if self._held(claim):
                row = self.rows[claim.delivery_id]
                row.state, row.lease = "queued", None

    def next_lease_end(self, now: datetime) -> datetime | None:
        return min((row.lease_end for row in self.rows.values() if row.lease), default=None)

    def _held(self, claim: Claim) -> bool:
        return self.rows[claim.delivery_id].lease == claim.lease

    def _claim(self, number: int, row: Row) -> Claim:
        build = self.build or message
        return Claim(number, row.lease or "", row.attempts, lambda: build(number))


def message(number: int) -> Outgoing:
    data = f"Message-ID: <{number}@x>\r\n\r\nhello\r\n".encode()
    return Outgoing("paperpost@localhost", "ada@example.org", data, f"{number}.eml")


@dataclass
class Relay:
    """A transport that does as it is told, and then accepts."""

    outcomes: list[Outcome | Exception] = field(default_factory=list)
    before: Callable[[], object] = lambda: None
    sent: list[bytes] = field(default_factory=list)
    closed: int = 0

    def send(self, outgoing: Outgoing) -> Outcome:
        self.before()
        self.sent.append(outgoing.data)
        outcome = self.outcomes.pop(0) if self.outcomes else Accepted("250")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        self.closed += 1


def run(
    outbox: MemoryOutbox,
    relay: Relay,
    clock: Now | None = None,
    stop: threading.Event | None = None,
    wait_for_leases: bool = False,
    renew_every: float = 10,
) -> Tally:
    return deliver(
        outbox,
        relay,
        clock or Now(),
        stop or threading.Event(),
        batch=3,
        wait_for_leases=wait_for_leases,
        renew_every=renew_every,
    )


def rows(count: int) -> dict[int, Row]:
    return {number: Row() for number in range(1, count + 1)}


def states(outbox: MemoryOutbox) -> list[str]:
    assert not [row for row in outbox.rows.values() if row.lease], "nothing stays leased"
    return [row.state for row in outbox.rows.values()]


def test_everything_due_is_sent_once() -> None:
    outbox, relay = MemoryOutbox(rows(7)), Relay()
    assert run(outbox, relay) == Tally(sent=7)
    assert relay.sent == [message(number).data for number in range(1, 8)]
    assert states(outbox) == ["sent"] * 7


def test_real_files_are_written(tmp_path: Path) -> None:
    outbox = MemoryOutbox(rows(3))
    stop = threading.Event()
    tally = deliver(outbox, FileTransport(tmp_path), Now(), stop, wait_for_leases=False)
    assert tally == Tally(sent=3)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1.eml", "2.eml", "3.eml"]


def test_each_outcome_is_recorded_and_the_next_goes_on() -> None:
    outcomes: list[Outcome | Exception] = [
        Refused("550 no", permanent=True),
        Refused("450 busy", permanent=False),
        Unknown("lost"),
    ]
    outbox = MemoryOutbox(rows(4))
    assert run(outbox, Relay(outcomes)) == Tally(sent=1, queued=1, unknown=1, failed=1)
    assert states(outbox) == ["failed", "queued", "unknown", "sent"]
    assert [row.reply for row in outbox.rows.values()] == ["550 no", "450 busy", "lost", "250"]
    assert outbox.rows[2].due == NOW + timedelta(minutes=5)


def test_a_message_that_cannot_be_built_fails_alone() -> None:
    def build(number: int) -> Outgoing:
        if number == 2:
            raise KeyError("title")
        return message(number)

    outbox = MemoryOutbox(rows(3), build=build)
    assert run(outbox, Relay()) == Tally(sent=2, failed=1)
    assert outbox.rows[2].reply == "cannot be built: KeyError: 'title'"


def test_a_transport_that_breaks_leaves_the_delivery_unknown() -> None:
    outbox, relay = MemoryOutbox(rows(2)), Relay([RuntimeError("a bug")])
    assert run(outbox, relay) == Tally(sent=1, unknown=1)
    assert relay.closed == 1
    assert states(outbox) == ["unknown", "sent"]


def test_a_dead_server_costs_no_delivery_a_try() -> None:
    outbox, relay = MemoryOutbox(rows(5)), Relay([Accepted("250"), Unreachable("no route")])
    tally = run(outbox, relay)
    assert tally == Tally(sent=1, queued=1, unreachable="no route")
    assert len(relay.sent) == 2
    assert states(outbox) == ["sent", "queued", "queued", "queued", "queued"]
    assert [row.attempts for row in outbox.rows.values()] == [1, 0, 0, 0, 0]
    assert run(outbox, relay) == Tally(sent=4), "all go when the server is back"


def test_a_lost_lease_means_not_sent() -> None:
    outbox, relay, clock = MemoryOutbox(rows(2)), Relay(), Now()
    thief = replace(outbox, who="them")

    def frozen() -> None:
        """A process stopped in the middle of a message, and the others gone on without it."""
        relay.before = lambda: None
        clock.later(minutes=5)
        thief.claim(clock(), 5)

    relay.before = frozen
    assert run(outbox, relay, clock) == Tally(lost=2)
    assert relay.sent == [message(1).data], "the second was checked before it was sent"


def test_a_crash_between_sending_and_recording_doubles_the_same_bytes() -> None:
    class Killed(BaseException):
        pass

    class Crashing(MemoryOutbox):
        def record(self, claim: Claim, recorded: Recorded, now: datetime) -> bool:
            raise Killed

    outbox, relay, clock = Crashing(rows(3)), Relay(), Now()
    with pytest.raises(Killed):
        run(outbox, relay, clock)
    clock.later(seconds=31)
    assert run(MemoryOutbox(outbox.rows), relay, clock) == Tally(sent=3)
    assert sorted(relay.sent) == sorted(message(number).data for number in (1, 1, 2, 3))


def test_stop_finishes_the_mail_in_flight_and_releases_the_rest() -> None:
    stop = threading.Event()
    outbox, relay = MemoryOutbox(rows(5)), Relay(before=stop.set)
    assert run(outbox, relay, stop=stop) == Tally(sent=1)
    assert states(outbox) == ["sent", "queued", "queued", "queued", "queued"]
    assert run(outbox, relay, stop=stop) == Tally(), "a run that is stopped does not begin"


def test_the_leases_of_others_are_waited_for() -> None:
    outbox, relay, clock = MemoryOutbox(rows(2)), Relay(), Now()
    replace(outbox, who="them").claim(NOW, 1)

    class Waiting(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            clock.later(seconds=10)
            return False

    assert run(outbox, relay, clock, wait_for_leases=False) == Tally(sent=1)
    assert run(outbox, relay, clock, Waiting(), wait_for_leases=True) == Tally(sent=1)
    assert states(outbox) == ["sent", "sent"]


def test_leases_are_renewed_while_a_server_is_slow() -> None:
    enough = threading.Event()

    class Watched(MemoryOutbox):
        def renew(self, claims: Sequence[Claim], now: datetime) -> set[int]:
            if len(claims) > 1:
                enough.set()
            return super().renew(claims, now)

    outbox = Watched(rows(3))
    relay = Relay(before=lambda: enough.wait(5))
    assert run(outbox, relay, renew_every=0.01) == Tally(sent=3)
    assert enough.is_set()


def test_a_delivery_is_tried_once_in_a_run_even_if_it_is_due_again() -> None:
    class Eager(MemoryOutbox):
        def record(self, claim: Claim, recorded: Recorded, now: datetime) -> bool:
            return super().record(claim, replace(recorded, next_attempt_at=now), now)

    busy = Refused("450 busy", permanent=False)
    outbox, relay = Eager(rows(2)), Relay([busy, busy])
    assert run(outbox, relay, wait_for_leases=True) == Tally(queued=2)
    assert states(outbox) == ["queued", "queued"]


def test_an_outbox_that_forgets_cannot_keep_a_run_going() -> None:
    class Forgetful(MemoryOutbox):
        def record(self, claim: Claim, recorded: Recorded, now: datetime) -> bool:
            self.rows[claim.delivery_id].lease = None
            return False

    outbox, relay = Forgetful(rows(1)), Relay()
    assert run(outbox, relay, wait_for_leases=True) == Tally(lost=3)


def test_an_error_of_the_outbox_is_raised_and_the_rest_is_released() -> None:
    class Broken(MemoryOutbox):
        def record(self, claim: Claim, recorded: Recorded, now: datetime) -> bool:
            raise OSError("the disk is full")

    outbox = Broken(rows(3))
    with pytest.raises(OSError, match="disk"):
        run(outbox, Relay())
    assert [row.lease is None for row in outbox.rows.values()] == [False, True, True]


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**9))
def test_delays_grow_from_five_minutes_to_an_hour(attempts: int) -> None:
    delay = retry_delay(attempts)
    assert timedelta(minutes=5) <= delay <= retry_delay(attempts + 1) <= timedelta(hours=1)


def test_a_try_is_judged_by_its_outcome() -> None:
    assert judge(Accepted("250"), 3, NOW) == Recorded("sent", "250", None)
    assert judge(Refused("5", permanent=True), 0, NOW) == Recorded("failed", "5", None)
    later = NOW + timedelta(minutes=20)
    assert judge(Refused("4", permanent=False), 2, NOW) == Recorded("queued", "4", later)
    assert judge(Unknown("?"), 2, NOW) == Recorded("unknown", "?", later)
    assert judge(Unreachable("-"), 2, NOW) == Recorded("queued", "-", NOW, counted=False)
