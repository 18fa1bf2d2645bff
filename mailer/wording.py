"""What a mail says in words of ours: its subject, its heading, its first line, its promise.

Everything that others wrote passes `harmless` before it stands beside them.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

from mailer.digest import Digest
from mailer.message import header_text
from mailer.plain import harmless, shorten

LONGEST_SUBJECT_TITLE = 70
# Mail programs show about so much of the first line beside the subject.
LONGEST_LEAD = 100
TEXT_WIDTH = 76
INDENT = "   "

_NO_TITLE = "(no title)"
_ADJECTIVES = {"weekdays": "weekday"}
# Not strftime: the names of months would follow the locale of the machine.
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def digest_subject(digest: Digest) -> str:
    """The subject of a digest's mail."""
    title = digest.items[0].title if digest.items else None
    return subject_line(digest.local_date, digest.frequency, title)


def subject_line(local_date: date, frequency: str, title: str | None) -> str:
    """The date, so that threads do not grow, and the first paper's title; None: there is none."""
    day = f"{local_date.day} {_MONTHS[local_date.month - 1][:3]}"
    weekly = frequency == "weekly"
    opening = f"Papers, week to {day}" if weekly else f"Papers {day}"
    if title is None:
        return f"{opening}: none" if weekly else f"{opening}: none today"
    return header_text(f"{opening}: {plain_title(title, LONGEST_SUBJECT_TITLE)}")


def heading(digest: Digest) -> str:
    """The day of a digest, or the seven days that end with it."""
    last = digest.local_date
    if digest.frequency != "weekly":
        return f"{_DAYS[last.weekday()]}, {full_date(last)}"
    first = last - timedelta(days=6)
    if first.year != last.year:
        return f"Your week: {full_date(first)} – {full_date(last)}"  # noqa: RUF001
    if first.month != last.month:
        return f"Your week: {_day_and_month(first)} – {full_date(last)}"  # noqa: RUF001
    return f"Your week: {first.day}–{full_date(last)}"  # noqa: RUF001


def adjective(frequency: str) -> str:
    """As it stands before "digest"."""
    return _ADJECTIVES.get(frequency, frequency)


def lead(digest: Digest) -> str:
    """The line that mail programs show beside the subject, visible as Gmail's rules ask: how many
    papers, and the first titles, in up to LONGEST_LEAD characters."""
    when = " this week" if digest.frequency == "weekly" else ""
    opening = f"{len(digest.items)} of {digest.considered} new papers{when}; top: "
    titles: list[str] = []
    room = LONGEST_LEAD - len(opening)
    for item in digest.items:
        titles.append(plain_title(item.title, LONGEST_LEAD))
        room -= len(titles[-1]) + 2
        if room < 0:
            break
    return shorten(opening + "; ".join(titles), LONGEST_LEAD)


def quiet_heading(digest: Digest) -> str:
    """That there are no papers."""
    return "No papers this week" if digest.frequency == "weekly" else "No papers today"


def promise(digest: Digest) -> str:
    """When the next digest comes, and that what is late will be looked at for it."""
    following = digest.local_date + timedelta(days=7 if digest.frequency == "weekly" else 1)
    while digest.frequency == "weekdays" and following.weekday() > 4:
        following += timedelta(days=1)
    day = f"{_DAYS[following.weekday()]}, {_day_and_month(following)}"
    return f"Nothing is lost: what comes in later is looked at for your next digest, on {day}."


def plain_title(title: str, limit: int) -> str:
    """A title that is safe anywhere, cut; never empty."""
    return shorten(harmless(title) or _NO_TITLE, limit)


def full_date(day: date) -> str:
    """As in "13 April 2026"."""
    return f"{_day_and_month(day)} {day.year}"


@lru_cache(maxsize=4096)
def joined_reasons(reasons: Sequence[str], most: int, limit: int) -> str:
    """The first reasons, each cut and harmless, in one line."""
    return "; ".join(shorten(harmless(reason), limit) for reason in reasons[:most])


def wrapped(text: str, indent: str = "", width: int = TEXT_WIDTH) -> str:
    """The text, which has single spaces, in lines of that width; a longer word has its own line.

    Like textwrap.fill, which takes 50 times as long: every reason of a digest passes here.
    """
    room = width - len(indent)
    lines, start = [], 0
    while len(text) - start > room:
        end = text.rfind(" ", start, start + room + 1)
        if end < 0:
            end = text.find(" ", start + room)
        if end < 0:
            break
        lines.append(indent + text[start:end])
        start = end + 1
    lines.append(indent + text[start:])
    return "\n".join(lines)


def _day_and_month(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"
