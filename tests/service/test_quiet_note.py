"""A short mail on a day without papers, for who asked for one."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from invented import START, Clock, fill, join, with_settings
from smtp_server import Postbox, text_of

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, subscribe
from paperpost.service.deliver import StoreOutbox, send
from paperpost.service.installation import Installation
from paperpost.service.last_digest import last_digest
from paperpost.service.status import status
from paperpost.service.wishes import Wishes
from paperpost.store import digests
from paperpost.store.tables import Delivery, Digest

DAY = START.date()
NEXT = DAY + timedelta(days=1)
REFUSED_FOR_NOW = "450 4.2.1 try later"


@pytest.fixture
def office(any_installation: Installation, postbox: Postbox) -> Installation:
    """An installation without papers that mails to the test's server."""
    return with_settings(any_installation, smtp_url=postbox.url)


def ada(installation: Installation, **wishes: object) -> str:
    return join(installation, "ada", "graph neural networks", quiet_note="yes", **wishes)


def rows(installation: Installation, email: str) -> list[tuple[Digest, Delivery]]:
    with installation.database.reading() as session:
        return digests.of_subscriber(session, account.named(session, email).id or 0)


def papers_of(installation: Installation, email: str, day: date) -> list[str]:
    (own,) = (
        digest["papers"]
        for digest in account.export(installation, email)["digests"]
        if digest["date"] == str(day)
    )
    return list(own)


def test_who_asked_for_it_gets_a_note_that_says_why_and_nobody_else_does(
    office: Installation, postbox: Postbox
) -> None:
    email = ada(office)
    join(office, "ben", "graph neural networks")
    assert compose_all_of(office, DAY) == {"quiet note": 1, "silent": 1}
    assert send(office).sent == 1
    assert postbox.recipients == [email]
    ((digest, delivery),) = rows(office, email)
    assert (digest.items, delivery.state) == ([], "sent")
    assert digest.silence.endswith("has not been asked for papers yet.")
    assert digest.silence in " ".join(text_of(postbox.message()).split())
    assert postbox.message()["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (silent,) = status(office)["silent"]
    assert (silent["reason"], silent["subscribers"]) == (digest.silence, 2)
    with office.database.reading() as session:
        last = last_digest(session, account.named(session, email).id or 0)
    assert (last.silent_on, last.silence) == (DAY, digest.silence)


def test_a_note_that_waits_still_becomes_the_digest_when_papers_come(
    office: Installation, postbox: Postbox
) -> None:
    email = ada(office, size=3)
    compose_all_of(office, DAY)
    fill(office, [DAY])
    assert compose_all_of(office, DAY) == {"queued": 1}
    assert send(office).sent == 1
    assert text_of(postbox.message()).count("More like this: ") == 3
    ((digest, delivery),) = rows(office, email)
    assert (len(digest.items), digest.silence, delivery.state) == (3, "", "sent")


def test_after_the_note_was_sent_late_papers_are_in_the_next_digest(
    office: Installation, postbox: Postbox
) -> None:
    email = ada(office, size=50)
    compose_all_of(office, DAY)
    send(office)
    late = fill(office, [DAY])
    assert compose_all_of(office, DAY) == {"composed before": 1}
    assert send(office).sent == 0
    assert rows(office, email)[0][0].items == []
    assert compose_all_of(office, NEXT) == {"queued": 1}
    assert set(papers_of(office, email, NEXT)) == {paper.id for paper in late}


def test_a_note_that_somebody_is_about_to_send_is_not_changed(office: Installation) -> None:
    email = ada(office)
    compose_all_of(office, DAY)
    shelf = StoreOutbox(office)
    (claim,) = shelf.claim(office.clock(), 10)
    fill(office, [DAY])
    assert compose_all_of(office, DAY) == {"composed before": 1}
    assert rows(office, email)[0][0].items == []
    shelf.release([claim])
    assert compose_all_of(office, DAY) == {"queued": 1}


def test_a_note_that_a_server_put_off_becomes_the_digest_under_its_own_message_id(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    email = ada(office)
    compose_all_of(office, DAY)
    postbox.refuse = {email: REFUSED_FOR_NOW}
    assert send(office).queued == 1
    before = rows(office, email)[0][1].message_id
    fill(office, [DAY])
    compose_all_of(office, DAY)
    postbox.refuse = {}
    clock.turn(hours=1)
    assert send(office).sent == 1
    assert postbox.message()["Message-ID"] == before


def test_what_did_not_reach_the_threshold_is_told_and_does_not_come_back(
    office: Installation, postbox: Postbox
) -> None:
    fill(office, [DAY])
    email = ada(office, threshold=99, keywords=("cold fusion",))
    assert compose_all_of(office, DAY) == {"quiet note": 1}
    send(office)
    told = "None of 12 new papers reached your threshold of 99 %."
    assert told in text_of(postbox.message())
    join(office, "ada", "graph neural networks", threshold="none", size=50)
    new = fill(office, [NEXT], each=1)
    compose_all_of(office, NEXT)
    assert set(papers_of(office, email, NEXT)) == {paper.id for paper in new}


def test_who_pauses_gets_no_note(office: Installation) -> None:
    email = ada(office)
    compose_all_of(office, DAY)
    with office.database.writing() as session:
        account.named(session, email).paused_until = NEXT
    assert send(office).sent == 0
    assert rows(office, email)[0][1].state == "suppressed"


def test_a_note_is_asked_for_by_command_and_by_list_and_is_exported(
    installation: Installation, tmp_path: Path
) -> None:
    def wanted(name: str) -> bool:
        return bool(account.export(installation, f"{name}@example.org")["quiet_note"])

    path = tmp_path / "list.csv"
    path.write_text(
        "email,quiet_note\nada@example.org,yes\nben@example.org,\ncleo@example.org,perhaps\n",
        encoding="utf-8",
    )
    done = subscribe.from_file(installation, path, confirmed=True)
    assert (done.added, done.rejected) == (
        2,
        [(4, "quiet_note must be yes or no, not 'perhaps'")],
    )
    assert (wanted("ada"), wanted("ben")) == (True, False)
    path.write_text("email,quiet_note\nada@example.org,no\n", encoding="utf-8")
    assert subscribe.from_file(installation, path, confirmed=True).updated == 1
    subscribe.by_command(installation, "ben@example.org", Wishes(quiet_note=True), confirmed=True)
    assert (wanted("ada"), wanted("ben")) == (False, True)
