"""What came back: one raw message read as a delivery report, a complaint, or neither.

    multipart/report with message/delivery-status    RFC 3464: the recipient's Action and Status
    message/feedback-report                          RFC 5965: somebody pressed "this is spam"
    anything else                                    flufl.bounce, which knows how old servers write

Whom it is about is never read from its headers, which are anybody's to write, but told by what was
signed, wherever in it that stands: the token of an envelope sender (verp.py), or, in a complaint,
that of the mail's link to unsubscribe (links.py), for feedback loops take the sender out. A message
without a good one need not be read at all. The bytes are anybody's, too: nothing here raises for
what they hold, and what is long is cut, so that none takes longer than a second or two.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import Compat32
from itertools import islice

from mailer.refusals import Kind, judge, judge_at_the_door, status_in
from mailer.verp import TOKEN_LENGTH

# The report comes before the copy of what was sent, which is what makes it long.
LONGEST_MESSAGE = 128 * 1024
LONGEST_DETAIL = 300
_LONGEST_HEADER = 4096
_LONGEST_REASON = 4000
_MOST_MULTIPARTS = 20
_MOST_PARTS = 200
_MOST_TOKENS = 20

# RFC 5322, section 2.1.1. Patterns of flufl.bounce take a time by the square of a line's length.
_LONG_LINE = re.compile(rb"([^\n]{998})[^\n]+")
# Parts within parts take a time by their depth for each line. Only this declares one: what a mail
# says of boundaries is none.
_MULTIPART = re.compile(
    rb"(?:^|[\r\n])content-type:(?:[^\r\n]|\r?\n[ \t]|\r[ \t])*?boundary", re.IGNORECASE
)
_TOKEN = re.compile(rb"\+([a-z2-7]{%d})@" % TOKEN_LENGTH, re.IGNORECASE)
_LEAVE_FIELD = re.compile(
    rb"^list-unsubscribe:((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE
)
_LEAVE_TOKEN = re.compile(rb"<https?://[^<>]*/([A-Za-z0-9_-]+)>", re.IGNORECASE)
# RFC 3464, section 2.3.2: a type, and what is an address if it looks like one.
_ADDRESS = re.compile(r"(?:[\w-]+ *;)? *<?([^\s<>;\\]+@[^\s<>;\\]+)>?", re.ASCII)
# RFC 6376's, RFC 6430's and others' reports have the same form and are no complaints.
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})

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


_ABOUT_ANOTHER = Report(None, "", "it is about another address, as behind a list or an alias")


class _Policy(Compat32):
    """The standard library's oldest reading of mail, which never refuses anything; long headers
    are cut, because it takes a time by the square of their length for some."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]


def find_tokens(raw: bytes) -> tuple[str, ...]:
    """What could be tokens of our envelope senders in a message, in the order of appearance: that
    which it came to stands before what is quoted in it."""
    return _each_once(match[1].lower() for match in _TOKEN.finditer(raw[:LONGEST_MESSAGE]))


def find_leave_tokens(raw: bytes) -> tuple[str, ...]:
    """What could be tokens of our links to unsubscribe: the ends of the addresses in each
    List-Unsubscribe (RFC 2369) of a message and of what is quoted in it."""
    fields = (b"".join(m[1].split()) for m in _LEAVE_FIELD.finditer(raw[:LONGEST_MESSAGE]))
    return _each_once(match[1] for field in fields for match in _LEAVE_TOKEN.finditer(field))


def read_report(raw: bytes, recipient: str) -> Report:
    """What a message reports of a mail to recipient, an address as it was given to the mail server.
    Never raises for what it holds; of a long one the beginning counts.

    A report about another address says nothing of this one: a list, or an alias, hands mail on
    under the same envelope sender, and one reader's mailbox is not the list's.
    """
    raw = _LONG_LINE.sub(rb"\1", raw[:LONGEST_MESSAGE])
    if len(list(islice(_MULTIPART.finditer(raw), _MOST_MULTIPARTS + 1))) > _MOST_MULTIPARTS:
        return Report(None, "", "too many parts within parts")
    try:
        found = _report(message_from_bytes(raw, policy=_Policy()), recipient)
    except Exception as error:  # the library's parser is not made for malice
        return Report(None, "", f"cannot be read: {type(error).__name__}")
    return Report(found.kind, found.status, _one_line(found.detail))


def judge_reply(reply: str) -> Report:
    """What a mail server's refusal of a message says of the mailbox; `reply` is as mailer/smtp.py
    words it."""
    return Report(judge_at_the_door(reply), status_in(reply), _one_line(reply))


def _each_once(tokens: Iterator[bytes]) -> tuple[str, ...]:
    found = dict.fromkeys(token.decode("ascii") for token in tokens)
    return tuple(islice(found, _MOST_TOKENS))


def _report(message: Message, recipient: str) -> Report:
    for part in islice(message.walk(), _MOST_PARTS):
        match part.get_content_type():
            case "message/feedback-report":
                return _complaint(part)
            case "message/delivery-status":
                return _failure([block for block in _blocks(part) if _is_told(block)], recipient)
    return _by_its_looks(message, recipient)


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


def _failure(told: list[Message], recipient: str) -> Report:
    ours = [block for block in told if _may_be(recipient, _final_recipient(block))]
    if told and not ours:
        return _ABOUT_ANOTHER
    return _worst([_outcome(block) for block in ours])


def _final_recipient(block: Message) -> str:
    """Whose mailbox it is that failed. The original recipient may be a list."""
    return _field(block, "Final-Recipient") or _field(block, "Original-Recipient")


def _may_be(recipient: str, told: str) -> bool:
    """Whether a report that tells this address is about recipient; what is no address in ASCII
    cannot be compared, for it may be written in many ways (RFC 6533)."""
    address = _ADDRESS.fullmatch(told)
    return address is None or not told.isascii() or address[1].lower() == recipient.lower()


def _outcome(block: Message) -> Report:
    action, words = _field(block, "Action").lower(), _field(block, "Diagnostic-Code")
    given = status_in(_field(block, "Status"))
    status = status_in(words) if not given or given.endswith(".0.0") else given
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


def _by_its_looks(message: Message, recipient: str) -> Report:
    """A message without machine-readable parts, by flufl.bounce and the words that it begins
    with. A note that somebody is away (RFC 3834) says that the mailbox works."""
    from flufl.bounce import all_failures  # many modules, seldom needed

    if _AUTOMATIC.search(_field(message, "Auto-Submitted") + _field(message, "Precedence")):
        return Report(None, "", "an automatic reply")
    temporary, permanent = all_failures(message)
    if not permanent:
        why = "a delay, not a failure" if temporary else "not a report of a mail server"
        return Report(None, "", why)
    addresses = (address.decode("ascii", "replace") for address in permanent)
    if not any(_may_be(recipient, address) for address in addresses):
        return _ABOUT_ANOTHER
    words = _reason(message)
    status = status_in(words)
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


def _field(message: Message, name: str) -> str:
    return _one_line(str(message.get(name, "")))


def _one_line(text: str) -> str:
    """Hostile text as one short line that any database takes."""
    known = text.encode("utf-8", "replace").decode("utf-8")
    shown = "".join(sign if sign.isprintable() else " " for sign in known)
    return " ".join(shown.split())[:LONGEST_DETAIL]
