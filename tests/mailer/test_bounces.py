"""Reports of all sorts, read."""

import bounce_samples as samples
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailer.bounces import (
    LONGEST_MESSAGE,
    Report,
    find_leave_tokens,
    find_tokens,
)
from mailer.bounces import read_report as read_report_about

SAMPLES = [value for value in vars(samples).values() if isinstance(value, bytes)]


def read_report(raw: bytes) -> Report:
    """A report of the samples, all of which are about a mail to Ada."""
    return read_report_about(raw, "ada@example.org")


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (samples.POSTFIX, "hard", "5.1.1"),
        (samples.POSTFIX_GIVEN_UP, "soft", "4.4.1"),
        (samples.EXIM, "hard", "5.0.0"),
        (samples.EXIM_OF_OLD, "soft", "5.2.2"),
        (samples.EXCHANGE, "hard", "5.1.10"),
        (samples.GMAIL, "soft", "5.2.2"),
        (samples.QMAIL, "hard", "5.1.1"),
        (samples.COMPLAINT, "complaint", ""),
        (samples.COMPLAINT_REDACTED, "complaint", ""),
    ],
    ids=["postfix", "late", "exim", "old exim", "exchange", "gmail", "qmail", "arf", "redacted"],
)
def test_a_report_is_understood(raw: bytes, kind: str, status: str) -> None:
    report = read_report(raw)
    assert (report.kind, report.status) == (kind, status)
    assert report.detail
    assert read_report(raw.replace(b"\n", b"\r\n")) == report


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (samples.POSTFIX_DELAY, "delayed"),
        (samples.POSTFIX.replace(b"Action: failed", b"Action: relayed"), "relayed"),
        (samples.POSTFIX.replace(b"Action: failed", b"Action: delivered"), "delivered"),
        (samples.POSTFIX.replace(b"Action: failed\nStatus: 5.1.1\n", b""), "without a recipient"),
        (samples.GMAIL_POLICY, "5.7.26"),
        (samples.NOT_SPAM, "not-spam"),
        (samples.VACATION, "automatic"),
        (samples.VACATION_LIKE_A_BOUNCE, "automatic"),
        (samples.REPLY, "not a report"),
        (b"", "cannot be read"),
    ],
)
def test_what_says_nothing_of_a_mailbox_is_none(raw: bytes, why: str) -> None:
    report = read_report(raw)
    assert report.kind is None
    assert why in report.detail


@pytest.mark.parametrize("report", [samples.COMPLAINT, samples.GMAIL], ids=["complaint", "gmail"])
def test_papers_about_boundaries_do_not_hide_a_report(report: bytes) -> None:
    last_header = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
    digest = last_header + samples.DECISION_BOUNDARIES
    assert read_report(report.replace(last_header, digest)) == read_report(report)


@pytest.mark.parametrize(
    "declaration",
    [
        b"Content-Type: multipart/mixed; boundary=a",
        b"content-type:multipart/mixed;\n\tBOUNDARY*0=a",
        b"Content-Type: multipart/mixed;\r\n x=y;\r\n boundary = a",
        b"\rContent-Type: multipart/mixed;\r boundary*=a",
    ],
)
def test_parts_are_not_nested_for_ever(declaration: bytes) -> None:
    assert "too many parts" in read_report((declaration + b"\n\n--a\n") * 2_000).detail


@pytest.mark.parametrize(
    ("recipients", "kind"),
    [
        (b"Final-Recipient: rfc822; grace@example.org\n", None),
        (b"Final-Recipient: rfc822; grace@example.org\nOriginal-Recipient: rfc822;{}\n", None),
        (b"Final-Recipient: rfc822; {}\nOriginal-Recipient: rfc822;list@example.net\n", "hard"),
        (b"Original-Recipient: rfc822;grace@example.org\n", None),
        (b"Final-Recipient: RFC822;<ADA@Example.ORG>\n", "hard"),
        (b"Final-Recipient: {}\n", "hard"),
        (b"Final-Recipient: local; ada\n", "hard"),
        (b"", "hard"),
    ],
)
def test_a_report_about_another_address_says_nothing_of_ours(
    recipients: bytes, kind: str | None
) -> None:
    fields = (
        b"Final-Recipient: rfc822; ada@example.org\nOriginal-Recipient: rfc822;ada@example.org\n"
    )
    assert fields in samples.POSTFIX
    raw = samples.POSTFIX.replace(fields, recipients.replace(b"{}", b"ada@example.org"))
    report = read_report(raw)
    assert report.kind == kind
    assert kind or "another address" in report.detail


@pytest.mark.parametrize("raw", [samples.QMAIL, samples.EXIM_OF_OLD, samples.EXIM])
def test_an_old_server_s_report_about_another_address_says_nothing_of_ours(raw: bytes) -> None:
    report = read_report_about(raw, "papers@lab.example")
    assert report.kind is None
    assert "another address" in report.detail


