"""The headers of a mail, each once, and the addresses in them."""

import re
from datetime import datetime
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

from mailer.digest import Digest, Letter
from mailer.errors import MailerError

_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
_SAFE_ALREADY = re.compile(r"https?://[\w!#$%&'()*+,/:;=?@\[\]~.-]+", re.ASCII)


class UnsafeAddress(MailerError):
    """A link of a mail is not an http address."""

    def __init__(self, url: str) -> None:
        super().__init__(f"Not an http address: {url[:80]!r}")
        self.url = url


def safe_url(url: str) -> str:
    """The address with everything encoded that could end it or a line.

    Raises UnsafeAddress if it is not http or https.
    """
    if _SAFE_ALREADY.fullmatch(url):
        return url
    try:
        scheme = urlsplit(url.strip()).scheme
    except ValueError as error:
        raise UnsafeAddress(url) from error
    if scheme not in ("http", "https"):
        raise UnsafeAddress(url)
    return quote(url.strip(), safe=_URL_SAFE)


def letter_headers(letter: Letter, subject: str) -> dict[str, str]:
    """What every mail has."""
    return {
        "From": letter.sender,
        "To": _mailbox(letter.recipient),
        "Subject": subject,
        "Date": _date(letter.date),
        "Message-ID": letter.message_id,
        # RFC 3834, section 5; the other two speak to programs that do not know it.
        "Auto-Submitted": "auto-generated",
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }


def list_headers(digest: Digest, letter: Letter) -> dict[str, str]:
    """RFC 8058, section 3.1 (one address, and what is posted to it), RFC 2919 and RFC 2369.

    Feedback-ID is Gmail's: its Postmaster Tools tell by date and kind which mails were marked as
    spam, and by nothing that names a reader.
    """
    owner = {"List-Owner": f"<mailto:{letter.operator}>"} if letter.operator else {}
    kind = digest.frequency if digest.items else "quiet"
    return {
        "List-ID": f"Paperpost digest <{list_id(letter.public_url)}>",
        "List-Unsubscribe": f"<{safe_url(digest.unsubscribe_url)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Help": f"<{safe_url(letter.public_url)}>",
        "List-Post": "NO",
        **owner,
        "Feedback-ID": f"{digest.local_date:%Y%m%d}:{kind}:digest:paperpost",
    }


@lru_cache(maxsize=16)
def list_id(public_url: str) -> str:
    """A name for the list that stays while the host stays; RFC 2919 wants atoms between dots."""
    host = urlsplit(public_url).hostname or "localhost"
    return "digest." + re.sub(r"[^a-z0-9.-]+", "-", host.lower()).strip("-.")


def _mailbox(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return str(Address(username=local, domain=domain))  # quotes what needs it; takes any script


@lru_cache(maxsize=256)
def _date(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("The date of a letter needs a time zone.")
    return format_datetime(moment)
