"""Mail servers that go wrong: what becomes of the mail in hand, and that no other one suffers."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
from faulty_smtp_server import GONE, SILENCE, Fault, Server, faulty_smtp_server
from invented import Clock, fill, with_settings
from sqlmodel import select
from stores import Stores

from mailer.delivery import Tally, deliver
from mailer.transport import open_transport
from paperpost.engine.runs import compose_all_of
from paperpost.service import subscribe
from paperpost.service.deliver import StoreOutbox, send
from paperpost.service.installation import Installation
from paperpost.service.status import status
from paperpost.service.wishes import Wishes
from paperpost.settings import load_settings
from paperpost.store.database import Database
from paperpost.store.tables import Delivery, Subscriber

DAY = date(2026, 4, 7)
POISONED = "poisoned@busy.example"
OTHERS = [f"reader{number}@example.org" for number in range(19)]
BUSY = [f"reader{number}@busy.example" for number in range(8)]
CONNECTIONS = 4
PATIENCE_SECONDS = 0.1
SOON = timedelta(minutes=5)


@pytest.fixture(scope="module")
def composed(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with twenty digests that wait."""
    return _composed(stores, tmp_path_factory.mktemp("faults"), [POISONED, *OTHERS])


@pytest.fixture(scope="module")
def composed_for_busy(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same, for several subscribers at one more domain."""
    return _composed(stores, tmp_path_factory.mktemp("busy"), [*BUSY, *OTHERS])


def _composed(stores: Stores, home: Path, people: list[str]) -> str:
    url = stores.make(home)
    installation = _opened(url, home, Clock())
    fill(installation, [DAY])
    for email in people:
        wanted = Wishes(keywords=("graph neural networks",), size=3)
        subscribe.by_command(installation, email, wanted, confirmed=True)
    compose_all_of(installation, DAY)
    installation.close()
    return url


def _opened(url: str, home: Path, clock: Clock) -> Installation:
    settings = load_settings(home=home, database_url=url, secret_key=("a key for tests only",))
    return Installation(settings, Database(url), clock)


@pytest.fixture
def office(stores: Stores, composed: str, tmp_path: Path, clock: Clock) -> Iterator[Installation]:
    url = stores.make(tmp_path, composed)
    opened = _opened(url, tmp_path, clock)
    yield opened
    opened.close()
    stores.drop(url)


@pytest.fixture
def busy_office(
    stores: Stores, composed_for_busy: str, tmp_path: Path, clock: Clock
) -> Iterator[Installation]:
    url = stores.make(tmp_path, composed_for_busy)
    opened = _opened(url, tmp_path, clock)
    yield opened
    opened.close()
    stores.drop(url)


@pytest.fixture
def server() -> Iterator[Server]:
    with faulty_smtp_server() as started:
        yield started


def run(office: Installation, url: str, timeout: float = 20.0) -> Tally:
    """One run of the clock's own, with less patience than the shipped minute where that is told."""
    return deliver(
        StoreOutbox(office),
        partial(open_transport, url, office.settings.mail_folder, timeout=timeout),
        office.clock,
        threading.Event(),
        connections=CONNECTIONS,
        wait_for_leases=False,
    )


def rows(office: Installation) -> dict[str, Delivery]:
    """The deliveries by recipient."""
    query = select(Subscriber.email, Delivery).join(Subscriber)
    with office.database.reading() as session:
        return dict(session.exec(query).all())


def states(office: Installation) -> Counter[str]:
    return Counter(row.state for row in rows(office).values())


@dataclass(frozen=True)
class Case:
    """A fault of one recipient's mail, and what it must lead to: the delivery's state, what its
    reply says, when it is tried again (None: never), and how often it arrives once all is well."""

    fault: Fault
    state: str
    says: str
    again: timedelta | None = None
    copies: int = 1


CASES = {
    "no such recipient": Case(
        Fault("RCPT", b"550 5.1.1 no such user"), "failed", "RCPT: 550 5.1.1 no such user", copies=0
    ),
    "no such recipient, in two lines": Case(
        Fault("RCPT", b"550-5.1.1 no\r\n550 5.1.1 such user"),
        "failed",
        "550 5.1.1 no 5.1.1 such user",
        copies=0,
    ),
    "recipient busy": Case(Fault("RCPT", b"450 4.2.1 busy"), "queued", "RCPT: 450", SOON),
    "greylisted": Case(
        Fault("RCPT", b"451 4.7.1 greylisted, retry in 20 minutes"),
        "queued",
        "greylisted",
        timedelta(minutes=20),
    ),
    "asked to wait for ever": Case(
        Fault("RCPT", b"451 try again in 999 hours"), "queued", "999", timedelta(hours=6)
    ),
    "too many recipients a day": Case(
        Fault("RCPT", b"421 4.7.0 too much"), "queued", "421", timedelta(minutes=10)
    ),
    "nonsense after RCPT": Case(Fault("RCPT", b"maybe"), "queued", "RCPT", SOON),
    "lost at RCPT": Case(Fault("RCPT", GONE), "queued", "connection lost", SOON),
    "no answer to RCPT": Case(Fault("RCPT", SILENCE), "queued", "connection lost", SOON),
    "DATA not now": Case(Fault("DATA", b"451 4.3.0 later"), "queued", "DATA: 451", SOON),
    "DATA never": Case(Fault("DATA", b"554 5.7.1 no"), "failed", "DATA: 554", copies=0),
    "lost before the dot": Case(Fault("BODY"), "queued", "connection lost", SOON),
    "full for now": Case(Fault("END", b"452 4.3.1 full"), "queued", "452 4.3.1 full", SOON),
    "spam": Case(Fault("END", b"550 5.7.1 spam"), "failed", "550 5.7.1 spam", copies=0),
    "too much for the domain": Case(
        Fault("END", b"421 4.7.28 unusual rate"), "queued", "4.7.28", timedelta(minutes=10)
    ),
    "lost after the dot": Case(Fault("END", GONE), "unknown", "no answer", SOON),
    "accepted, and lost before saying so": Case(
        Fault("END", GONE, taken=True), "unknown", "no answer", SOON, copies=2
    ),
    "accepted, and silent": Case(
        Fault("END", SILENCE, taken=True), "unknown", "no answer", SOON, copies=2
    ),
    "nonsense after the dot": Case(Fault("END", b"maybe", taken=True), "unknown", "", SOON, 2),
    "a line without an end": Case(
        Fault("END", b"250 " + b"x" * 20_000, taken=True), "unknown", "", SOON, 2
    ),
    "accepted in several lines": Case(
        Fault("END", b"250-accepted\r\n250 for delivery", taken=True), "sent", "for delivery"
    ),
    "accepted, then closed": Case(
        Fault("END", b"250 accepted", taken=True, then_gone=True), "sent", "accepted"
    ),
}


# Where it is offered, MAIL, RCPT and DATA go out at once (RFC 2920).
AT_ONCE = {
    f"{name}, pipelined": case for name, case in CASES.items() if case.fault.at in "RCPT DATA"
}


@pytest.mark.parametrize(
    ("case", "offers"),
    [
        *((case, ()) for case in CASES.values()),
        *((case, ("PIPELINING",)) for case in AT_ONCE.values()),
    ],
    ids=[*CASES, *AT_ONCE],
)
def test_each_fault_has_its_state_and_stops_no_other_mail(
    case: Case, offers: tuple[str, ...], office: Installation, server: Server, clock: Clock
) -> None:
    server.offers = offers
    server.of = {POISONED: case.fault}
    run(office, server.url(), PATIENCE_SECONDS if case.fault.reply == SILENCE else 20)
    if case.fault.at == "BODY" and states(office)["unknown"]:
        # The last line was in the socket's buffer before the reset came: nobody can know.
        case = replace(CASES["lost after the dot"], fault=case.fault)
    assert states(office) == Counter(["sent"] * 19) + Counter([case.state])
    assert sorted(to for to, _ in server.accepted if to != POISONED) == sorted(OTHERS)
    row = rows(office)[POISONED]
    assert (row.attempts, row.lease) == (1, None)
    assert case.says in row.reply
    server.heal()
    _goes_out_when_it_is_time(case, office, server, clock)


def _goes_out_when_it_is_time(
    case: Case, office: Installation, server: Server, clock: Clock
) -> None:
    if case.again is not None:
        clock.now += case.again - timedelta(seconds=1)
        assert run(office, server.url()).sent == 0
        clock.turn(seconds=1)
        assert run(office, server.url()).sent == 1
    copies = [message_id for to, message_id in server.accepted if to == POISONED]
    assert len(copies) == case.copies
    assert len(set(copies)) == min(1, case.copies)
    assert states(office)["failed" if case.copies == 0 else "sent"] >= 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("CONNECT", b"421 4.3.2 not now"),
        Fault("CONNECT", b"554 5.7.1 blocked"),
        Fault("CONNECT", b"hello?"),
        Fault("CONNECT", GONE),
        Fault("CONNECT", SILENCE),
        Fault("EHLO"),
        Fault("MAIL", b"421 4.3.2 going down"),
        Fault("MAIL", b"530 5.7.0 log in first"),
        Fault("MAIL", GONE),
    ],
    ids=lambda fault: f"{fault.at} {fault.reply.decode()}",
)
def test_a_server_that_takes_nothing_costs_nobody_a_try(
    fault: Fault, office: Installation, server: Server
) -> None:
    server.everywhere = fault
    tally = run(office, server.url(), PATIENCE_SECONDS if fault.reply == SILENCE else 20)
    assert tally.unreachable
    assert states(office) == {"queued": 20}
    assert {(row.attempts, row.lease) for row in rows(office).values()} == {(0, None)}
    server.heal()
    assert run(office, server.url()).sent == 20


