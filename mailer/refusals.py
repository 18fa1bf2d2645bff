"""What a mail server's no says of the mailbox: that there is none, that it fails now, or nothing.

Most of what a server refuses is the sender's, the mail's, or a rule's; to count that against an
address would silence every reader for one mistake of the operator's.
"""

import re
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["hard", "soft", "complaint"]

# RFC 3463, sections 2 and 3; versions and parts of an IP address are none.
_STATUS = re.compile(r"(?<![\d.])([245]\.[0-7]\.\d{1,3})(?![\d.]*\d)")
_REFUSED = re.compile(r"(RCPT: )?5\d\d\b")
# Bad addresses of a sender (RFC 3463; the last is Exchange Online's, for one who sends too much).
_OF_THE_SENDER = frozenset({(1, 7), (1, 8), (1, 90)})
_NO_MAILBOX = re.compile(
    r"unknown (?:user|recipient|mailbox|local)"
    r"|(?:user|recipient|mailbox|account|address)[^.;\n]{0,60}"
    r"(?:unknown|not found|unavailable|disabled|inactive|closed|(?:doesn.t|does not|not) exist)"
    r"|no (?:such|mailbox)|invalid (?:recipient|mailbox|address)|unrouteable address",
    re.IGNORECASE,
)
# What servers say of a sender, a mail, or a relay that we may not use, or not so much.
_POLICY = re.compile(
    r"spam|blocked|black ?list|block ?list|polic[yi]|reputation|prohibit|sender|sending"
    r"|dkim|dmarc|\bspf\b|authenticat|not (?:allowed|permitted|verified)|too many"
    r"|\brelay(?:ing)?\b(?![-.]\w| recipient)|(?<!box )(?<!size )(?<!quota )(?<!storage )limit"
    r"|your (?:\w+ ){0,2}(?:ip|account|host|domain)\b|reverse|\bptr\b|\bhelo\b",
    re.IGNORECASE,
)


def judge(status: str, words: str) -> Kind | None:
    """What a failure says of the mailbox, by its enhanced status code and the server's words.

    None: nothing, the fault is the mail's, its sender's or a rule's (x.7, 5.1.7, 5.1.8, 5.5, 5.6,
    or the words say so). Codes that are often used wrongly (5.0.0, 5.2.1, 5.4.1, 5.5.0) are hard if
    the words are.
    """
    family, subject, detail = (int(number) for number in status.split("."))
    if family == 2 or subject == 7 or (family == 5 and (subject, detail) in _OF_THE_SENDER):
        return None
    if family == 4:
        return "soft"
    is_exact = subject in (1, 2) and detail > 0 and (subject, detail) != (2, 1)
    if not is_exact and _POLICY.search(words):
        return None
    if subject == 1 or ((subject, detail) != (2, 2) and _NO_MAILBOX.search(words)):
        return "hard"
    return None if subject in (5, 6) else "soft"


def judge_at_the_door(reply: str) -> Kind | None:
    """The same of an answer that mailer/smtp.py got, as it words it.

    Less than a report is believed: the server may be the operator's own relay, which has much to
    say of what the operator may send. So only a code or words about a mailbox count, and words in
    the answer to RCPT alone.
    """
    refused, status = _REFUSED.match(reply), status_in(reply)
    if refused and status.startswith(("5.1.", "5.2.")):
        return judge(status, reply)
    if refused and refused[1] and _NO_MAILBOX.search(reply):
        return judge(status or "5.0.0", reply)
    return None


def status_in(text: str) -> str:
    """The first enhanced status code in a text, or ""."""
    found = _STATUS.search(text)
    return found[1] if found else ""
