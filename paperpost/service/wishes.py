"""What a subscriber may ask for, checked in one place for forms, files and commands."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from paperpost.errors import PaperpostError
from paperpost.service import calendar
from paperpost.store.tables import InterestKind

LONGEST_TERM = 100
MOST_TERMS = 50
LARGEST_SIZE = 50
# How the absence of a threshold may be written; an emptied field means it too.
NO_THRESHOLD = ("", "0", "none")
ENCODED_WORD = "=?"  # as it begins (RFC 2047)
SEPARATORS = re.compile(r"[;,\n\r]+")


class InvalidWish(PaperpostError):
    """A value that cannot be used; its text says which and why: the `field`, where it is one of
    Wishes, and what is `wrong` with it."""

    def __init__(self, wrong: str, field: str = "") -> None:
        super().__init__(f"{field} {wrong}".lstrip())
        self.wrong, self.field = wrong, field


@dataclass(frozen=True, slots=True)
class Wishes:
    """Interests, schedule and selection as asked for; None leaves what there is (or the default).

    `threshold` is in per cent, 0 for none.
    """

    keywords: tuple[str, ...] | None = None
    authors: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None
    muted: tuple[str, ...] | None = None
    timezone: str | None = None
    hour: int | None = None
    size: int | None = None
    frequency: str | None = None
    threshold: int | None = None
    explore: bool | None = None
    quiet_note: bool | None = None
    revisions: bool | None = None

    def interests(self) -> dict[InterestKind, tuple[str, ...]]:
        """The kinds of interest that were named."""
        named = {
            InterestKind.KEYWORD: self.keywords,
            InterestKind.AUTHOR: self.authors,
            InterestKind.CATEGORY: self.categories,
            InterestKind.MUTED: self.muted,
        }
        return {kind: values for kind, values in named.items() if values is not None}

    def columns(self) -> dict[str, str | int | float | None]:
        """The columns of the subscriber that were named."""
        named = {
            "timezone": self.timezone,
            "hour": self.hour,
            "size": self.size,
            "frequency": self.frequency,
            "explore": self.explore,
            "quiet_note": self.quiet_note,
            "revisions": self.revisions,
        }
        columns: dict[str, str | int | float | None] = {
            name: value for name, value in named.items() if value is not None
        }
        if self.threshold is not None:
            columns["threshold"] = self.threshold / 100 or None
        return columns


def address(text: str) -> str:
    """An e-mail address in its one stored spelling; syntax only, without DNS."""
    try:
        checked = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise InvalidWish(f"not an e-mail address: {text.strip()[:80]!r} ({error})") from error
    if ENCODED_WORD in checked.local_part:
        # Mail programs may read another address there than the one that is mailed.
        raise InvalidWish(f"not an e-mail address: {text.strip()[:80]!r} (an encoded word)")
    # The local part's case may matter to its server, but no server is known that minds; two
    # spellings of one person must be one subscriber.
    return checked.normalized.lower()


def terms(values: Iterable[str] | str | None) -> tuple[str, ...] | None:
    """Keywords, names or categories, one per entry; a text is split at commas, semicolons and
    line ends. None stays None."""
    if values is None:
        return None
    parts = SEPARATORS.split(values) if isinstance(values, str) else list(values)
    cleaned = tuple(dict.fromkeys(term for term in map(_term, parts) if term))
    if len(cleaned) > MOST_TERMS:
        raise InvalidWish(f"at most {MOST_TERMS} of a kind, not {len(cleaned)}")
    return cleaned


def _term(text: str) -> str:
    printable = "".join(
        " " if unicodedata.category(sign).startswith("C") else sign
        for sign in unicodedata.normalize("NFC", text)
    )
    term = " ".join(printable.split())
    if len(term) > LONGEST_TERM:
        raise InvalidWish(f"at most {LONGEST_TERM} characters each: {term[:40]!r}…")
    return term


def checked(fields: Mapping[str, object]) -> Wishes:
    """Wishes from fields named as in Wishes. Empty texts leave what there is, but for the lists
    and the threshold, which they empty.

    Raises InvalidWish at the first value that cannot be used.
    """
    return Wishes(
        keywords=_terms_of(fields, "keywords"),
        authors=_terms_of(fields, "authors"),
        categories=_terms_of(fields, "categories"),
        muted=_terms_of(fields, "muted"),
        timezone=_timezone(fields.get("timezone")),
        hour=_number(fields.get("hour"), "hour", 0, 23),
        size=_number(fields.get("size"), "size", 1, LARGEST_SIZE),
        frequency=_frequency(fields.get("frequency")),
        threshold=_threshold(fields.get("threshold")),
        explore=_yes_or_no(fields.get("explore"), "explore"),
        quiet_note=_yes_or_no(fields.get("quiet_note"), "quiet_note"),
        revisions=_yes_or_no(fields.get("revisions"), "revisions"),
    )


def percent(threshold: float | None) -> int | None:
    """A stored threshold or probability in per cent."""
    return None if threshold is None else round(threshold * 100)


def _terms_of(fields: Mapping[str, object], name: str) -> tuple[str, ...] | None:
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return terms(value)
    if isinstance(value, list | tuple):
        return terms([str(part) for part in value])
    raise InvalidWish("must be text or a list of texts", name)


def _timezone(value: object) -> str | None:
    name = "" if value is None else str(value).strip()
    if not name:
        return None
    if not calendar.is_timezone(name):
        raise InvalidWish(f"not a time zone: {name[:60]!r} (write it like Europe/Berlin)")
    return name


def _number(value: object, name: str, least: int, most: int) -> int | None:
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    usable = text.isascii() and text.isdigit() and len(text) < 10
    if not usable or not least <= int(text) <= most:
        raise InvalidWish(f"must be a number from {least} to {most}, not {text[:20]!r}", name)
    return int(text)


def _threshold(value: object) -> int | None:
    if value is None:
        return None
    text = str(value).strip().lower().removesuffix("%").rstrip()
    return 0 if text in NO_THRESHOLD else _number(text, "threshold", 1, 99)


def _yes_or_no(value: object, name: str) -> bool | None:
    text = "" if value is None else str(value).strip().lower()
    if text not in ("", "yes", "no"):
        raise InvalidWish(f"must be yes or no, not {text[:20]!r}", name)
    return text == "yes" if text else None


def _frequency(value: object) -> str | None:
    text = "" if value is None else str(value).strip()
    if text and text not in calendar.FREQUENCIES:
        known = ", ".join(calendar.FREQUENCIES)
        raise InvalidWish(f"must be one of {known}, not {text[:20]!r}", "frequency")
    return text or None