@pytest.mark.parametrize(
    ("scheme", "login", "offers"),
    [
        ("smtp+starttls", "", ()),
        ("smtp+starttls", "ada:secret@", ("AUTH PLAIN LOGIN",)),
        ("smtp+starttls", "ada:secret@", ("STARTTLS", "AUTH PLAIN LOGIN")),  # and then refused
        ("smtps", "ada:secret@", ("AUTH PLAIN LOGIN",)),
    ],
)
def test_without_the_tls_that_was_asked_for_nothing_is_said(
    scheme: str, login: str, offers: tuple[str, ...], office: Installation, server: Server
) -> None:
    server.offers = offers
    assert run(office, server.url(scheme, login), PATIENCE_SECONDS).unreachable
    assert server.heard["AUTH"] == server.heard["MAIL"] == 0
    assert states(office) == {"queued": 20}


@pytest.mark.parametrize("reply", [b"535 5.7.8 wrong password", b"454 4.7.0 later", GONE])
def test_a_refused_login_is_nobody_s_fault(
    reply: bytes, office: Installation, server: Server
) -> None:
    server.offers = ("AUTH PLAIN LOGIN",)
    server.everywhere = Fault("AUTH", reply)
    assert run(office, server.url(login="ada:secret@")).unreachable
    assert states(office) == {"queued": 20}
    server.heal()
    assert run(office, server.url(login="ada:secret@")).sent == 20


