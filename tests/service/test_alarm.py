"""The operator is told when digests fail: once a day at most, and only what is new."""

import threading
from datetime import date, timedelta

import pytest
from invented import START, Clock, fill, join, with_settings
from smtp_server import Postbox, text_of
from sqlmodel import select

from paperpost.engine.runs import compose_all_of
from paperpost.schedule import Clockwork
from paperpost.service import account, alarm
from paperpost.service.alarm import Failing, Trouble, look, tell
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.standing import Standing
from paperpost.service.status import status
from paperpost.settings import load_settings
from paperpost.sources import catalogue
from paperpost.sources.source import DayReport, DayState
from paperpost.store import outbox, requests
from paperpost.store.tables import Delivery, DeliveryKind

DAY = START.date()
OPERATOR = "root@localhost"
NO_SUCH_USER = "550 5.1.1 no such user"
SOURCE = "arxiv:cs.AI+cs.CL+cs.CV+cs.LG"


@pytest.fixture
def office(any_installation: Installation, postbox: Postbox) -> Installation:
    """An installation with papers, an operator and a mail server."""
    fill(any_installation, [DAY])
    return with_settings(any_installation, smtp_url=postbox.url, operator=OPERATOR)


def found(installation: Installation) -> list[Trouble]:
    return look(installation, {}, installation.clock())


def sentences(installation: Installation) -> list[str]:
    return [trouble.sentence for trouble in found(installation)]


def tell_all(installation: Installation) -> bool:
    return tell(installation, found(installation), installation.clock())


def refuse_digests(office: Installation, postbox: Postbox, clock: Clock, *names: str) -> None:
    for name in names:
        email = join(office, name, "graph neural networks", size=3)
        postbox.refuse[email] = f"550 5.1.1 <{email}>: no such user, see https://x.test/?u={email}"
    compose_all_of(office, DAY)
    send(office)
    clock.turn(minutes=2)


def alarms(installation: Installation) -> list[Delivery]:
    with installation.database.reading() as session:
        return list(session.exec(select(Delivery).where(Delivery.kind == DeliveryKind.ALARM)).all())


