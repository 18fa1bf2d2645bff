"""Whatever happens in whatever order, the outbox adds up and nobody is mailed what they should
not be: hypothesis makes up the order, the store is a real one."""

import os
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from invented import Clock, fill, join
from sqlalchemy import func
from sqlmodel import Session, col, select
from stores import Stores

from mailer.delivery import deliver
from mailer.outbox import Claim, Recorded
from mailer.outcome import Accepted, Outcome, Outgoing, Refused, Unknown, Unreachable
from paperpost.engine.runs import compose_all_of
from paperpost.service import account, calendar, leaving, subscribe, suppression
from paperpost.service.deliver import StoreOutbox
from paperpost.service.installation import Installation
from paperpost.service.leases import is_dead, new_lease
from paperpost.service.letters import message_id
from paperpost.service.links import Purpose, token
from paperpost.service.resend import CannotResend, resend
from paperpost.service.wishes import Wishes
from paperpost.settings import load_settings
from paperpost.store import digests, outbox
from paperpost.store.database import Database
from paperpost.store.digests import NewDigest
from paperpost.store.outbox import OPEN
from paperpost.store.tables import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Digest,
    Subscriber,
    SubscriberState,
)

DAY = date(2026, 4, 7)
NAMES = ("ada", "ben", "cleo")
A_KEY = "a key for tests only"

people = st.sampled_from(NAMES)
days = st.sampled_from([DAY, DAY + timedelta(days=1), DAY + timedelta(days=2)])
outcomes = st.sampled_from(
    ["taken", "taken", "later", "never", "lost", "doubled", "unreachable", "too much", "broken"]
)


