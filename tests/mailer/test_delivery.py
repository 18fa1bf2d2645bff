import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.delivery import Tally, deliver
from mailer.judgement import is_throttled, judge, retry_delay
from mailer.outbox import Claim, Recorded, Settled
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
    renewals: int = 0

    def claim(self, now: datetime, limit: int) -> Sequence[Claim]:
        for row in self.rows.values():
            if row.lease is not None and row.lease_end <= now:
                row.lease = None
                row.state = "unknown" if row.state == "sending" else row.state
        free = [
            (number, row)
            for number, row in self.rows.items()
            if row.state in ("queued", "unknown") and row.due <= now and row.lease is None
        ]
        for _, row in free[:limit]:
            row.lease, row.lease_end = self.who, now + LEASE
        return [self._claim(number, row) for number, row in free[:limit]]

    def settle(
        self, done: Sequence[tuple[Claim, Recorded]], next_ones: Sequence[Claim], now: datetime
    ) -> Settled:
        recorded = frozenset(
            claim.delivery_id for claim, what in done if self.record(claim.delivery_id, what)
        )
        confirmed = {claim.delivery_id for claim in next_ones if self._held(claim, now)}
        for number in confirmed:
            self.rows[number].state, self.rows[number].lease_end = "sending", now + LEASE
        return Settled(recorded, frozenset(confirmed))

    def record(self, number: int, recorded: Recorded) -> bool:
        row = self.rows[number]
        if row.lease != self.who:
            return False
        row.state, row.reply, row.lease = recorded.state, recorded.reply, None
        row.attempts += recorded.counted
        row.due = recorded.next_attempt_at or row.due
        return True

    def renew(self, now: datetime) -> None:
        self.renewals += 1

    def release(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            row = self.rows[claim.delivery_id]
            if row.lease == self.who:
                row.lease = None

    def next_lease_end(self, now: datetime) -> datetime | None:
        return min((row.lease_end for row in self.rows.values() if row.lease), default=None)

    def _held(self, claim: Claim, now: datetime) -> bool:
        row = self.rows[claim.delivery_id]
        return row.lease == self.who and row.lease_end > now

    def _claim(self, number: int, row: Row) -> Claim:
        build = self.build or message
        return Claim(number, row.attempts, lambda: build(number))


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
    connections: int = 1,
) -> Tally:
    return deliver(
        outbox,
        lambda: relay,
        clock or Now(),
        stop or threading.Event(),
        connections=connections,
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
    tally = deliver(outbox, lambda: FileTransport(tmp_path), Now(), stop, wait_for_leases=False)
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
    assert relay.closed == 2, "at once, and at the end"
    assert states(outbox) == ["unknown", "sent"]


def test_a_dead_server_costs_no_delivery_a_try() -> None:
    outbox, relay = MemoryOutbox(rows(5)), Relay([Accepted("250"), Unreachable("no route")])
    tally = run(outbox, relay)
    assert tally == Tally(sent=1, unreachable="no route")
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
    assert run(outbox, relay, clock).sent == 0
    assert relay.sent == [message(1).data], "the second was checked before it was sent"


def test_a_crash_between_sending_and_recording_doubles_the_same_bytes() -> None:
    class Killed(BaseException):
        pass

    class Crashing(MemoryOutbox):
        def record(self, number: int, recorded: Recorded) -> bool:
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
        def renew(self, now: datetime) -> None:
            enough.set()

    relay = Relay(before=lambda: enough.wait(5))
    assert run(Watched(rows(3)), relay, renew_every=0.01) == Tally(sent=3)
    assert enough.is_set()


def test_a_delivery_is_tried_once_in_a_run_even_if_it_is_due_again() -> None:
    class Eager(MemoryOutbox):
        def record(self, number: int, recorded: Recorded) -> bool:
            return super().record(number, replace(recorded, next_attempt_at=NOW))

    busy = Refused("450 busy", permanent=False)
    outbox, relay = Eager(rows(2)), Relay([busy, busy])
    assert run(outbox, relay, wait_for_leases=True) == Tally(queued=2)
    assert states(outbox) == ["queued", "queued"]


def test_an_outbox_that_forgets_cannot_keep_a_run_going() -> None:
    class Forgetful(MemoryOutbox):
        def record(self, number: int, recorded: Recorded) -> bool:
            self.rows[number] = Row()
            return False

    outbox, relay = Forgetful(rows(1)), Relay()
    assert run(outbox, relay, wait_for_leases=True) == Tally(lost=3)


def test_an_error_of_the_outbox_is_raised_and_the_rest_is_released() -> None:
    class Broken(MemoryOutbox):
        def record(self, number: int, recorded: Recorded) -> bool:
            raise OSError("the disk is full")

    outbox = Broken(rows(3))
    with pytest.raises(OSError, match="disk"):
        run(outbox, Relay())
    assert [row.lease is None for row in outbox.rows.values()] == [False, True, True]


def test_an_outbox_that_is_busy_for_a_moment_doubles_nothing() -> None:
    class Busy(MemoryOutbox):
        failures = 1

        def record(self, number: int, recorded: Recorded) -> bool:
            if self.failures:
                self.failures -= 1
                raise OSError("database is locked")
            return super().record(number, recorded)

    outbox, relay = Busy(rows(3)), Relay()
    assert run(outbox, relay) == Tally(sent=3)
    assert len(relay.sent) == 3


def test_an_outbox_that_is_away_for_a_while_doubles_nothing() -> None:
    """It fails when more is asked for, while the last messages are on their way."""

    class Away(MemoryOutbox):
        failures = 0

        def claim(self, now: datetime, limit: int) -> Sequence[Claim]:
            claimed = super().claim(now, 1)
            if not claimed:
                self.failures = 2
                raise OSError("the server is restarted")
            return claimed

        def record(self, number: int, recorded: Recorded) -> bool:
            if self.failures:
                self.failures -= 1
                raise OSError("the server is restarted")
            return super().record(number, recorded)

    outbox, leaving = Away(rows(2)), threading.Event()

    class Slow(Relay):
        def send(self, outgoing: Outgoing) -> Outcome:
            leaving.wait(0.1)
            return super().send(outgoing)

    with pytest.raises(OSError, match="restarted"):
        run(outbox, Slow(), connections=2)
    assert states(outbox) == ["sent", "sent"]


@dataclass
class Crossing:
    """Transports that hold their message until so many of them hold one."""

    together: threading.Barrier

    def send(self, outgoing: Outgoing) -> Outcome:
        self.together.wait(5)
        return Accepted("250")

    def close(self) -> None:
        pass


def test_several_connections_carry_a_message_each_at_the_same_time() -> None:
    outbox, together = MemoryOutbox(rows(8)), threading.Barrier(4)
    tally = deliver(
        outbox,
        lambda: Crossing(together),
        Now(),
        threading.Event(),
        connections=4,
        wait_for_leases=False,
    )
    assert tally == Tally(sent=8)


def test_a_connection_gets_its_next_message_when_the_last_one_is_written_down() -> None:
    class Watched(MemoryOutbox):
        most = 0

        def settle(
            self, done: Sequence[tuple[Claim, Recorded]], next_ones: Sequence[Claim], now: datetime
        ) -> Settled:
            settled = super().settle(done, next_ones, now)
            on_the_way = [row for row in self.rows.values() if row.state == "sending"]
            self.most = max(self.most, len(on_the_way))
            return settled

    outbox = Watched(rows(40))
    assert run(outbox, Relay(), connections=4) == Tally(sent=40)
    assert 1 <= outbox.most <= 4


def test_a_server_that_lets_one_connection_in_gets_all_mail_over_that_one() -> None:
    busy = iter([False, True, True, True])

    def connect() -> Relay:
        refuses = next(busy)
        return Relay([Unreachable("421 too many connections")] if refuses else [])

    outbox = MemoryOutbox(rows(9))
    stop = threading.Event()
    tally = deliver(outbox, connect, Now(), stop, connections=4, wait_for_leases=False)
    assert tally.unreachable is None
    assert states(outbox) == ["sent"] * 9


def test_no_mail_is_put_off_for_connections_that_were_never_let_in() -> None:
    """The first connection is let in. The second and the third refuse the same mail, the third one
    after the other mail has gone out."""
    outbox, third_in_use = MemoryOutbox(rows(2)), threading.Event()

    def wait_for_the_other_mail() -> None:
        third_in_use.set()
        for _ in range(5000):
            if any(row.state == "sent" for row in outbox.rows.values()):
                return
            time.sleep(0.001)

    full = Unreachable("421 too many connections")
    relays = iter(
        [
            Relay(before=lambda: third_in_use.wait(5)),
            Relay([full]),
            Relay([full], before=wait_for_the_other_mail),
        ]
    )
    stop = threading.Event()
    tally = deliver(outbox, lambda: next(relays), Now(), stop, connections=3, wait_for_leases=False)
    assert (tally.sent, tally.queued) == (2, 0)
    assert states(outbox) == ["sent", "sent"]


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


def test_what_was_handed_over_twice_without_an_answer_is_not_sent_a_third_time() -> None:
    recorded = judge(Unknown("lost"), 1, NOW, unknown=True)
    assert (recorded.state, recorded.next_attempt_at) == ("failed", None)
    assert "may have arrived twice, or never" in recorded.reply
    assert judge(Accepted("250"), 1, NOW, unknown=True).state == "sent"
    assert judge(Unreachable("-"), 1, NOW, unknown=True).state == "unknown"


def test_a_mail_that_breaks_each_connection_is_put_off_while_others_go() -> None:
    everybody_has_one = threading.Barrier(4)

    @dataclass
    class Picky(Relay):
        has_carried: bool = False

        def send(self, outgoing: Outgoing) -> Outcome:
            if not self.has_carried:  # no connection is to break that carried no other mail
                everybody_has_one.wait(30)
                self.has_carried = True
            if outgoing.filename == "8.eml":
                return Unreachable("connection lost")
            return super().send(outgoing)

    outbox = MemoryOutbox(rows(9))
    tally = deliver(outbox, Picky, Now(), threading.Event(), connections=4, wait_for_leases=False)
    assert (tally.sent, tally.queued, tally.unreachable) == (8, 1, None)
    assert outbox.rows[8].due > NOW


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ("450 4.7.1 greylisted, try again in 20 minutes", 20),
        ("451 retry in 900 seconds", 15),
        ("452 please wait for 2 hours", 120),
        ("450 try again in 3 minutes", 5),
        ("450 try again in 99999 hours", 360),
        ("450 busy in room 12", 5),
    ],
)
def test_a_server_that_names_a_time_is_left_alone_that_long(words: str, minutes: int) -> None:
    recorded = judge(Refused(words, permanent=False), 0, NOW)
    assert recorded.next_attempt_at == NOW + timedelta(minutes=minutes)


def test_too_much_mail_is_told_from_other_refusals() -> None:
    assert is_throttled("RCPT: 421 4.7.0 try later")
    assert is_throttled("450-4.7.28 unusual rate of unsolicited mail")
    assert not is_throttled("RCPT: 450 4.2.1 mailbox busy")
    assert not is_throttled("450 see ticket 421")
    assert judge(Refused("421 4.7.28 x", permanent=False), 0, NOW).throttled
