"""How often a host may be asked, when again after a failure, and who we say we are."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

LONGEST_PAUSE = 120.0  # seconds; who asks for more is not asked again in this run
LONGEST_CLOSURE = timedelta(days=1)  # and nobody is left alone for longer than this
_FIRST_BACK_OFF = 4.0


class Limit(NamedTuple):
    """What a host wants: `name` stands for all hosts that share the limit, `gap` lies between two
    requests to them. Whatever the gap, there is one request at a time."""

    name: str
    gap: timedelta


# https://info.arxiv.org/help/api/tou.html: one request in three seconds, one connection, over all
# of its hosts and all our machines. https://huggingface.co/docs/hub/rate-limits: 500 in five
# minutes. https://docs.openalex.org: 100 in a second. The others are not in a hurry.
_GAPS = {
    "arxiv.org": 3.0,
    "huggingface.co": 0.6,
    "api.openalex.org": 0.1,
}
_NCBI = "ncbi.nlm.nih.gov"
_DEFAULT_GAP = 1.0


def limit_of(host: str, *, ncbi_key: bool = False) -> Limit:
    """The limit that a host shares with its aliases: `export.arxiv.org` has that of arxiv.org.

    NCBI allows three requests in a second, and ten with a key
    (https://www.ncbi.nlm.nih.gov/books/NBK25497/).
    """
    gaps = _GAPS | {_NCBI: 0.11 if ncbi_key else 0.35}
    host = host.lower().rstrip(".")
    name = next((one for one in gaps if host == one or host.endswith(f".{one}")), host)
    return Limit(name, timedelta(seconds=gaps.get(name, _DEFAULT_GAP)))


def user_agent(version: str, contact: str | None) -> str:
    """Who we are, and where to say something about it: `contact` is a `mailto:` or a web page."""
    told = f"; {contact}" if contact and fits_header(contact) else ""
    return f"Paperpost/{version} (self-hosted paper alerts{told})"


def fits_header(value: str) -> bool:
    """Whether a request can carry it."""
    return value.isascii() and value.isprintable() and len(value) <= 1_000


def back_off(attempt: int, jitter: float) -> float:
    """Seconds before the attempt after number `attempt`: doubling, and 50 to 100 % of it by
    `jitter` in [0, 1), so that clients that failed together do not return together."""
    longest = min(_FIRST_BACK_OFF * 2.0 ** (attempt - 1), LONGEST_PAUSE)
    return longest * (1 + jitter) / 2


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After header, which is a number or a date (RFC 9110, 10.2.3)."""
    if not header:
        return None
    if header.strip().isdecimal() and len(header) < 10:
        seconds = float(header)
    else:
        try:
            moment = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_CLOSURE.total_seconds())
