"""Is this installation healthy, and will its mail arrive?"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from email import message_from_bytes
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from dkim_verifier import rsa_pem, verifies
from invented import Clock, fill, join, with_settings
from name_server import name_server
from smtp_server import smtp_server

from paperpost.engine.runs import compose_all_of
from paperpost.service.deliver import send
from paperpost.service.doctor import home, letter, network, sharing, work
from paperpost.service.doctor.checks import Check, Examiner, gathered
from paperpost.service.doctor.examination import Report, examine, examine_installation
from paperpost.service.doctor.names import Names
from paperpost.service.installation import Installation
from paperpost.service.status import status
from paperpost.service.train import train
from paperpost.settings import load_settings
from paperpost.store import requests, throttles

DAY = date(2026, 4, 7)


def found(examiner: Examiner) -> dict[str, Check]:
    return {check.name: check for check in gathered([("it", examiner)], at_once=1)}


# Shared with other processes


def test_it_is_told_who_ticks_and_how_the_database_is_reached(
    any_installation: Installation,
) -> None:
    store = any_installation.database
    assert status(any_installation)["ticks"] is None
    ticks = found(partial(sharing.ticking, any_installation))
    with store.lock("tick").held():
        others_tick = found(partial(sharing.ticking, any_installation))
        told = status(any_installation)["ticks"]
    rest = found(partial(sharing.clock, any_installation))
    rest |= found(partial(sharing.way, any_installation))
    assert ticks["ticks"].state == "warn"
    assert others_tick["ticks"].state == "ok"
    assert told["process"] in others_tick["ticks"].detail
    if store.is_sqlite:  # one machine: nothing more to be told
        assert rest == {}
        return
    assert [check.state for check in rest.values()] == ["ok", "ok"]


# On this machine


def test_a_mistyped_variable_is_told_with_what_was_meant() -> None:
    settings = load_settings()
    names = ["PAPERPOST_SMPT_URL", "PAPERPOST_HOME", "HOME", "PAPERPOST_DATA"]
    (check,) = home.variables(names, settings)
    assert check.state == "warn"
    assert check.detail == "PAPERPOST_SMPT_URL sets nothing: is PAPERPOST_SMTP_URL meant?"
    (known,) = home.variables(["PAPERPOST_SMTP_URL_FILE"], settings)
    (unknown,) = home.variables(["PAPERPOST_FROM_FILE"], settings)
    assert (known.state, unknown.state) == ("ok", "warn")


def test_a_source_that_there_is_not_is_told() -> None:
    (check,) = home.variables([], load_settings(sources=("bogus:x",)))
    assert check.state == "fail"
    assert "bogus:x" in check.detail


def test_a_bounce_folder_that_is_not_there_is_told(
    installation: Installation, tmp_path: Path
) -> None:
    settings = with_settings(
        installation, bounces="bounces@example.org", bounce_folder=tmp_path / "none"
    ).settings
    (check,) = home.bounce_folder(settings)
    assert check.state == "warn"
    (tmp_path / "none").touch()
    assert [check.state for check in home.bounce_folder(settings)] == ["ok"]


def test_a_database_that_takes_changes_is_well(any_installation: Installation) -> None:
    assert found(lambda: home.database(any_installation))["database"].state == "ok"


def test_a_database_that_is_only_readable_is_not(any_installation: Installation) -> None:
    engine = any_installation.database.engine
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            statement = "PRAGMA query_only = ON"
        else:
            name = connection.exec_driver_sql("SELECT current_database()").scalar()
            statement = f"ALTER DATABASE {name} SET default_transaction_read_only = on"
        connection.exec_driver_sql(statement)
        connection.commit()
    if engine.dialect.name != "sqlite":
        engine.dispose()  # the setting is for new connections
    (check,) = found(lambda: home.database(any_installation)).values()
    assert check.state == "fail"
    assert "read" in check.detail


def test_the_key_is_neither_made_nor_shown(installation: Installation) -> None:
    keyless = with_settings(installation, secret_key=())
    path = keyless.settings.key_file
    assert found(lambda: home.key(keyless))["key"].state == "ok"
    assert not path.exists()
    assert keyless.keys
    kept = found(lambda: home.key(keyless))["key"]
    assert (kept.state, path.read_text(encoding="ascii").strip() in kept.detail) == ("ok", False)
    path.chmod(0o644)
    assert "chmod 600" in found(lambda: home.key(keyless))["key"].detail
    path.write_text("", encoding="ascii")
    (broken,) = found(lambda: home.key(keyless)).values()
    assert (broken.state, "backup" in broken.detail) == ("fail", True)


def test_a_key_that_was_lost_is_a_failure(installation: Installation) -> None:
    fill(installation, [DAY])
    join(installation, "ada", "graph neural networks")
    compose_all_of(installation, DAY)
    check = found(lambda: home.key(with_settings(installation, secret_key=())))["key"]
    assert (check.state, "is lost" in check.detail) == ("fail", True)


def test_a_model_that_is_missing_broken_or_old_is_told(
    installation: Installation, clock: Clock
) -> None:
    def look() -> Check:
        return found(lambda: home.model(installation))["model"]

    assert look().state == "warn"
    fill(installation, [DAY])
    train(installation)
    assert look().state == "ok"
    clock.turn(days=4)
    fill(installation, [date(2026, 4, 10)])
    assert (look().state, "have come since" in look().detail) == ("warn", True)
    (snapshot,) = installation.settings.models_folder.iterdir()
    snapshot.write_bytes(snapshot.read_bytes()[:1000])
    # PostgreSQL has a copy.
    expected = "fail" if installation.database.is_sqlite else "warn"
    assert (look().state, "paperpost train" in look().detail) == (expected, True)


# The work


def test_a_source_that_is_silent_for_too_long_is_a_failure(
    installation: Installation, clock: Clock
) -> None:
    (name,) = installation.settings.sources

    def look() -> str:
        return found(lambda: work.sources(installation))["source"].state

    def end(state: str) -> None:
        with installation.database.writing() as session:
            requests.record_run(session, name, state, "503 sorry", clock())

    assert look() == "warn"
    end("failed")
    assert look() == "fail"
    end("ok")
    assert look() == "ok"
    clock.turn(days=2)
    end("failed")
    assert look() == "warn"
    clock.turn(days=4)
    assert look() == "fail"


def test_papers_that_stopped_coming_are_told(installation: Installation, clock: Clock) -> None:
    def look() -> str:
        return found(lambda: work.sources(installation))["papers"].state

    assert look() == "warn"
    fill(installation, [DAY])
    assert look() == "ok"
    clock.turn(days=6)
    assert look() == "warn"


def test_digests_and_mails_that_are_late_are_told(installation: Installation, clock: Clock) -> None:
    fill(installation, [DAY])
    join(installation, "ada", "graph neural networks")
    assert {c.state for c in work.digests(installation)} == {"ok"}
    compose_all_of(installation, DAY)
    clock.turn(hours=2)
    assert [c.state for c in work.digests(installation)] == ["ok", "fail"]
    clock.turn(days=1)
    late, waiting = work.digests(installation)
    assert (late.state, late.detail.startswith("1 are over an hour late")) == ("warn", True)
    send(installation)
    assert [c.state for c in work.digests(installation)] == ["warn", "ok"]
    assert waiting.detail.startswith("1 mails wait")


def test_how_mails_ended_lately_is_told_with_the_last_answer(installation: Installation) -> None:
    fill(installation, [DAY])
    for name in ("ada", "ben"):
        join(installation, name, "graph neural networks")
    compose_all_of(installation, DAY)
    with smtp_server() as postbox:
        postbox.refuse = {"ben@example.org": "550 5.1.1 no such user"}
        send(with_settings(installation, smtp_url=postbox.url))
    (check,) = work.deliveries(installation)
    assert check.state == "fail"
    assert check.detail.startswith("1 sent in seven days, 1 failed, 0 too late; ")
    assert "no such user" in check.detail


def test_a_domain_that_takes_nothing_for_now_is_told(
    installation: Installation, clock: Clock
) -> None:
    assert [check.state for check in work.throttled(installation)] == ["ok"]
    with installation.database.writing() as session:
        throttles.close(session, "gmail.com", clock(), "421 4.7.28 too much")
    clock.turn(seconds=-60)
    (check,) = work.throttled(installation)
    assert (check.state, check.detail) == (
        "warn",
        "gmail.com gets nothing until 09:00 UTC: 421 4.7.28 too much",
    )


# What others meet


@contextmanager
def web_server(status: int, body: str, **headers: str) -> Iterator[str]:
    """A site that gives one answer to everything; its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        (200, '{"status":"ok"}', {}, ("ok", "answers")),
        (503, '{"status":"the database does not answer"}', {}, ("fail", "database")),
        (200, "<h1>It works!</h1>", {}, ("fail", "something else")),
        (404, "", {}, ("fail", "something else")),
        (308, "", {"Location": "https://x.example/"}, ("fail", "leads on to https://x.example/")),
    ],
)
def test_links_have_to_lead_to_this_program_and_no_further(
    installation: Installation,
    status: int,
    body: str,
    headers: dict[str, str],
    expected: tuple[str, str],
) -> None:
    with web_server(status, body, **headers) as url:
        settings = with_settings(installation, public_url=url).settings
        check = found(lambda: network.site(settings))["site"]
    assert (check.state, expected[1] in check.detail) == (expected[0], True)


