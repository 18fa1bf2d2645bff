"""What the outcome of a try means for a delivery: done, again later, or never again.

RFC 5321, section 4.2.1: 4yz asks for another try, 5yz forbids it. How long to wait follows what
mail servers do among themselves (Postfix: 300 seconds, doubled), unless the server says it.
"""

import re
from datetime import datetime, timedelta

from mailer.outbox import Recorded
from mailer.outcome import Accepted, Outcome, Refused, Unknown, Unreachable

FIRST_DELAY = timedelta(minutes=5)
LONGEST_DELAY = timedelta(hours=1)
# Longer than this no server is believed: its words are free text.
LONGEST_ASKED_FOR = timedelta(hours=6)

# After the command that we put in front: 421 "closing the channel", and Gmail's 4.7.28 "unusual
# rate of mail" (RFC 3463 codes), which both are about all mail to the domain.
_THROTTLED = re.compile(r"(?:[A-Z]+: )?(?:421\b|4\d\d[ -]4\.7\.28\b)")
_WAIT = re.compile(r"\b(?:in|after|for)\s+(\d{1,5})\s*(s|sec|second|m|min|minute|h|hour)s?\b", re.I)
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}


def judge(outcome: Outcome, attempts: int, now: datetime, *, unknown: bool = False) -> Recorded:
    """What to record for the outcome of a try that had so many before it. What may have arrived
    already (`unknown`) is not tried again after a second silence: two copies are enough."""
    match outcome:
        case Accepted(reply):
            return Recorded("sent", reply, None)
        case Refused(reply, permanent=True):
            return Recorded("failed", reply, None)
        case Refused(reply):
            later = now + max(retry_delay(attempts), _asked_for(reply))
            return Recorded("queued", reply, later, throttled=is_throttled(reply))
        case Unknown(reply) if unknown:
            told = "handed over twice without an answer: it may have arrived twice, or never"
            return Recorded("failed", f"{told}; {reply}", None)
        case Unknown(reply):
            return Recorded("unknown", reply, now + retry_delay(attempts))
        case Unreachable(reply):
            if unknown:
                return Recorded("unknown", reply, now, counted=False)
            # Due at once: when the server is back, this delivery must not be the last to go.
            return Recorded("queued", reply, now, counted=False)


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after this many earlier tries: 5 minutes, doubled each time, at most an
    hour. A digest is given up when the next one is due, which is not decided here.
    """
    return min(FIRST_DELAY * (1 << min(attempts, 10)), LONGEST_DELAY)


def is_throttled(reply: str) -> bool:
    """Whether a refusal for now is about the amount of mail rather than about this message."""
    return _THROTTLED.match(reply) is not None


def _asked_for(reply: str) -> timedelta:
    """How long the server asks to wait ("try again in 15 minutes"), if it does."""
    found = _WAIT.search(reply)
    if found is None:
        return timedelta()
    return min(int(found[1]) * _UNITS[found[2][0].lower()], LONGEST_ASKED_FOR)
