"""What the DNS has to say about the domain that mails come from."""

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from dkim_verifier import ed25519_pem, pem_of, rsa_pem
from invented import with_settings
from name_server import Zone, name_server, quoted

from paperpost.service.doctor import records
from paperpost.service.doctor.checks import Check, gathered
from paperpost.service.doctor.names import Names
from paperpost.service.installation import Installation

HERE = "papers.example.org"
KEY_NAME = f"paperpost._domainkey.{HERE}"
GOOD: Zone = {
    (HERE, "TXT"): ['"unrelated=1"', '"v=spf1 ip4:192.0.2.1 -all"'],
    (HERE, "MX"): ["10 mail.example.org."],
    ("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=quarantine"'],
}


@pytest.fixture
def office(installation: Installation) -> Installation:
    return with_settings(installation, sender=f"Paperpost <post@{HERE}>", dkim_key=rsa_pem())


def look(office: Installation, zone: Zone) -> dict[str, Check]:
    with name_server(zone) as resolver:
        found = gathered(records.examiners(office, Names(resolver)), at_once=4)
    return {check.name: check for check in found}


def published(office: Installation) -> str:
    assert office.dkim is not None
    assert office.dkim.record_name == KEY_NAME
    return quoted(office.dkim.record)


@pytest.mark.parametrize("pem", [rsa_pem, ed25519_pem])
def test_a_domain_that_is_well_kept_passes_every_check(office: Installation, pem: object) -> None:
    assert callable(pem)
    signing = with_settings(office, dkim_key=pem())
    found = look(signing, {**GOOD, (KEY_NAME, "TXT"): [published(signing)]})
    assert {name: check.state for name, check in found.items()} == dict.fromkeys(
        ("spf", "dkim", "dmarc", "mx"), "ok"
    )
    assert "mail.example.org" in found["mx"].detail
    assert "_dmarc.example.org" in found["dmarc"].detail


def test_a_domain_without_records_is_told_what_to_publish(office: Installation) -> None:
    found = look(office, {(HERE, "NS"): ["ns.example.org."]})
    assert {name: check.state for name, check in found.items()} == {
        "spf": "warn",
        "dkim": "fail",
        "dmarc": "warn",
        "mx": "fail",
    }
    assert office.dkim is not None
    detail = found["dkim"].detail
    assert f'publish a TXT record {KEY_NAME} with: "{office.dkim.record[:255]}"' in detail
    assert office.dkim.record in detail.replace('" "', "")
    assert "v=DMARC1; p=none" in found["dmarc"].detail


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (["v=spf1 include:example.net ~all"], "ok"),
        (["v=spf1 redirect=example.net"], "ok"),
        (["v=spf1 a ?all"], "warn"),
        (["v=spf1 a"], "warn"),
        (["v=spf1 a +all"], "fail"),
        (["v=spf1 all"], "fail"),
        (["v=spf1 a -all", "v=spf1 mx -all"], "fail"),
        (["v=spf10 a -all"], "warn"),
    ],
)
def test_an_spf_record_has_to_name_some_and_refuse_others(
    office: Installation, text: list[str], state: str
) -> None:
    zone = {**GOOD, (HERE, "TXT"): [quoted(one) for one in text]}
    assert look(office, zone)["spf"].state == state


@pytest.mark.parametrize("key", ["p=", "k=rsa; p=AAAA"])
def test_another_key_in_the_dns_is_a_failure(office: Installation, key: str) -> None:
    zone = {**GOOD, (KEY_NAME, "TXT"): [quoted(f"v=DKIM1; {key}")]}
    check = look(office, zone)["dkim"]
    assert check.state == "fail"
    assert check.detail.startswith("another key is in the DNS")


def test_two_keys_under_one_name_are_a_failure(office: Installation) -> None:
    zone = {**GOOD, (KEY_NAME, "TXT"): [published(office), '"v=DKIM1; p=AAAA"']}
    assert look(office, zone)["dkim"].state == "fail"


def test_a_key_that_is_short_is_told(office: Installation) -> None:
    short = generate_private_key(public_exponent=65537, key_size=1024)
    signing = with_settings(office, dkim_key=pem_of(short))
    check = look(signing, {**GOOD, (KEY_NAME, "TXT"): [published(signing)]})["dkim"]
    assert (check.state, "1024 bits" in check.detail) == ("warn", True)


def test_without_a_key_the_mail_server_has_to_sign(office: Installation) -> None:
    check = look(with_settings(office, dkim_key=None), GOOD)["dkim"]
    assert check.state == "warn"
    assert f"let your mail server sign for {HERE}" in check.detail


@pytest.mark.parametrize(
    ("zone", "state"),
    [
        ({(HERE, "MX"): ["0 ."]}, "fail"),
        ({(HERE, "A"): ["192.0.2.1"]}, "warn"),
        ({(HERE, "AAAA"): ["2001:db8::1"]}, "warn"),
    ],
)
def test_a_bounce_has_to_find_a_server(office: Installation, zone: Zone, state: str) -> None:
    assert look(office, zone)["mx"].state == state


def test_spf_and_bounces_are_those_of_the_envelope(office: Installation) -> None:
    zone = {
        ("bounce.example.org", "TXT"): ['"v=spf1 mx -all"'],
        ("bounce.example.org", "MX"): ["10 elsewhere.example.org."],
    }
    found = look(with_settings(office, bounces="back@bounce.example.org"), zone)
    assert (found["spf"].state, found["mx"].state) == ("ok", "ok")


def test_two_policies_count_as_none(office: Installation) -> None:
    zone = {(f"_dmarc.{HERE}", "TXT"): ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']}
    assert look(office, zone)["dmarc"].state == "fail"


@pytest.fixture
def nobody_answers() -> Names:
    with name_server({}) as resolver:
        pass  # its server is gone
    return Names(resolver, seconds=0.2)


def test_without_name_servers_it_is_said_that_nothing_could_be_checked(
    office: Installation, nobody_answers: Names
) -> None:
    found = gathered(records.examiners(office, nobody_answers), at_once=4)
    assert [check.state for check in found] == ["warn"] * 4
    assert all("could not be looked up" in check.detail for check in found)
    assert office.dkim is not None
    assert office.dkim.record in found[1].detail.replace('" "', "")
