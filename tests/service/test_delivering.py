"""Delivering: each mail once, whatever happens in between."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from threading import Event

import psutil
import pytest
from faulty_smtp_server import Fault, faulty_smtp_server
from invented import Clock, fill, join, with_settings
from smtp_server import Postbox, text_of
from sqlmodel import select

from mailer.outbox import Claim, Recorded
from paperpost.engine.runs import compose_all_due, compose_all_of
from paperpost.service import account, leaving, subscribe
from paperpost.service.deliver import StoreOutbox, send
from paperpost.service.installation import Installation
from paperpost.service.leases import is_dead, new_lease
from paperpost.service.links import Purpose, token
from paperpost.service.wishes import Wishes
from paperpost.store import digests, leases, outbox
from paperpost.store.tables import Delivery, DeliveryState

DAY = date(2026, 4, 7)


@pytest.fixture
def office(any_installation: Installation, postbox: Postbox) -> Installation:
    """An installation with papers that mails to the test's server."""
    fill(any_installation, [DAY])
    return with_settings(any_installation, smtp_url=postbox.url)


def states(installation: Installation) -> dict[str, int]:
    with installation.database.reading() as session:
        counts = outbox.count_by_state(session)["digest"]
    return {state: number for state, number in counts.items() if number}


def begun(shelf: StoreOutbox, installation: Installation) -> Sequence[Claim]:
    """Deliveries that are on their way, as far as the store knows."""
    claims = shelf.claim(installation.clock(), 10)
    shelf.settle((), claims, installation.clock())
    return claims


def compose_for(installation: Installation, *names: str) -> None:
    for name in names:
        join(installation, name, "graph neural networks", size=3)
    compose_all_of(installation, DAY)


def test_a_digest_arrives_and_a_second_run_sends_nothing(
    office: Installation, postbox: Postbox
) -> None:
    compose_for(office, "ada")
    assert send(office).sent == 1
    assert send(office).sent == 0
    assert postbox.recipients == ["ada@example.org"]
    assert states(office) == {"sent": 1}
    text = text_of(postbox.message())
    assert text.count("More like this: http://127.0.0.1:8000/vote/") == 3