@pytest.mark.parametrize(
    ("fault", "waiting"),
    [
        (Fault("CONNECT", b"421 4.7.0 too many connections"), 0),
        (Fault("MAIL", b"421 4.7.0 idle for too long"), 0),
        (Fault("MAIL", GONE), 0),
        (Fault("MAIL", b"451 4.3.0 later"), 1),
        (Fault("MAIL", b"452 4.3.1 full"), 1),
    ],
    ids=lambda value: f"{value.at} {value.reply.decode()}" if isinstance(value, Fault) else "",
)
def test_one_connection_that_goes_wrong_leaves_the_mails_to_the_others(
    fault: Fault, waiting: int, office: Installation, server: Server
) -> None:
    server.once = fault
    assert run(office, server.url()).unreachable is None
    assert states(office) == Counter(sent=20 - waiting) + Counter(queued=waiting)


def test_a_connection_that_is_closed_after_each_mail_delays_nothing(
    office: Installation, server: Server
) -> None:
    server.everywhere = Fault("END", b"250 accepted", taken=True, then_gone=True)
    assert run(office, server.url()).sent == 20
    assert server.heard["CONNECT"] == 20


def test_what_comes_too_late_to_be_news_expires_and_says_so(
    office: Installation, server: Server, clock: Clock
) -> None:
    server.everywhere = Fault("CONNECT")
    assert run(office, server.url()).unreachable
    clock.turn(days=1)
    server.heal()
    assert run(office, server.url()).sent == 0
    assert states(office) == {"expired": 20}
    told = status(office)
    assert told["undelivered"][0]["state"] == "expired"
    assert any("too late to be of use" in sentence for sentence in told["wrong"])
    assert server.accepted == []


# The breaker: a domain that gets too much is left alone, and then gets more and more


def to_busy(server: Server) -> int:
    return sum(to in BUSY for to, _ in server.accepted)


@pytest.mark.parametrize("at", ["RCPT", "END"])
def test_a_domain_that_gets_too_much_is_left_alone_and_no_other_one(
    at: str, busy_office: Installation, server: Server, clock: Clock
) -> None:
    server.of = dict.fromkeys(BUSY, Fault(at, b"421 4.7.28 unusual rate of mail"))
    run(busy_office, server.url())
    assert states(busy_office) == {"sent": len(OTHERS), "queued": len(BUSY)}
    tried = [row for row in rows(busy_office).values() if row.domain == "busy.example"]
    assert 1 <= sum(row.attempts for row in tried) <= CONNECTIONS
    server.heal()
    clock.turn(minutes=10, seconds=-1)
    by_hand = with_settings(busy_office, smtp_url=server.url(), smtp_connections=CONNECTIONS)
    assert send(by_hand).sent == 0  # not even when somebody asks for it
    clock.turn(seconds=1)
    assert run(busy_office, server.url()).sent == len(BUSY)


@pytest.mark.parametrize(("minutes", "connections"), [(10, 1), (11, 2), (13, 4)])
def test_after_ten_minutes_the_domain_gets_one_connection_and_one_more_each_minute(
    minutes: int, connections: int, busy_office: Installation, server: Server, clock: Clock
) -> None:
    server.of = dict.fromkeys(BUSY, Fault("END", b"421 4.7.28 unusual rate of mail"))
    run(busy_office, server.url())
    server.heal()
    server.most_at_once.clear()
    server.latency = 0.03
    clock.turn(minutes=minutes)
    assert run(busy_office, server.url()).sent == len(BUSY)
    assert server.most_at_once["busy.example"] == connections


def test_a_domain_that_still_gets_too_much_is_left_alone_again(
    busy_office: Installation, server: Server, clock: Clock
) -> None:
    server.of = dict.fromkeys(BUSY, Fault("END", b"421 4.7.28 unusual rate of mail"))
    run(busy_office, server.url())
    first = server.heard["END"]
    clock.turn(minutes=10)
    run(busy_office, server.url())
    assert server.heard["END"] == first + 1
    clock.turn(minutes=9)
    run(busy_office, server.url())
    assert server.heard["END"] == first + 1