@pytest.fixture(scope="module")
def composed(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database whose subscribers have one digest each."""
    home = tmp_path_factory.mktemp("composed")
    url = stores.make(home)
    office = _opened(url, home, Clock())
    fill(office, [DAY], each=1)
    for name in NAMES:
        join(office, name, "graph neural networks", size=2)
    compose_all_of(office, DAY)
    office.close()
    return url


def _opened(url: str, home: Path, clock: Clock) -> Installation:
    chosen = load_settings(home=home, database_url=url, secret_key=(A_KEY,))
    return Installation(chosen, Database(url), clock)


@dataclass
class Relay:
    """A mail server: what it does with each recipient's mail, and how often it took which one."""

    may_be_sent: Callable[[str], bool]
    outcomes: dict[str, str] = field(default_factory=dict)
    copies: Counter[str] = field(default_factory=Counter)
    not_told: Counter[str] = field(default_factory=Counter)
    unwanted: list[str] = field(default_factory=list)

    def send(self, outgoing: Outgoing) -> Outcome:
        """A mailer's Transport."""
        match self.outcomes.get(outgoing.recipient.partition("@")[0], "taken"):
            case "taken":
                self.take(outgoing)
                return Accepted("250 taken")
            case "doubled" | "broken" as how:
                self.not_told[self.take(outgoing)] += 1
                if how == "broken":
                    raise RuntimeError("a bug in the transport")
                return Unknown("lost after it was taken")
            case "later":
                return Refused("450 later", permanent=False)
            case "too much":
                return Refused("421 4.7.28 unusual rate", permanent=False)
            case "never":
                return Refused("550 never", permanent=True)
            case "lost":
                return Unknown("lost after the dot")
        return Unreachable("nobody there")

    def take(self, outgoing: Outgoing) -> str:
        """Accept a message; its Message-ID."""
        found = re.search(rb"^Message-ID:\s*(\S+)", outgoing.data, re.MULTILINE)
        assert found is not None
        name = found[1].decode()
        if not self.may_be_sent(name):
            self.unwanted.append(name)
        self.copies[name] += 1
        return name

    def close(self) -> None:
        """A mailer's Transport."""


@dataclass
class Ghost:
    """A process that stopped in the midst of its work: what was taken from it without its
    writing that down, and what it had still in hand."""

    shelf: StoreOutbox
    taken: list[tuple[Claim, str]]
    in_hand: Sequence[Claim]


class Outbox(RuleBasedStateMachine):
    """The outbox of one installation, and all that can happen to it."""

    stores: Stores
    template: str

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="outbox")
        self.clock = Clock()
        home = Path(self.folder.name)
        self.office = _opened(self.stores.make(home, self.template), home, self.clock)
        self.relay = Relay(self._may_be_sent)
        self.resent: Counter[str] = Counter()
        self.ghosts: list[Ghost] = []
        self.latest = self.clock.now
        self.holders = 0
        self.seen = {name: self._person(name) for name in NAMES}
        with self.office.database.reading() as session:
            self.digest = session.exec(select(Digest)).all()[0]

    # What can happen

    @rule(name=people, day=days, with_papers=st.booleans(), fresh=st.booleans())
    def compose(self, name: str, day: date, with_papers: bool, fresh: bool) -> None:
        if fresh:
            self.seen[name] = self._person(name)
        new = self._new_digest(self.seen[name], day, self.digest.items if with_papers else [])
        with self.office.database.writing() as session:
            digests.freeze(session, [new], self.clock())

    @rule(number=st.integers(0, 2))
    def sign_up(self, number: int) -> None:
        subscribe.by_form(self.office, f"new{number}@example.org", Wishes(keywords=("graph",)))

    @rule(how=st.dictionaries(people, outcomes), connections=st.sampled_from([1, 4]))
    def send(self, how: dict[str, str], connections: int) -> None:
        self.relay.outcomes = how
        self._deliver(connections)
        assert not [row for row in self._rows() if f"|{os.getpid()}|" in (row.lease or "")]

    @rule(dead=st.booleans(), begun=st.integers(0, 4), taken=st.integers(0, 4))
    def crash(self, dead: bool, begun: int, taken: int) -> None:
        shelf = StoreOutbox(self.office, lease=self._lease(dead))
        claims = shelf.claim(self.clock(), 6)
        confirmed = shelf.settle((), claims[:begun], self.clock()).confirmed
        gone = [claim for claim in claims if claim.delivery_id in confirmed][:taken]
        told = [(claim, self._taken_but_not_told(claim)) for claim in gone]
        if not dead:
            self.ghosts.append(Ghost(shelf, told, claims[begun:]))

    @precondition(lambda self: self.ghosts)
    @rule()
    def wake_up(self) -> None:
        ghost = self.ghosts.pop(0)
        done = [(claim, Recorded("sent", "250 taken", None)) for claim, _ in ghost.taken]
        settled = ghost.shelf.settle(done, ghost.in_hand, self.clock())
        for claim, name in ghost.taken:
            self.relay.not_told[name] -= claim.delivery_id in settled.recorded
        going = [one for one in ghost.in_hand if one.delivery_id in settled.confirmed]
        sent = [(one, Recorded("sent", self.relay.take(one.build()), None)) for one in going]
        ghost.shelf.settle(sent, (), self.clock())

    @rule(minutes=st.sampled_from([-60, -1, 1, 6, 11, 61, 24 * 60]))
    def set_the_clock(self, minutes: int) -> None:
        self.clock.turn(minutes=minutes)
        self.latest = max(self.latest, self.clock.now)

    @rule(name=people, what=st.sampled_from(["leave", "return", "pause", "bounce", "mend"]))
    def change_who_is_mailed(self, name: str, what: str) -> None:
        number = self._person(name).id or 0
        link = token(self.office.signer, Purpose.UNSUBSCRIBE, self.clock(), number)
        if what == "leave":
            leaving.leave(self.office, link)
        elif what == "return":
            leaving.come_back(self.office, link)
        else:
            with self.office.database.writing() as session:
                self._change(session, account.named(session, f"{name}@example.org"), what)

    @rule(name=people, day=days)
    def send_again(self, name: str, day: date) -> None:
        try:
            again = resend(self.office, f"{name}@example.org", day)
        except CannotResend:
            return
        self.resent[again.message_id] += 1

    # What is always true

    @invariant()
    def all_deliveries_are_the_sum_over_their_states(self) -> None:
        with self.office.database.reading() as session:
            counts = outbox.count_by_state(session)
            total = session.exec(select(func.count()).select_from(Delivery)).one()
        assert sum(sum(states.values()) for states in counts.values()) == total

    @invariant()
    def there_is_one_digest_and_one_delivery_for_a_subscriber_and_date(self) -> None:
        with self.office.database.reading() as session:
            pairs = list(session.exec(select(col(Digest.subscriber_id), col(Digest.local_date))))
            linked = set(session.exec(select(Digest.delivery_id)))
            of_digests = session.exec(select(Delivery.id).where(Delivery.kind == "digest"))
            assert linked == set(of_digests)
        assert len(pairs) == len(set(pairs)) == len(linked)

    @invariant()
    def a_message_comes_twice_only_for_a_crash_or_a_wish(self) -> None:
        for name, copies in self.relay.copies.items():
            assert copies <= 1 + self.relay.not_told[name] + self.resent[name]

    @invariant()
    def what_is_recorded_as_sent_was_taken(self) -> None:
        sent = {row.message_id for row in self._rows() if row.state == DeliveryState.SENT}
        assert sent <= set(self.relay.copies)

    @invariant()
    def nothing_went_to_who_does_not_want_it_or_too_late(self) -> None:
        assert self.relay.unwanted == []

    def teardown(self) -> None:
        """When all is well again nothing is left over: no mail is stuck in any state."""
        if not hasattr(self, "office"):
            return
        self.clock.now = self.latest + timedelta(hours=7)
        self.relay.outcomes = {}
        self._deliver(4)
        left = [row.state for row in self._rows() if row.state in OPEN or row.lease]
        self.office.close()
        self.stores.drop(self.office.settings.store_url)
        self.folder.cleanup()
        assert left == []

    # How it is done

    def _deliver(self, connections: int) -> None:
        deliver(
            StoreOutbox(self.office),
            lambda: self.relay,
            self.clock,
            threading.Event(),
            connections=connections,
            batch=3,
            wait_for_leases=False,
        )

    def _lease(self, dead: bool) -> str:
        """Of a process that is no more, or of one on another machine."""
        self.holders += 1
        machine, _, started, _ = new_lease().split("|")
        if not dead:
            return f"elsewhere|1|0.0|{self.holders}"
        lease = f"{machine}|{2**22 + 1}|{started}|{self.holders}"  # Linux has no such number
        assert is_dead(lease)
        return lease

    def _taken_but_not_told(self, claim: Claim) -> str:
        name = self.relay.take(claim.build())
        self.relay.not_told[name] += 1
        return name

    def _change(self, session: Session, person: Subscriber, what: str) -> None:
        if what == "pause":
            person.paused_until = self.clock().date() + timedelta(days=1)
            session.add(person)
        elif what == "bounce":
            suppression.suppress(session, person, "it came back", self.clock())
        else:
            suppression.lift(session, person, self.clock())

    def _person(self, name: str) -> Subscriber:
        with self.office.database.reading() as session:
            return account.named(session, f"{name}@example.org")

    def _rows(self) -> list[Delivery]:
        with self.office.database.reading() as session:
            return list(session.exec(select(Delivery)))

    def _may_be_sent(self, name: str) -> bool:
        """Whether a mail is not too late, and its subscriber wants it."""
        query = select(Delivery, Subscriber).join(Subscriber).where(Delivery.message_id == name)
        with self.office.database.reading() as session:
            row, person = session.exec(query).one()
        now = self.clock()
        wanted = (
            person.state == SubscriberState.ACTIVE
            and person.suppressed_at is None
            and not calendar.is_paused(person.paused_until, person.timezone, now)
        )
        return row.expires_at > now and (wanted or row.kind != DeliveryKind.DIGEST)

    def _new_digest(self, person: Subscriber, day: date, items: list[dict[str, Any]]) -> NewDigest:
        now, number = self.clock(), person.id or 0
        return NewDigest(
            subscriber_id=number,
            seen=person,
            local_date=day,
            due_at=now,
            expires_at=now + timedelta(days=1),
            message_id=message_id(self.office, number, day, "digest"),
            template_version=self.digest.template_version,
            frequency="daily",
            why="graph neural networks",
            considered=3,
            newest_paper=3,
            items=items,
            next_due_at=None,
            silence="" if items else "no new papers",
        )


@pytest.mark.parametrize("examples", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_outbox_adds_up_whatever_happens(stores: Stores, composed: str, examples: int) -> None:
    machine = type("ComposedOutbox", (Outbox,), {"stores": stores, "template": composed})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