def test_refused_digests_are_told_by_mail_without_anybodys_address(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    refuse_digests(office, postbox, clock, "ada", "ben")
    assert tell_all(office)
    assert send(office).sent == 1
    assert postbox.recipients == [OPERATOR]
    mail = postbox.message()
    assert mail["Subject"] == "Paperpost: something is wrong"
    told = " ".join(text_of(mail).split())
    assert "2 mails were refused for good: RCPT: 550 5.1.1 (an address): no such user" in told
    assert "(2 times)" in told
    assert "example.org" not in told


def test_one_mail_a_day_tells_what_is_new_and_then_there_is_silence(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    refuse_digests(office, postbox, clock, "ada")
    assert tell_all(office)
    assert not tell_all(office)  # it waits still
    send(office)
    refuse_digests(office, postbox, clock, "ben")
    clock.turn(hours=23)
    assert not tell_all(office)
    clock.turn(hours=2)
    assert sentences(office)[0].startswith("1 mail was refused for good: ")
    assert tell_all(office)
    send(office)
    for _ in range(3):
        clock.turn(days=1)
        assert found(office) == []
        assert not tell_all(office)
    assert len(alarms(office)) == 2


def test_a_lasting_trouble_is_told_once_and_again_when_it_comes_back(
    office: Installation, clock: Clock
) -> None:
    def run(state: str) -> None:
        if state == "ok":
            fill(office, [clock.now.date()], each=1)
        with office.database.writing() as session:
            requests.record_run(session, SOURCE, state, "HTTP 503", clock.now)

    run("ok")
    clock.turn(hours=23)
    run("failed")
    assert found(office) == []
    told = []
    for state in ("failed", "failed", "failed", "ok", "failed", "failed", "failed"):
        clock.turn(days=2)
        run(state)
        told.append(tell_all(office))
        send(office)
    assert told == [True, False, False, False, True, False, False]
    lines = (alarms(office)[0].content or {})["lines"]
    assert lines[0] == (
        f"{SOURCE} could not be read: HTTP 503. It last was read on 7 April 2026, 09:00 UTC."
    )


def test_without_an_operator_nothing_is_queued_and_status_tells(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    nobody = with_settings(office, operator=None)
    with nobody.database.writing() as session:
        requests.record_run(session, SOURCE, "ok", "4 papers", clock.now)
    clock.turn(days=4)
    refuse_digests(nobody, postbox, clock, "ada")
    assert len(found(nobody)) == 2
    assert not tell_all(nobody)
    assert alarms(nobody) == []
    wrong = status(nobody)["wrong"]
    assert f"{SOURCE} was last read on 7 April 2026, 09:00 UTC." in wrong
    assert any("no such user" in line for line in wrong)


def test_an_alarm_that_cannot_be_sent_causes_no_other_and_status_tells(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    refuse_digests(office, postbox, clock, "ada")
    tell_all(office)
    postbox.refuse[OPERATOR] = NO_SUCH_USER
    assert send(office).failed == 1
    for _ in range(3):
        clock.turn(days=1)
        assert not tell_all(office)
    assert len(alarms(office)) == 1
    told = [line for line in status(office)["wrong"] if "the operator" in line]
    assert told == [f"alarm of {DAY} to the operator is failed: RCPT: {NO_SUCH_USER}"]


def test_an_alarm_whose_operator_is_gone_fails_and_blocks_nothing(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    refuse_digests(office, postbox, clock, "ada")
    tell_all(office)
    tally = send(with_settings(office, operator=None))
    assert (tally.failed, tally.sent) == (1, 0)


def test_mail_that_no_server_takes_is_told_after_an_hour_and_the_alarm_waits(
    any_installation: Installation, postbox: Postbox, clock: Clock
) -> None:
    fill(any_installation, [DAY])
    away = with_settings(any_installation, smtp_url="smtp://127.0.0.1:1", operator=OPERATOR)
    join(away, "ada", "graph")
    join(away, "ben", "graph")
    compose_all_of(away, DAY)
    send(away)
    clock.turn(minutes=59)
    assert found(away) == []
    clock.turn(minutes=2)
    (told,) = sentences(away)
    assert told.startswith("2 mails have waited, the oldest since 7 April 2026, 09:00 UTC: ")
    assert "refused" in told.lower()
    assert told in status(away)["wrong"]
    assert tell_all(away)
    clock.turn(days=1)
    assert not tell_all(away)  # one is waiting already
    clock.turn(hours=1)
    back = with_settings(away, smtp_url=postbox.url)
    assert send(back).sent == 1
    assert postbox.recipients == [OPERATOR]
    assert sentences(back) == ["2 mails were not sent in time and given up."]


def test_digests_that_were_not_sent_in_time_are_told_before_anybody_gave_them_up(
    office: Installation, clock: Clock
) -> None:
    join(office, "ada", "graph neural networks")
    compose_all_of(office, DAY)
    clock.turn(hours=25)
    assert sentences(office) == ["1 mail was not sent in time and given up."]
    send(office)
    assert sentences(office) == ["1 mail was not sent in time and given up."]


def test_a_job_that_fails_at_every_turn_is_told_after_a_while(clock: Clock) -> None:
    failing = {"compose": Failing(clock.now, "(OperationalError) disk full\n[ada@example.org]")}
    assert alarm.failing_jobs(failing, clock.now + timedelta(minutes=14)) == []
    (one,) = alarm.failing_jobs(failing, clock.now + timedelta(minutes=15))
    assert one.sentence == (
        "The job `compose` has failed since 7 April 2026, 09:00 UTC: (OperationalError) disk full."
    )


def test_sources_that_answer_without_anything_new_are_told_after_two_announcements() -> None:
    source = catalogue.parse(SOURCE, load_settings())

    def told(newest: date, days: int) -> list[Trouble]:
        now = START + timedelta(days=days)
        stale = DayReport(now.date(), DayState.STALE, "the feed is empty")
        whole = DayReport(newest, DayState.COMPLETE, "all of it")
        known = {one.day: one for one in (stale, whole)}
        return alarm.stale_sources([Standing(source, now, now, days=known)], now)

    assert told(DAY, 1) == []
    (one,) = told(DAY, 2)
    assert one.sentence == (
        f"{SOURCE} answers, but has had nothing newer than Tuesday 7 April 2026: the feed is empty."
    )
    friday = DAY + timedelta(days=3)
    assert told(friday, 6) == []  # Monday
    assert told(friday, 7) != []


def test_a_source_that_was_never_asked_is_no_trouble_yet(office: Installation) -> None:
    assert found(office) == []
    assert alarm.unread_sources([Standing(catalogue.parse(SOURCE, load_settings()))], START) == []


def test_the_clock_tells_the_operator_what_went_wrong(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    quiet = with_settings(office, sources=())
    refuse_digests(quiet, postbox, clock, "ada")
    clockwork = Clockwork(quiet, threading.Event())
    clockwork._tick()
    clockwork._tick()
    clockwork._deliver()
    assert postbox.recipients == [OPERATOR]


def test_a_failing_job_is_kept_until_it_succeeds(office: Installation, clock: Clock) -> None:
    clockwork = Clockwork(office, threading.Event())
    outcome = [True]

    def job() -> None:
        if outcome[0]:
            raise OSError("disk full")

    run = clockwork._guarded(job)
    run()
    clock.turn(minutes=20)
    run()
    assert clockwork._failing == {"job": Failing(START, "disk full", times=2)}
    outcome[0] = False
    run()
    assert clockwork._failing == {}


def test_alarms_are_counted_among_the_mails_and_are_nobodys(office: Installation) -> None:
    email = join(office, "ada", "graph")
    assert tell(office, [Trouble("key", "Something is wrong.")], START)
    with office.database.reading() as session:
        assert outbox.count_by_state(session)["alarm"]["queued"] == 1
    assert account.export(office, email)["mails"] == []
