"""What servers say no with, and what that says of a mailbox."""

import pytest

from mailer.bounces import judge_reply
from mailer.refusals import judge


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("5.1.1", "", "hard"),
        ("5.1.3", "", "hard"),
        ("5.1.0", "550 address rejected", "hard"),
        ("5.1.0", "550 sender rejected", None),
        ("5.1.8", "550 sender's domain does not exist", None),
        ("5.1.90", "550 you have reached your daily limit for message recipients", None),
        ("5.4.5", "550 Daily user sending limit exceeded", None),
        ("5.0.0", "550 relay not permitted", None),
        ("5.0.0", "554 Email address is not verified", None),
        ("5.4.4", "550 host relay.example.org does not answer", "soft"),
        ("5.0.0", "552 mailbox size limit exceeded", "soft"),
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
        ("RCPT: 550 rejected by 192.5.1.1", None, ""),
        ("RCPT: 550 relay not permitted", None, ""),
        ("RCPT: 550 Administrative prohibition", None, ""),
        ("RCPT: 550 authentication required", None, ""),
        ("RCPT: 553 Relaying disallowed", None, ""),
        ("RCPT: 550 5.4.5 Daily SMTP relay limit exceeded for user", None, "5.4.5"),
        ("RCPT: 554 Message rejected: Email address is not verified", None, ""),
        ("RCPT: 550 You are not allowed to send mail: account disabled", None, ""),
        ("RCPT: 550 Your account has been disabled", None, ""),
        ("RCPT: 550 5.2.1 Your account is disabled", None, "5.2.1"),
        ("RCPT: 550 Mailbox unavailable: quota exceeded for sending", None, ""),
        ("RCPT: 550 reverse DNS of your address not found", None, ""),
        ("RCPT: 550 Too many messages", None, ""),
        ("554 Transaction failed", None, ""),
        ("552 Message size exceeds fixed limit", None, ""),
        ("550 No such user", None, ""),
        ("552 5.2.2 Over quota", "soft", "5.2.2"),
        ("RCPT: 550 5.1.8 Bad sender", None, "5.1.8"),
        ("RCPT: 550 <a@b.org>: User unknown in relay recipient table", "hard", ""),
        ("RCPT: 550 5.5.0 Requested action not taken: mailbox unavailable", "hard", "5.5.0"),
        ("RCPT: 550 5.4.1 Access denied", None, "5.4.1"),
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