def test_links_that_readers_cannot_open_are_a_failure(installation: Installation) -> None:
    settings = with_settings(installation, public_url="http://127.0.0.1:1").settings
    checks = found(lambda: network.site(settings))
    assert (checks["site"].state, checks["links"].state) == ("warn", "ok")
    mailing = settings.model_copy(update={"smtp_url": "smtp://mail.example.org"})
    assert found(lambda: network.site(mailing))["links"].state == "fail"


def test_the_mail_server_is_met_as_mails_meet_it(installation: Installation) -> None:
    with smtp_server(enable_SMTPUTF8=False) as postbox:
        office = with_settings(installation, smtp_url=postbox.url)
        checks = found(lambda: network.mail_server(office))
        assert (checks["mail"].state, checks["addresses"].state) == ("ok", "ok")
        assert "in the clear; 8BITMIME" in checks["mail"].detail
        join(installation, "δοκιμή", "speech")
        checks = found(lambda: network.mail_server(office))
    assert checks["addresses"].state == "fail"
    assert checks["addresses"].detail.startswith("1 subscriber cannot be mailed")
    assert postbox.raw == []
    assert found(lambda: network.mail_server(office))["mail"].state == "fail"


# A test mail


def test_a_test_mail_is_a_signed_digest_that_belongs_to_nobody(installation: Installation) -> None:
    with smtp_server() as postbox:
        office = with_settings(
            installation,
            smtp_url=postbox.url,
            sender="Paperpost <post@papers.example.org>",
            dkim_key=rsa_pem(),
        )
        steps = list(letter.send_test(office, "ada@example.org"))
    assert [step.state for step in steps] == ["ok", "ok"]
    assert steps[-1].detail == "accepted: 250 Message accepted"
    ((recipient, data),) = postbox.raw
    assert recipient == "ada@example.org"
    assert office.dkim is not None
    assert verifies(data, office.dkim.record_name, office.dkim.record)
    mail = message_from_bytes(data)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert send(office).sent == 0


