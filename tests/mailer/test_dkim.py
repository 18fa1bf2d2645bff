import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTPUTF8

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from dkim_verifier import ed25519_pem, rsa_pem, verifies
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.dkim import SIGNED, DkimError, DkimSigner

DATE = datetime(2026, 4, 14, 8, tzinfo=UTC)
HEADERS = {
    "From": "Paperpost <paperpost@papers.example.org>",
    "To": "ada@example.org",
    "Subject": "Papers 14 Apr: Größe und  Maß",
    "Date": "Tue, 14 Apr 2026 08:00:00 +0000",
    "Message-ID": "<20260414.0a1b2c@papers.example.org>",
    "Precedence": "bulk",
    "List-ID": "Paperpost digest <digest.papers.example.org>",
    "List-Unsubscribe": f"<https://papers.example.org/unsubscribe/{'u' * 48}>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Feedback-ID": "20260414:daily:digest:paperpost",
}


def mail(**headers: str) -> bytes:
    """A message like ours, made by the standard library."""
    made = EmailMessage(policy=SMTPUTF8)
    for name, value in {**HEADERS, **headers}.items():
        made[name] = value
    made.set_content("Größe  3 µm\n\n   indented\n", cte="quoted-printable")
    made.add_alternative("<p>Größe  3 µm</p>\n", subtype="html", cte="base64")
    return made.as_bytes()


MAIL = mail()
# 512 bits, made for this test.
SHORT_KEY = """-----BEGIN PRIVATE KEY-----
MIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEAqNZpRDQutCB9SJcs
dItG7Zdjy6q0wR2s1+E2rV0ldEx9RyLb5uNF9ZVWB2UEcpReGUUq4CAsCHeyRbNP
Z+iwfwIDAQABAkBeIo22lVGk5Kh1nLQQlscJGWtu1tLJCX6hLtSJfHGxkTvxUCJ9
ckr4pNJWk08Rfizp8nvHwiE/vkNYpYKMVIZBAiEA2x3n9rdzFPyDWbNbIBw1gR4P
DlFUd+WJ1xFIWeJYjGkCIQDFQeQFoEkmnIlDZs2g7xCovljnxdJWm2FLOYMfGLlY
pwIhAMiAMB85NIwyl/q/vRW/2lHA8KP4VeO0XZI31U2yabZpAiBWUeI90AmS2vd6
Rld/sH4iycFQE5JbEf2+lHlbt08MiwIhAJuYhrUadIYu/HuzUykIQYjeZpAAgYW8
DeOi9W9PSYNz
-----END PRIVATE KEY-----
"""


def signer(pem: str) -> DkimSigner:
    return DkimSigner(pem, "papers2026", "papers.example.org")


RSA = signer(rsa_pem())
ED25519 = signer(ed25519_pem())


def is_good(signed: bytes, by: DkimSigner = RSA) -> bool:
    return verifies(signed, by.record_name, by.record)


def covered(signed: bytes) -> list[str]:
    """The names in h=."""
    listed = re.search(rb"\th=([^;]+);", signed)
    assert listed is not None
    return re.sub(rb"\s", b"", listed[1]).decode().split(":")