def test_an_address_that_cannot_be_compared_is_taken_for_ours() -> None:
    for told in ("utf-8; ada@b\u00fccher.example", "utf-8; ada@b\\x{FC}cher.example"):
        raw = samples.POSTFIX.replace(b"rfc822; ada@example.org", told.encode())
        assert read_report_about(raw, "ada@xn--bcher-kva.example").kind == "hard"


def test_a_delayed_mail_that_then_fails_is_a_failure() -> None:
    block = b"\nFinal-Recipient: rfc822; ada@example.org\nAction: delayed\nStatus: 4.4.1\n"
    raw = samples.POSTFIX.replace(
        b"\nFinal-Recipient: rfc822; ada", block + b"\nFinal-Recipient: rfc822; ada"
    )
    assert read_report(raw).kind == "hard"


BOUNCES = [raw for raw in SAMPLES if samples.TOKEN.encode() in raw]


@pytest.mark.parametrize("raw", BOUNCES)
def test_the_token_is_found_wherever_it_stands(raw: bytes) -> None:
    assert find_tokens(raw) == (samples.TOKEN,)
    assert find_tokens(raw.upper()) == (samples.TOKEN,)


def test_that_which_a_report_came_to_stands_first() -> None:
    other = samples.TOKEN[::-1]
    raw = b"To: b+%s@x.org\n\nReturn-Path: b+%s@x.org\nb+%s@x.org" % (
        other.encode(),
        samples.TOKEN.encode(),
        other.encode(),
    )
    assert find_tokens(raw) == (other, samples.TOKEN)
    assert find_tokens(b"x+tooshort@x.org " + samples.TOKEN.encode() + b"@x.org") == ()


@pytest.mark.parametrize(
    "field",
    [
        b"List-Unsubscribe: <https://x.org/unsubscribe/%s>",
        b"list-unsubscribe:\t<mailto:leave@x.org>,\r\n <https://x.org/sub/path/%s>",
        b"List-Unsubscribe: <https://x.org/%s>, <https://x.org/not?this=one>",
    ],
)
def test_the_token_to_leave_is_found_in_the_header_of_the_mail_complained_about(
    field: bytes,
) -> None:
    raw = b"Subject: spam\n\n--b\n\n" + field % samples.LEAVE.encode() + b"\n\nPapers."
    assert find_leave_tokens(raw) == (samples.LEAVE,)
    assert find_leave_tokens(raw.replace(b"nsubscribe:", b"nsubscribe-Post:")) == ()
    assert find_leave_tokens(samples.COMPLAINT_REDACTED) == (samples.LEAVE,)


def test_details_are_one_line_that_any_database_takes() -> None:
    nasty = (
        "x\0y\x1b[31m\r\n z \u202e ".encode() + b"\xff\xfe" + "é".encode("latin-1") + b"w" * 9000
    )
    raw = samples.POSTFIX.replace(b"User unknown in virtual", nasty)
    detail = read_report(raw).detail
    assert detail.isprintable()
    assert len(detail) <= 300
    detail.encode()


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(SAMPLES),
    st.lists(
        st.tuples(st.integers(0, 4000), st.integers(0, 60), st.binary(max_size=30)), max_size=8
    ),
)
def test_a_report_with_damages_is_read_or_left(
    raw: bytes, damages: list[tuple[int, int, bytes]]
) -> None:
    for place, length, bytes_there in damages:
        raw = raw[:place] + bytes_there + raw[place + length :]
    assert read_report(raw).kind in ("hard", "soft", "complaint", None)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=2000))
@example(b"Content-Type: message/rfc822\n\n" * 10_000)
@example(b"Content-Type: message/delivery-status\n\n" * 10_000)
@example(b"X-Failed-Recipients: " + b"(" * 4000 + b"\n\n")
@example(b'Content-Type: multipart/report; a="' + b";" * LONGEST_MESSAGE)
@example(b"From: x@y\n\nhere is your list of failed recipients\n" + b"<" * LONGEST_MESSAGE)
@example(b"Content-Type: multipart/mixed; boundary=a\n\n--a\n" * 2_000)
@example(samples.POSTFIX + b"x" * 2 * LONGEST_MESSAGE)
@example(b"Content-Type: a\n" * 8_000)
@example(b"Content-Type:" + b"\n " * 64_000)
@example(b"List-Unsubscribe: " + b"\n " * 64_000)
@example(b"List-Unsubscribe: " + b"</" * 64_000)
@example(b"List-Unsubscribe:\n" * 7_000)
def test_anything_at_all_is_read_or_left(raw: bytes) -> None:
    assert read_report(raw).detail.isprintable()
    find_tokens(raw)
    find_leave_tokens(raw)
