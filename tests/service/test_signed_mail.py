"""Mails that are signed for the domain they come from (DKIM)."""

from collections.abc import Iterator
from datetime import date

import pytest
from dkim_verifier import rsa_pem, verifies
from invented import Clock, fill, join, with_settings
from smtp_server import Postbox, smtp_server

from paperpost.engine.runs import compose_all_of
from paperpost.service import subscribe
from paperpost.service.deliver import send
from paperpost.service.installation import Installation, open_installation
from paperpost.service.wishes import Wishes
from paperpost.settings import SettingsError, load_settings

DAY = date(2026, 4, 7)


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with smtp_server(enable_SMTPUTF8=True) as server:
        yield server


@pytest.fixture
def office(installation: Installation, postbox: Postbox) -> Installation:
    """An installation with papers that signs what it mails to the test's server."""
    fill(installation, [DAY])
    return with_settings(
        installation,
        smtp_url=postbox.url,
        sender="Paperpost <paperpost@papers.example.org>",
        dkim_key=rsa_pem(),
    )


def is_good(office: Installation, mail: bytes) -> bool:
    assert office.dkim is not None
    assert office.dkim.record_name == "paperpost._domainkey.papers.example.org"
    return verifies(mail, office.dkim.record_name, office.dkim.record)


def test_a_digest_arrives_with_a_signature_that_covers_both_list_headers(
    office: Installation, postbox: Postbox
) -> None:
    join(office, "ada", "graph neural networks", size=3)
    compose_all_of(office, DAY)
    assert send(office).sent == 1
    assert is_good(office, postbox.raw[0][1])
    for header in (b"List-Unsubscribe: <", b"List-Unsubscribe-Post: List"):
        assert postbox.raw[0][1].count(header) == 1
        assert not is_good(office, postbox.raw[0][1].replace(header, header + b"x"))


@pytest.mark.parametrize("email", ["ben@bücher.example", "δοκιμή@example.org"])
def test_a_confirmation_is_signed_whatever_script_its_address_is_in(
    office: Installation, postbox: Postbox, email: str
) -> None:
    subscribe.by_form(office, email, Wishes())
    assert send(office).sent == 1
    assert is_good(office, postbox.raw[0][1])


def test_a_mail_that_is_tried_again_has_the_same_signature(
    office: Installation, postbox: Postbox, clock: Clock
) -> None:
    join(office, "ada", "graph neural networks", size=3)
    compose_all_of(office, DAY)
    assert send(office).sent == 1
    ada = postbox.raw[0][1]
    clock.turn(hours=2)
    # As a crash would have left it: sent, and not recorded.
    with office.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE delivery SET state = 'unknown'")
    assert send(office).sent == 1
    assert postbox.raw[1][1] == ada


def test_without_a_key_nothing_is_signed(office: Installation, postbox: Postbox) -> None:
    unsigned = with_settings(office, dkim_key=None)
    subscribe.by_form(unsigned, "ben@example.org", Wishes())
    assert send(unsigned).sent == 1
    assert b"DKIM" not in postbox.raw[0][1]


def test_a_key_that_cannot_sign_stops_the_program_at_the_start(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERPOST_DKIM_KEY", "no key")
    with pytest.raises(SettingsError, match="PAPERPOST_DKIM_KEY: not a private key"):
        open_installation(load_settings(database_url=store_url))
    monkeypatch.setenv("PAPERPOST_DKIM_KEY", rsa_pem())
    monkeypatch.setenv("PAPERPOST_DKIM_SELECTOR", "a b")
    with pytest.raises(SettingsError, match="PAPERPOST_DKIM_SELECTOR: not a name"):
        load_settings(database_url=store_url)