@pytest.mark.parametrize("by", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_another_program_verifies_what_is_signed(by: DkimSigner) -> None:
    signed = by.sign(MAIL, DATE)
    assert signed.endswith(MAIL)
    assert is_good(signed, by)
    assert not is_good(signed.replace(b"; s=papers2026;", b"; s=papers2027;"), by)


def test_the_record_is_looked_for_where_it_is_to_be_published() -> None:
    assert RSA.record_name == "papers2026._domainkey.papers.example.org"
    assert RSA.record.startswith("v=DKIM1; k=rsa; p=MII")
    assert (RSA.rsa_bits, ED25519.rsa_bits) == (2048, None)
    assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", ED25519.record)


def test_both_headers_of_one_click_unsubscription_are_covered() -> None:
    signed = RSA.sign(MAIL, DATE)
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post"):
        assert covered(signed).count(name) == 2
        assert not is_good(signed.replace(f"\r\n{name}: ".encode(), f"\r\n{name}: x".encode()))


@pytest.mark.parametrize("name", [name for name in SIGNED if name != "Reply-To"])
def test_no_covered_header_can_be_changed_or_taken_away(name: str) -> None:
    signed = RSA.sign(MAIL, DATE)
    field = re.compile(rf"(?m)^{name}: .*\r\n(?:[ \t].*\r\n)*".encode())
    for instead in ("", f"{name}: other\r\n"):
        changed, times = field.subn(instead.encode(), signed, count=1)
        assert times == 1
        assert not is_good(changed)


@pytest.mark.parametrize("name", SIGNED)
def test_no_covered_header_can_be_added(name: str) -> None:
    signed = RSA.sign(MAIL, DATE)
    assert not is_good(f"{name}: other\r\n".encode() + signed)


def test_the_body_cannot_be_changed() -> None:
    assert not is_good(RSA.sign(MAIL, DATE).replace(b"indented", b"invented"))


def test_what_servers_do_to_white_space_and_to_other_headers_does_no_harm() -> None:
    signed = RSA.sign(MAIL, DATE).replace(b"Precedence: bulk\r\n", b"")
    signed = b"Received: from somewhere\r\n" + signed.replace(b"\r\nTo: ", b"\r\nTO:  \t")
    assert is_good(signed.replace(b" <digest.", b"\r\n\t<digest.") + b"\r\n\r\n")


def test_signing_again_later_gives_the_same_bytes() -> None:
    for by in (RSA, ED25519):
        assert by.sign(MAIL, DATE) == by.sign(MAIL, DATE)
        assert by.sign(MAIL, DATE) != by.sign(MAIL, DATE + timedelta(seconds=1))
    assert f" t={int(DATE.timestamp())};".encode() in RSA.sign(MAIL, DATE)


def test_a_reply_to_is_covered_where_there_is_one() -> None:
    signed = RSA.sign(mail(**{"Reply-To": "ops@example.org"}), DATE)
    assert is_good(signed)
    assert covered(signed).count("Reply-To") == 2


@pytest.mark.parametrize("address", ["δοκιμή@example.org", "ada@xn--bcher-kva.example"])
def test_addresses_of_any_script_can_be_signed(address: str) -> None:
    assert is_good(RSA.sign(mail(To=address), DATE))


def test_lines_stay_short_and_have_no_bare_ends() -> None:
    signature = RSA.sign(MAIL, DATE).removesuffix(MAIL)
    assert max(len(line) for line in signature.split(b"\r\n")) <= 78
    assert b"\n" not in signature.replace(b"\r\n", b"")


bodies = st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b"=20", b".", "é".encode()]))


@given(bodies, st.text(st.sampled_from("ab \t"), max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_white_space_is_read_as_another_program_reads_it(
    body: list[bytes], subject: str
) -> None:
    head = f"From: a@papers.example.org\r\nSubject:{subject}\r\n\tx\r\n\r\n".encode()
    assert is_good(ED25519.sign(head + b"".join(body) + b"\r\n", DATE), ED25519)


def other_keys() -> dict[str, str]:
    """What is no usable private key, by why it is not."""
    key = generate_ec_key(SECP256R1())
    form = (Encoding.PEM, PrivateFormat.PKCS8)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "RSA or an Ed25519": key.private_bytes(*form, NoEncryption()).decode(),
        "without a password": key.private_bytes(*form, BestAvailableEncryption(b"x")).decode(),
        "not a private key": public.decode(),
        "in PEM": "secret, but no key",
        "2048": SHORT_KEY,
    }


def test_a_key_that_cannot_sign_is_a_sentence_without_the_key() -> None:
    for reason, pem in other_keys().items():
        with pytest.raises(DkimError, match=reason) as caught:
            signer(pem)
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_without_the_library_it_is_said_what_to_install() -> None:
    code = (
        "import sys\n"
        "sys.modules['cryptography'] = None\n"
        "from mailer.dkim import DkimError, DkimSigner\n"
        "try:\n    DkimSigner('x', 'y', 'z')\n"
        "except DkimError as error:\n    print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "extra `dkim`" in result.stdout
