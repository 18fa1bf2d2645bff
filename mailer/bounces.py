"""What came back: one raw message read as a delivery report, a complaint, or neither.

    multipart/report with message/delivery-status    RFC 3464: the recipient's Action and Status
    message/feedback-report                          RFC 5965: somebody pressed "this is spam"
    anything else                                    flufl.bounce, which knows how old servers write

Whom it is about is never read from its headers, which are anybody's to write, but told by the token
of a signed envelope sender (verp.py), wherever in it that stands; a message without a good one need
not be read at all. The bytes are anybody's, too: nothing here raises for what they hold, and what
is long is cut, so that none takes longer than a second or two.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import Compat32
from itertools import islice
from typing import Literal, TypeAlias

from mailer.verp import TOKEN_LENGTH

Kind: TypeAlias = Literal["hard", "soft", "complaint"]

# The report comes before the copy of what was sent, which is what makes it long.
LONGEST_MESSAGE = 128 * 1024
LONGEST_DETAIL = 300
_LONGEST_HEADER = 4096
_LONGEST_REASON = 4000
_MOST_BOUNDARIES = 20
_MOST_PARTS = 200
_MOST_TOKENS = 20

# RFC 5322, section 2.1.1. Patterns of flufl.bounce take a time by the square of a line's length.
_LONG_LINE = re.compile(rb"([^\n]{998})[^\n]+")
_TOKEN = re.compile(rb"\+([a-z2-7]{%d})@" % TOKEN_LENGTH, re.IGNORECASE)
# RFC 3463, sections 2 and 3; versions and parts of an IP address are none.
_STATUS = re.compile(r"(?<![\d.])([245]\.[0-7]\.\d{1,3})(?![\d.]*\d)")
_REFUSED = re.compile(r"(?:RCPT: )?5\d\d\b")
# RFC 6376's, RFC 6430's and others' reports have the same form and are no complaints.
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})

_NO_MAILBOX = re.compile(
    r"unknown (?:user|recipient|mailbox|local)"
    r"|(?:user|recipient|mailbox|account|address)[^.;\n]{0,60}"
    r"(?:unknown|not found|unavailable|disabled|inactive|closed|(?:doesn.t|does not|not) exist)"
    r"|no (?:such|mailbox)|invalid (?:recipient|mailbox|address)|unrouteable address",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"spam|blocked|black ?list|block ?list|polic[yi]|reputation|prohibited|sender"
    r"|dkim|dmarc|\bspf\b",
    re.IGNORECASE,
)
_AUTOMATIC = re.compile(r"vacation|auto_?reply", re.IGNORECASE)

# It prints a traceback for what its detectors stumble over, which anybody can mail.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Report:
    """A message that came back, as far as it can be told.

    kind: "hard" (there is no such mailbox), "soft" (not this time), "complaint", or None for what
    says nothing of a mailbox. status: the enhanced status code (RFC 3463) or "". detail: the
    server's words in one line, or, where kind is None, why.
    """

    kind: Kind | None
    status: str
    detail: str


class _Policy(Compat32):
    """The standard library's oldest reading of mail, which never refuses anything; long headers
    are cut, because it takes a time by the square of their length for some."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]


def find_tokens(raw: bytes) -> tuple[str, ...]:
    """What could be tokens of our envelope senders in a message, in the order of appearance: that
    which it came to stands before what is quoted in it."""
    found = (match[1].decode("ascii").lower() for match in _TOKEN.finditer(raw[:LONGEST_MESSAGE]))
    return tuple(islice(dict.fromkeys(found), _MOST_TOKENS))


def read_report(raw: bytes) -> Report:
    """What a message reports. Never raises for what it holds; of a long one the beginning
    counts."""
    raw = _LONG_LINE.sub(rb"\1", raw[:LONGEST_MESSAGE])
    if raw.lower().count(b"boundary") > _MOST_BOUNDARIES:
        return Report(None, "", "too many parts within parts")
    try:
        found = _report(message_from_bytes(raw, policy=_Policy()))
    except Exception as error:  # the library's parser is not made for malice
        return Report(None, "", f"cannot be read: {type(error).__name__}")
    return Report(found.kind, found.status, _one_line(found.detail))


