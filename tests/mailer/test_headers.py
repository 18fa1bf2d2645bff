"""The headers of a mail: each once, safe, and what RFCs and mailbox providers ask for."""

import re
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from composed import BASE, HOSTILE, LETTER, digest, paper, parsed, real_papers
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.compose import (
    UnsafeAddress,
    compose_access_link,
    compose_alarm,
    compose_confirmation,
    compose_digest,
    digest_subject,
    list_id,
)
from mailer.digest import Digest
from mailer.headers import safe_url
from mailer.message import header_line

MANY = digest(*(paper(number, "Ünïcode “títle” 世界", "Long. " * 400) for number in range(50)))


@pytest.mark.parametrize(
    "mail",
    [
        MANY,
        digest(paper(1, "世界" * 40, "世界" * 300)),
        replace(MANY, frequency="weekly"),
        replace(MANY, items=(), silence="Nothing was new."),
    ],
    ids=["fifty papers", "base64", "weekly", "quiet"],
)
def test_a_digest_parses_without_defects_whatever_it_holds(mail: Digest) -> None:
    raw = compose_digest(mail, LETTER)
    message = parsed(raw)
    parts = list(message.walk())
    assert [part.get_content_type() for part in parts] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    for part in parts:
        assert part.defects == []
        for value in part.values():
            assert value.defects == ()
    assert len(message.keys()) == len({name.lower() for name in message})
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert not [line for line in lines if line.startswith(b".")]
    assert max(map(len, lines[lines.index(b"") :])) <= 76
    assert max(map(len, lines)) <= 998


def test_a_digest_has_each_header_once() -> None:
    message = parsed(compose_digest(digest(paper(1)), LETTER))
    assert {name.lower(): str(value) for name, value in message.items()} == {
        "from": "Paperpost <paperpost@localhost>",
        "to": "ada@example.org",
        "subject": "Papers 14 Apr: Learning to rank",
        "date": "Tue, 14 Apr 2026 08:00:00 +0000",
        "message-id": "<20260414.0a1b2c@localhost>",
        "auto-submitted": "auto-generated",
        "precedence": "bulk",
        "x-auto-response-suppress": "OOF, AutoReply",
        "list-id": "Paperpost digest <digest.papers.example.org>",
        "list-unsubscribe": f"<{BASE}/unsubscribe/{'u' * 48}>",
        "list-unsubscribe-post": "List-Unsubscribe=One-Click",
        "list-help": f"<{BASE}>",
        "list-post": "NO",
        "list-owner": "<mailto:ops@example.org>",
        "feedback-id": "20260414:daily:digest:paperpost",
        "mime-version": "1.0",
        "content-type": message["content-type"],
    }


def test_a_quiet_note_is_list_mail_as_a_digest_is() -> None:
    full, quiet = (parsed(compose_digest(mail, LETTER)) for mail in (MANY, replace(MANY, items=())))
    assert quiet.keys() == full.keys()
    assert quiet["List-Unsubscribe"] == full["List-Unsubscribe"]
    assert quiet["Feedback-ID"] == "20260414:quiet:digest:paperpost"


def test_the_small_mails_are_not_list_mail() -> None:
    for message in (
        compose_confirmation(f"{BASE}/confirm/x", LETTER),
        compose_access_link(f"{BASE}/me/x", LETTER),
        compose_alarm("3 digests failed", ["The mail server said no."], LETTER),
    ):
        assert parsed(message)["Auto-Submitted"] == "auto-generated"
        assert not [name for name in parsed(message) if name.startswith("List-")]


@pytest.mark.parametrize("title", HOSTILE)
def test_lines_are_short_seven_bit_and_end_in_crlf(title: str) -> None:
    message = compose_digest(digest(paper(1, title, title)), LETTER)
    assert message.isascii()
    assert b"\0" not in message
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", message)
    assert max(map(len, message.split(b"\r\n"))) < 998
    assert b"\n." not in message


def test_a_long_link_is_not_broken_in_its_header() -> None:
    long = replace(digest(), unsubscribe_url=f"{BASE}/unsubscribe/{'u' * 600}")
    raw = compose_digest(long, LETTER)
    assert f"List-Unsubscribe: <{long.unsubscribe_url}>\r\n".encode() in raw