def test_refusals_for_good_for_now_and_for_others_are_told_apart(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    compose_for(office, "ada", "ben", "cleo")
    postbox.refuse = {
        "ada@example.org": "550 5.1.1 no such user",
        "ben@example.org": "450 4.2.1 try later",
    }
    tally = send(office)
    assert (tally.sent, tally.failed, tally.queued) == (1, 1, 1)
    assert states(office) == {"sent": 1, "failed": 1, "queued": 1}
    postbox.refuse = {}
    assert send(office, patient=False).sent == 0  # the clock's own run waits its time
    clock.turn(hours=1)
    assert send(office, patient=False).sent == 1
    assert postbox.recipients == ["cleo@example.org", "ben@example.org"]


def test_a_run_by_hand_tries_again_at_once_what_was_refused_for_now(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    compose_for(office, "ada")
    postbox.refuse = {"ada@example.org": "450 4.2.1 try later"}
    assert send(office).queued == 1
    postbox.refuse = {}
    clock.turn(seconds=1)
    assert send(office).sent == 1


def test_a_server_that_is_away_costs_nobody_a_try(
    any_installation: Installation, clock: Clock
) -> None:
    fill(any_installation, [DAY])
    away = with_settings(any_installation, smtp_url="smtp://127.0.0.1:1")
    compose_for(away, "ada", "ben")
    tally = send(away)
    assert tally.unreachable
    assert states(away) == {"queued": 2}
    clock.turn(seconds=1)
    here = with_settings(any_installation, smtp_url=None)
    assert send(here).sent == 2


def test_a_mail_taken_over_from_a_dead_process_has_the_same_bytes(
    office: Installation, postbox: Postbox
) -> None:
    compose_for(office, "ada")
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    process = psutil.Process(dead.pid)
    lease = new_lease().split("|")
    lease[1:3] = [str(dead.pid), f"{process.create_time():.2f}"]
    dead.wait()
    crashed = StoreOutbox(office, lease="|".join(lease))
    (claim,) = crashed.claim(office.clock(), 10)
    before = claim.build().data  # sent, and then the process died before it wrote that down
    assert send(office).sent == 1
    assert postbox.raw[0][1].replace(b"\r\n", b"\n") == before.replace(b"\r\n", b"\n")
    assert office.database is not None
    assert states(office) == {"sent": 1}


def test_a_living_process_of_this_machine_keeps_its_lease(office: Installation) -> None:
    compose_for(office, "ada")
    StoreOutbox(office).claim(office.clock(), 10)
    assert send(office, patient=False).sent == 0
    assert states(office) == {"queued": 1}


def test_a_lease_of_another_machine_runs_out(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    compose_for(office, "ada")
    StoreOutbox(office, lease="elsewhere|1|0.0|x").claim(office.clock(), 10)
    assert send(office, patient=False).sent == 0
    clock.turn(seconds=31)
    assert send(office, patient=False).sent == 1


def test_who_woke_up_too_late_may_not_record(office: Installation, clock: Clock) -> None:
    compose_for(office, "ada")
    late = StoreOutbox(office, lease="elsewhere|1|0.0|x")
    (claim,) = begun(late, office)
    clock.turn(seconds=31)
    late.renew(office.clock())
    assert send(office, patient=False).sent == 1
    settled = late.settle([(claim, Recorded("failed", "550", None))], (), office.clock())
    assert settled.recorded == set()
    assert states(office) == {"sent": 1}


def test_who_was_frozen_past_the_lease_does_not_send(office: Installation, clock: Clock) -> None:
    compose_for(office, "ada")
    frozen = StoreOutbox(office, lease="elsewhere|1|0.0|x")
    claims = frozen.claim(office.clock(), 10)
    clock.turn(seconds=31)
    assert frozen.settle((), claims, office.clock()).confirmed == set()


def test_a_crash_leaves_unknown_only_what_was_on_its_way(
    office: Installation, clock: Clock
) -> None:
    compose_for(office, "ada", "ben", "cleo")
    crashed = StoreOutbox(office, lease="elsewhere|1|0.0|x")
    first, *_ = crashed.claim(office.clock(), 10)
    crashed.settle((), [first], office.clock())
    clock.turn(seconds=31)
    StoreOutbox(office).claim(office.clock(), 1)
    assert states(office) == {"queued": 2, "unknown": 1}


def test_leases_tell_the_living_from_the_dead() -> None:
    mine = new_lease()
    assert not is_dead(mine)
    machine, pid, started, rest = mine.split("|")
    assert is_dead(f"{machine}|{pid}|{float(started) - 1000}|{rest}")  # the number was reused
    assert not is_dead(f"elsewhere|{pid}|1.0|{rest}")
    assert not is_dead("")


HIDES_OTHERS = """
mount -t proc -o hidepid=2 proc /proc || exit 77
exec setpriv --reuid=65534 --clear-groups "$@"
"""
TELLS = "import sys; from paperpost.service.leases import is_dead; print(is_dead(sys.argv[1]))"


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root, to hide processes"
)
def test_a_process_that_is_hidden_from_us_is_not_dead() -> None:
    mine = new_lease()
    gone = mine.replace(f"|{os.getpid()}|", "|99999999|")
    for lease, dead in ((mine, "False\n"), (gone, "True\n")):
        hidden = ["unshare", "--mount", "sh", "-c", HIDES_OTHERS, "sh"]
        command = [*hidden, sys.executable, "-c", TELLS, lease]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode == 77 or "unshare" in done.stderr:
            pytest.skip("needs a machine that lets root mount")
        assert (done.stdout, done.stderr) == (dead, "")


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    process = psutil.Process(child.pid)
    lease = new_lease().split("|")
    lease[1:3] = [str(child.pid), f"{process.create_time():.2f}"]
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and not yet waited for
    assert is_dead("|".join(lease))
    child.wait()


def test_a_digest_too_late_to_be_news_expires(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    compose_for(office, "ada")
    clock.turn(days=1, minutes=1)
    assert send(office).sent == 0
    assert states(office) == {"expired": 1}
    assert postbox.recipients == []


def test_who_left_since_the_composing_is_not_mailed(office: Installation, postbox: Postbox) -> None:
    compose_for(office, "ada", "ben")
    with office.database.writing() as session:
        person = account.named(session, "ada@example.org")
        person.state = "unsubscribed"
        session.add(person)
    assert send(office).sent == 1
    assert postbox.recipients == ["ben@example.org"]
    assert states(office) == {"sent": 1, "suppressed": 1}


def test_a_row_that_cannot_be_built_fails_alone(
    office: Installation, postbox: Postbox, caplog: pytest.LogCaptureFixture
) -> None:
    compose_for(office, "ada", "ben")
    with office.database.writing() as session:
        person = account.named(session, "ada@example.org")
        digest = digests.of_date(session, person.id or 0, DAY)
        assert digest is not None
        digest.items = [{"paper": 1, "fragment": 999_999, "score": 1.0, "reasons": []}]
        session.add(digest)
    tally = send(office)
    assert (tally.sent, tally.failed) == (1, 1)
    assert postbox.recipients == ["ben@example.org"]


def test_all_deliveries_are_the_sum_over_their_states(
    office: Installation, postbox: Postbox
) -> None:
    compose_for(office, "ada", "ben", "cleo")
    postbox.refuse = {"ada@example.org": "550 5.1.1 no such user"}
    send(office)
    with office.database.reading() as session:
        counts = outbox.count_by_state(session)
        total = len(session.exec(select(Delivery)).all())
    assert sum(sum(kind.values()) for kind in counts.values()) == total == 3
    assert all(set(kind) == set(DeliveryState) for kind in counts.values())


def test_without_a_server_each_mail_is_a_file_and_again_the_same_one(
    any_installation: Installation,
) -> None:
    fill(any_installation, [DAY])
    compose_for(any_installation, "ada")
    folder = any_installation.settings.mail_folder
    assert send(any_installation).sent == 1
    (path,) = folder.iterdir()
    assert path.name.startswith("2026-04-07-digest-ada@example.org-")
    assert path.suffix == ".eml"


def test_confirmations_go_through_the_same_outbox(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    subscribe.by_form(office, "new@example.org", Wishes(keywords=("graph",)))
    subscribe.by_form(office, "new@example.org", Wishes(keywords=("graph",)))
    assert send(office).sent == 1
    message = postbox.message()
    assert "List-Unsubscribe" not in message
    assert "http://127.0.0.1:8000/confirm/" in text_of(message)
    clock.turn(minutes=6)
    subscribe.by_form(office, "new@example.org", Wishes(keywords=("graph",)))
    assert send(office).sent == 1
    assert postbox.message(0)["Message-ID"] != postbox.message(1)["Message-ID"]


def test_a_pause_holds_back_what_was_composed_before_it(office: Installation) -> None:
    compose_for(office, "ada")
    with office.database.writing() as session:
        person = account.named(session, "ada@example.org")
        person.paused_until = office.clock().date() + timedelta(days=5)
        session.add(person)
    assert send(office).sent == 0
    assert states(office) == {"suppressed": 1}


def test_a_pause_ends_at_midnight_where_the_subscriber_is(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    join(office, "ada", "graph neural networks", timezone="Asia/Tokyo")  # nine hours ahead
    compose_all_of(office, DAY)
    with office.database.writing() as session:
        person = account.named(session, "ada@example.org")
        person.paused_until = DAY + timedelta(days=1)
        session.add(person)
    clock.now = clock.now.replace(hour=16)  # the eighth has begun in Tokyo
    assert send(office).sent == 1


def test_who_leaves_while_another_mail_is_in_flight_is_not_mailed(
    office: Installation, postbox: Postbox
) -> None:
    compose_for(office, "ada", "ben")
    shelf = StoreOutbox(office)
    first, second = shelf.claim(office.clock(), 10)
    with office.database.writing() as session:
        person = account.named(session, "ben@example.org")
        person.state = "unsubscribed"
        session.add(person)
    settled = shelf.settle((), [first, second], office.clock())
    assert settled.confirmed == {first.delivery_id}
    assert states(office) == {"sending": 1, "suppressed": 1}


def test_what_a_dead_process_held_for_a_month_is_not_news(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    compose_for(office, "ada")
    begun(StoreOutbox(office, lease="elsewhere|1|0.0|x"), office)
    clock.turn(days=30)
    assert send(office).sent == 0
    assert states(office) == {"expired": 1}


def test_an_unknown_mail_stays_unknown_while_the_server_is_away(
    any_installation: Installation, clock: Clock
) -> None:
    fill(any_installation, [DAY])
    away = with_settings(any_installation, smtp_url="smtp://127.0.0.1:1")
    compose_for(away, "ada", "ben")
    begun(StoreOutbox(away, lease="elsewhere|1|0.0|x"), away)
    clock.turn(seconds=31)
    assert send(away).unreachable
    assert states(away) == {"unknown": 2}


def test_an_address_whose_domain_alone_is_not_ascii_is_mailed_by_any_server(
    office: Installation, postbox: Postbox
) -> None:
    wanted = Wishes(keywords=("graph neural networks",))
    subscribe.by_command(office, "lea@bücher.example", wanted, confirmed=True)
    compose_all_of(office, DAY)
    assert send(office).sent == 1
    assert postbox.recipients == ["lea@xn--bcher-kva.example"]


def test_a_mail_accepted_while_its_reader_left_is_recorded_as_sent(
    office: Installation, postbox: Postbox
) -> None:
    compose_for(office, "ada")
    shelf = StoreOutbox(office)
    (claim,) = begun(shelf, office)
    with office.database.writing() as session:
        person = account.named(session, "ada@example.org")
        person.state = "unsubscribed"
        session.add(person)
    shelf.settle([(claim, Recorded("sent", "250 OK", None))], (), office.clock())
    assert states(office) == {"sent": 1}


def test_who_takes_leaving_back_gets_the_digest_that_was_held_back(
    office: Installation, postbox: Postbox
) -> None:
    compose_for(office, "ada")
    with office.database.reading() as session:
        number = account.named(session, "ada@example.org").id or 0
    link = token(office.signer, Purpose.UNSUBSCRIBE, office.clock(), number)
    leaving.leave(office, link)
    assert send(office).sent == 0
    assert leaving.come_back(office, link)
    assert send(office).sent == 1


def test_deleting_leaves_the_files_of_those_with_a_like_address(
    any_installation: Installation,
) -> None:
    fill(any_installation, [DAY])
    compose_for(any_installation, "o'neil", "o_neil")
    assert send(any_installation).sent == 2
    account.delete(any_installation, "o'neil@example.org")
    assert len(list(any_installation.settings.mail_folder.iterdir())) == 1


def test_a_mail_that_becomes_too_late_during_a_run_is_not_sent(
    office: Installation, clock: Clock
) -> None:
    compose_for(office, "ada", "ben")
    shelf = StoreOutbox(office)
    first, second = shelf.claim(office.clock(), 10)
    assert shelf.settle((), [first], office.clock()).confirmed
    late = office.clock() + timedelta(days=1, minutes=1)
    with office.database.writing() as session:
        leases.renew(session, shelf.lease, office.clock(), late + timedelta(seconds=30))
    assert not shelf.settle((), [second], late).confirmed
    assert states(office) == {"sending": 1, "expired": 1}


def test_a_domain_whose_server_gets_too_much_is_left_alone_and_the_others_go_on(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    names = ("ada", "ben", "cleo", "dan", "eve", "fay")
    compose_for(office, *names)
    with office.database.writing() as session:
        for name in names[:4]:
            person = account.named(session, f"{name}@example.org")
            person.email = f"{name}@gmail.example"
            session.add(person)
            for mail in outbox.of_subscriber(session, person.id or 0):
                mail.domain = "gmail.example"
                session.add(mail)
    for name in names[:4]:
        postbox.refuse[f"{name}@gmail.example"] = "421 4.7.28 unusual rate"
    assert send(with_settings(office, smtp_connections=1), patient=False).sent == 2
    assert states(office) == {"sent": 2, "queued": 4}
    postbox.refuse = {}
    clock.turn(minutes=9)
    assert StoreOutbox(office).claim(office.clock(), 10) == [], "closed for ten minutes"
    clock.turn(minutes=2)
    shelf = StoreOutbox(office)
    assert len(shelf.claim(office.clock(), 10)) == 2, "a minute after that, two at a time"
    shelf.release([])


def test_an_address_that_does_not_exist_is_mailed_no_more(
    office: Installation, postbox: Postbox
) -> None:
    compose_for(office, "ada", "ben")
    postbox.refuse = {
        "ada@example.org": "550 5.1.1 no such user",
        "ben@example.org": "550 5.7.1 we do not like your network",
    }
    assert send(office).failed == 2
    with office.database.reading() as session:
        ada, ben = (account.named(session, f"{name}@example.org") for name in ("ada", "ben"))
    assert ada.suppressed_at is not None
    assert ben.suppressed_at is None, "that was not about the mailbox"


def test_mails_that_are_held_back_are_not_told_as_lost(office: Installation) -> None:
    compose_for(office, "ada", "ben")
    with office.database.writing() as session:
        person = account.named(session, "ada@example.org")
        person.state = "unsubscribed"
        session.add(person)
    tally = send(office)
    assert (tally.sent, tally.held_back, tally.lost) == (1, 1, 0)


def test_a_patient_run_leaves_nothing_behind_a_server_that_lets_few_connections_in(
    office: Installation,
) -> None:
    compose_for(office, *(f"reader{number}" for number in range(12)))
    with faulty_smtp_server() as server:
        server.once = Fault("CONNECT", b"421 4.7.0 too many connections")
        tally = send(with_settings(office, smtp_url=server.url(), smtp_connections=4))
    assert (tally.sent, tally.unreachable) == (12, None)
    assert states(office) == {"sent": 12}


def test_after_an_outage_of_days_only_the_newest_digest_of_the_week_is_sent(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    join(office, "ada", "graph neural networks", size=3, frequency="weekdays")
    away = with_settings(office, smtp_url="smtp://127.0.0.1:1")
    for _ in range(3):
        clock.turn(days=1)
        fill(office, [clock().date()])
        compose_all_due(office, Event())
        send(away, patient=False)
    clock.turn(minutes=20)
    assert send(office).sent == 1
    assert states(office) == {"sent": 1, "expired": 2}