def judge_reply(reply: str) -> Report:
    """What a mail server's refusal of a message says of the mailbox, by the rules for reports.

    `reply` is as mailer/smtp.py words it; what answers MAIL or DATA is not about the recipient."""
    status = _status_in(reply)
    kind = judge(status or "5.0.0", reply) if _REFUSED.match(reply) else None
    return Report(kind, status, _one_line(reply))


def judge(status: str, words: str) -> Kind | None:
    """What a failure says of the mailbox, by its enhanced status code and the server's words.

    None: nothing, the fault is the mail's, its sender's or a rule's (x.7, and 5.1.7, 5.1.8, 5.5,
    5.6). Codes that are often used wrongly (5.0.0, 5.2.1, 5.4.1, 5.5.0) are hard if the words are.
    """
    family, subject, detail = (int(number) for number in status.split("."))
    if family == 2 or subject == 7 or (family == 5 and subject == 1 and detail in (7, 8)):
        return None
    if family == 4:
        return "soft"
    if subject in (0, 1) and detail == 0 and _POLICY.search(words):
        return None
    if subject == 1 or ((subject, detail) != (2, 2) and _NO_MAILBOX.search(words)):
        return "hard"
    return None if subject in (5, 6) else "soft"


def _report(message: Message) -> Report:
    for part in islice(message.walk(), _MOST_PARTS):
        match part.get_content_type():
            case "message/feedback-report":
                return _complaint(part)
            case "message/delivery-status":
                return _worst([_recipient(block) for block in _blocks(part) if _is_told(block)])
    return _by_its_looks(message)


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields in a part whose type is message/…"""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))


def _complaint(part: Message) -> Report:
    for block in _blocks(part):
        kind = _field(block, "Feedback-Type").lower()
        if kind in _COMPLAINTS:
            return Report("complaint", "", f"{kind}, told by {_field(block, 'User-Agent')}")
        if kind:
            return Report(None, "", f"feedback of another kind: {kind}")
    return Report(None, "", "feedback without a kind")


def _is_told(block: Message) -> bool:
    """Whether these are a recipient's fields (RFC 3464, section 2.3), not the whole report's."""
    return "Action" in block or "Status" in block


def _recipient(block: Message) -> Report:
    action, words = _field(block, "Action").lower(), _field(block, "Diagnostic-Code")
    given = _status_in(_field(block, "Status"))
    status = _status_in(words) if not given or given.endswith(".0.0") else given
    status = status or given
    if action not in ("failed", ""):
        return Report(None, status, f"not a failure: {action}")
    if not action and not status.startswith("5"):
        return Report(None, status, "no word of a failure")
    kind = judge(status or "5.0.0", words)
    return Report(kind, status, words or f"the mail was given up with {status or 'no code'}")


def _worst(reports: list[Report]) -> Report:
    order: list[Kind | None] = ["hard", "soft", None]
    nobody = Report(None, "", "a delivery report without a recipient")
    return min(reports, key=lambda report: order.index(report.kind), default=nobody)


def _by_its_looks(message: Message) -> Report:
    """A message without machine-readable parts, by flufl.bounce and the words that it begins
    with. A note that somebody is away (RFC 3834) says that the mailbox works."""
    from flufl.bounce import all_failures  # many modules, seldom needed

    if _AUTOMATIC.search(_field(message, "Auto-Submitted") + _field(message, "Precedence")):
        return Report(None, "", "an automatic reply")
    temporary, permanent = all_failures(message)
    if not permanent:
        why = "a delay, not a failure" if temporary else "not a report of a mail server"
        return Report(None, "", why)
    words = _reason(message)
    status = _status_in(words)
    return Report(judge(status or "5.0.0", words), status, words)


def _reason(message: Message) -> str:
    """The beginning of the text, before the copy of what was sent, which may say anything."""
    for part in islice(message.walk(), _MOST_PARTS):
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                text = payload[:_LONGEST_REASON].decode("ascii", "replace")
                return re.split(r"\n--|\nReceived:|\nReturn-Path:", text.replace("\r", ""))[0]
    return ""


def _status_in(text: str) -> str:
    found = _STATUS.search(text)
    return found[1] if found else ""


def _field(message: Message, name: str) -> str:
    return _one_line(str(message.get(name, "")))


def _one_line(text: str) -> str:
    """Hostile text as one short line that any database takes."""
    known = text.encode("utf-8", "replace").decode("utf-8")
    shown = "".join(sign if sign.isprintable() else " " for sign in known)
    return " ".join(shown.split())[:LONGEST_DETAIL]
