"""Reports of all sorts, read."""

import bounce_samples as samples
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailer.bounces import LONGEST_MESSAGE, find_tokens, judge, judge_reply, read_report

SAMPLES = [value for value in vars(samples).values() if isinstance(value, bytes)]


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
    ],
    ids=["postfix", "given up", "exim", "old exim", "exchange", "gmail", "qmail", "complaint"],
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


def test_a_delayed_mail_that_then_fails_is_a_failure() -> None:
    block = b"\nFinal-Recipient: rfc822; b@example.org\nAction: delayed\nStatus: 4.4.1\n"
    raw = samples.POSTFIX.replace(
        b"\nFinal-Recipient: rfc822; ada", block + b"\nFinal-Recipient: a"
    )
    assert read_report(raw).kind == "hard"


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("5.1.1", "", "hard"),
        ("5.1.3", "", "hard"),
        ("5.1.0", "550 address rejected", "hard"),
        ("5.1.0", "550 sender rejected", None),
        ("5.1.8", "550 sender's domain does not exist", None),
        ("5.2.1", "550 the account is disabled", "hard"),
        ("5.2.1", "550 the user gets mail at too high a rate", "soft"),
        ("5.2.2", "552 mailbox unavailable: full", "soft"),
        ("5.5.0", "550 Requested action not taken: mailbox unavailable", "hard"),
        ("5.5.2", "502 command not understood", None),
        ("5.4.1", "550 no route", "soft"),
        ("5.0.0", "550 no such user here", "hard"),
        ("5.0.0", "554 blocked by our spam filter", None),
        ("5.0.0", "550 no", "soft"),
        ("5.7.1", "550 user unknown", None),
        ("4.2.2", "452 mailbox full", "soft"),
        ("4.7.28", "421 unusual rate of mail from you", None),
        ("2.0.0", "250 fine", None),
    ],
)
def test_codes_and_words_are_weighed(status: str, words: str, kind: str | None) -> None:
    assert judge(status, words) == kind


@pytest.mark.parametrize(
    ("reply", "kind", "status"),
    [
        ("RCPT: 550 5.1.1 User unknown", "hard", "5.1.1"),
        ("RCPT: 550 No such user", "hard", ""),
        ("550 5.1.1 User unknown", "hard", "5.1.1"),
        ("550 5.7.1 Message rejected", None, "5.7.1"),
        ("RCPT: 552 5.2.2 Over quota", "soft", "5.2.2"),
        ("RCPT: 550 rejected by 192.5.1.1", "soft", ""),
        ("MAIL: 550 5.1.1 you are not a user here", None, "5.1.1"),
        ("DATA: 554 no valid recipients", None, ""),
        ("RCPT: 450 4.2.0 Greylisted", None, "4.2.0"),
        ("cannot be built: KeyError: 550", None, ""),
    ],
)
def test_refusals_at_delivery_are_read_by_the_same_rules(
    reply: str, kind: str | None, status: str
) -> None:
    report = judge_reply(reply)
    assert (report.kind, report.status) == (kind, status)


@pytest.mark.parametrize("raw", SAMPLES)
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
def test_anything_at_all_is_read_or_left(raw: bytes) -> None:
    assert read_report(raw).detail.isprintable()
    find_tokens(raw)