def test_what_the_server_says_to_a_test_mail_is_told(installation: Installation) -> None:
    with smtp_server() as postbox:
        postbox.refuse = {"ada@example.org": "550 5.7.515 not authenticated"}
        office = with_settings(installation, smtp_url=postbox.url)
        refused = list(letter.send_test(office, "ada@example.org"))[-1]
    assert refused.detail == "refused for good: RCPT: 550 5.7.515 not authenticated"
    lost = list(letter.send_test(office, "ada@example.org"))[-1]
    assert (refused.state, lost.state) == ("fail", "fail")
    assert lost.detail.startswith("could not be handed over: 127.0.0.1:")
    kept = list(letter.send_test(installation, "ada@example.org"))[-1]
    assert (kept.state, kept.detail.startswith("accepted: written to")) == ("ok", True)


# All together


def states(report: Report) -> dict[str, str]:
    return {check.name: check.state for check in report.checks}


def test_everything_is_looked_at_and_a_warning_is_no_failure(installation: Installation) -> None:
    with name_server({}) as resolver:
        report = examine_installation(installation, Names(resolver))
        local = examine_installation(
            with_settings(installation, smtp_url="smtp://127.0.0.1:1"), Names(resolver)
        )
    assert report.document["healthy"] is True
    of_a_server = set() if installation.database.is_sqlite else {"clock", "pool"}
    assert set(states(report)) == of_a_server | {
        *("settings", "disk", "database", "key", "model", "source", "papers", "digests", "queue"),
        *("requests", "deliveries", "throttle", "site", "links", "mail", "ticks"),
    }
    assert states(local)["sender"] == "fail"
    assert "spf" not in states(local)
    assert local.document["healthy"] is False


def test_without_a_database_the_rest_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    report = examine("ada@example.org")
    assert list(states(report)) == ["settings", "disk", "database"]
    assert "paperpost upgrade" in report.checks[-1].detail
    monkeypatch.setenv("PAPERPOST_DKIM_KEY", "none")
    (check,) = examine().checks
    assert (check.state, check.detail) == (
        "fail",
        "PAPERPOST_DKIM_KEY: not a private key in PEM without a password",
    )


def test_a_check_that_breaks_does_not_take_the_others_along() -> None:
    def broken() -> list[Check]:
        raise ZeroDivisionError("x")

    checks = gathered([("one", broken), ("two", lambda: [Check("two", "ok", "")])], at_once=2)
    assert [(check.name, check.state) for check in checks] == [("one", "fail"), ("two", "ok")]