def test_the_same_input_gives_the_same_bytes() -> None:
    assert compose_digest(digest(paper(1)), LETTER) == compose_digest(digest(paper(1)), LETTER)


def test_a_title_cannot_write_a_header() -> None:
    title = "=?utf-8?q?x=0D=0ABcc:_all@example.org?= \r\nBcc: all@example.org"
    message = parsed(compose_digest(digest(paper(1, title)), LETTER))
    assert message["Bcc"] is None
    assert str(message["Subject"]).startswith("Papers 14 Apr: = ?utf-8?q?x=0D")


def test_a_recipient_outside_of_ascii_stays_readable() -> None:
    letter = replace(LETTER, recipient="δοκιμή@example.org")
    assert "To: δοκιμή@example.org\r\n".encode() in compose_digest(digest(paper(1)), letter)


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        ("http://127.0.0.1:8000", "digest.127.0.0.1"),
        ("https://papers.example.org/x", "digest.papers.example.org"),
        ("http://[::1]:8000", "digest.1"),
    ],
)
def test_the_list_has_a_stable_name(public_url: str, expected: str) -> None:
    assert list_id(public_url) == expected


def test_the_subject_is_the_date_and_the_first_title() -> None:
    subject = digest_subject(digest(paper(1, "A very long title " * 9), paper(2)))
    assert subject.startswith("Papers 14 Apr: A very long title")
    assert subject.endswith("…")
    assert len(subject) <= 15 + 70


def test_a_link_that_is_not_http_is_refused() -> None:
    with pytest.raises(UnsafeAddress):
        compose_confirmation("javascript:alert(1)", LETTER)
    with pytest.raises(UnsafeAddress):
        compose_confirmation(" data:text/html,x", LETTER)


def test_a_letter_needs_a_time_zone() -> None:
    naive = replace(LETTER, date=LETTER.date.replace(tzinfo=None))
    with pytest.raises(ValueError, match="time zone"):
        compose_confirmation(BASE, naive)


WORDS = st.text(st.sampled_from("abzAZ019_+-"), min_size=1, max_size=12)
DOTTED = st.lists(WORDS, min_size=1, max_size=3).map(".".join)


@example(f"{'0' * 36}@{'0' * 38}", "0")
@given(st.builds("{}@{}".format, DOTTED, DOTTED), DOTTED)
def test_plain_values_are_written_as_the_email_package_would(address: str, path: str) -> None:
    careful = policy.SMTP.clone(max_line_length=998)
    for name, value in (
        ("To", address),
        ("Message-ID", f"<{address}>"),
        ("List-Unsubscribe", f"<{BASE}/unsubscribe/{path}>"),
    ):
        expected = careful.fold_binary(*careful.header_store_parse(name, value))
        # A long address may stand on a line of its own (RFC 5322, section 2.2.3).
        assert header_line(name, value).replace(b"\r\n ", b" ") == expected


@pytest.mark.parametrize("name", ["To", "Subject", "Message-ID", "List-Unsubscribe", "List-Help"])
@pytest.mark.parametrize("end", ["\n", "\r\nBcc: all@example.org", "\nä"])
def test_a_header_with_a_line_break_is_refused(name: str, end: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        header_line(name, f"<https://papers.example.org/x@y>{end}")


@given(st.text(max_size=200))
def test_a_subject_arrives_as_it_was_meant(title: str) -> None:
    subject = digest_subject(digest(paper(1, f"a{title}")))
    raw = header_line("Subject", subject)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    arrived = message_from_bytes(raw + b"\r\n", policy=policy.default)
    assert arrived.keys() == ["Subject"]
    assert str(arrived["Subject"]) == subject


def test_the_subjects_of_real_papers_arrive_as_they_were_meant() -> None:
    for each in real_papers(1000):
        subject = digest_subject(digest(each))
        assert "  " not in subject
        message = parsed(header_line("Subject", subject) + b"\r\n")
        assert str(message["Subject"]) == subject


@given(st.text(max_size=60))
def test_an_address_that_is_safe_is_left_as_it_is(path: str) -> None:
    url = safe_url(f"{BASE}/{path}")
    assert re.fullmatch(r"[!-~]+", url)
    assert not set(url) & set('<>"\\^`{|}')
    assert safe_url(url) == url
