"""Addresses outside of ASCII: a domain that has an ASCII form (IDN) is any server's business, a
local part that has none needs a server with SMTPUTF8 (RFC 6531)."""

import pytest
from invented import with_settings
from smtp_server import Postbox, smtp_server

from paperpost.service import subscribe
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.status import status
from paperpost.service.wishes import InvalidWish, Wishes
from paperpost.settings import SettingsError, load_settings

IDN = "ben@bücher.example"
GREEK = "δοκιμή@bücher.example"


def sent_to(installation: Installation, email: str, *, smtputf8: bool = False) -> Postbox:
    """The postbox after a confirmation for this address was queued and sent."""
    with smtp_server(enable_SMTPUTF8=smtputf8) as postbox:
        office = with_settings(installation, smtp_url=postbox.url)
        subscribe.by_form(office, email, Wishes())
        send(office)
    return postbox


@pytest.mark.parametrize("spelling", [IDN, "Ben@BÜCHER.example", "ben@xn--bcher-kva.example"])
def test_a_domain_outside_of_ascii_is_mailed_by_any_server(
    installation: Installation, spelling: str
) -> None:
    postbox = sent_to(installation, spelling)
    assert postbox.recipients == ["ben@xn--bcher-kva.example"]
    assert postbox.message()["To"] == "ben@xn--bcher-kva.example"
    assert postbox.raw[0][1].isascii()
    # However it is written, it is one subscriber.
    assert subscribe.by_command(installation, IDN, Wishes(), confirmed=True).created is False


def test_a_local_part_outside_of_ascii_is_mailed_by_a_server_that_offers_smtputf8(
    installation: Installation,
) -> None:
    postbox = sent_to(installation, GREEK, smtputf8=True)
    assert postbox.recipients == [GREEK]
    assert postbox.message()["To"] == GREEK


def test_a_server_without_smtputf8_fails_that_mail_alone_and_the_reason_is_told(
    installation: Installation,
) -> None:
    with smtp_server(enable_SMTPUTF8=False) as postbox:
        office = with_settings(installation, smtp_url=postbox.url)
        for email in (GREEK, IDN):
            subscribe.by_form(office, email, Wishes())
        tally = send(office)
        assert (tally.sent, tally.failed) == (1, 1)
    (line,) = [line for line in status(installation)["wrong"] if GREEK in line]
    assert "does not offer SMTPUTF8" in line


def test_what_a_subscriber_asked_for_outlives_a_server_that_cannot_mail_them(
    installation: Installation,
) -> None:
    sent_to(installation, GREEK)
    done = subscribe.by_command(installation, GREEK, Wishes(), confirmed=True)
    assert (done.created, done.state) == (False, "active")


@pytest.mark.parametrize(
    "wrong",
    [
        *("ada", "ada@", "@example.org", "a b@example.org", "a@b@example.org", "ada@-x.org"),
        *("ada@exa mple.org", "ada@example.org\r\nBcc: b@x.org", "ada@example..org", "a,b@x.org"),
        *("<ada@example.org>", "ada@[127.0.0.1]", '"a b"@example.org', "ada@xn--a.org", ""),
    ],
)
def test_what_is_no_address_is_refused_when_it_is_given(
    installation: Installation, wrong: str
) -> None:
    with pytest.raises(InvalidWish, match="not an e-mail address"):
        subscribe.by_command(installation, wrong, Wishes(), confirmed=True)


def test_the_sender_may_have_a_domain_outside_of_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERPOST_FROM", "Bücher <post@bücher.example>")
    settings = load_settings(operator="chef@bücher.example")
    assert settings.sender == "Bücher <post@xn--bcher-kva.example>"
    assert settings.sender_domain == "xn--bcher-kva.example"
    assert settings.operator == "chef@xn--bcher-kva.example"


def test_a_sender_that_few_servers_could_take_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERPOST_FROM", f"Paperpost <{GREEK}>")
    with pytest.raises(SettingsError, match="PAPERPOST_FROM: must be ASCII before the @"):
        load_settings()
