"""Mails composed: a paper's fragment once, a digest for each subscriber, and the two small mails.

Everything here is a pure function of its arguments and the templates: the same input gives the
same bytes, so that a mail that is sent again is the same mail.
"""

import html
import re
import textwrap
from datetime import date, datetime
from email.headerregistry import Address
from email.utils import format_datetime
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from mailer.digest import Digest, DigestItem, Fragment, Letter, PaperText
from mailer.errors import MailerError
from mailer.message import header_text, message
from mailer.plain import harmless, shorten
from mailer.templates import TEMPLATE_VERSION, render

__all__ = [
    "TEMPLATE_VERSION",
    "UnsafeAddress",
    "compose_access_link",
    "compose_confirmation",
    "compose_digest",
    "digest_subject",
    "list_id",
    "render_paper",
]

# Gmail clips a message at 102 KB of HTML, and the link to unsubscribe with it.
LARGEST_HTML = 80_000
LONGEST_TITLE = 300
LONGEST_ABSTRACT = 600
LONGEST_SUBJECT_TITLE = 70
LONGEST_REASON = 160
MOST_REASONS = 3
EXPLORED = "Outside your usual: your vote tells us more."
TEXT_WIDTH = 76
INDENT = "   "

# How many characters an abstract and any other text of a paper may have in the HTML, tried in
# turn until the digest holds: ten papers stay whole, fifty lose most of their abstracts, and only
# hostile ones lose more.
_CUTS = (
    *((abstract, LONGEST_TITLE) for abstract in (LONGEST_ABSTRACT, 400, 280, 200, 140, 80, 0)),
    *((0, others) for others in (120, 60, 24, 12)),
)
_MARKED = re.compile(r"<!--(title|meta|abstract)-->(.*?)<!--/\1-->", re.DOTALL)
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
_ADJECTIVES = {"weekdays": "weekday"}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


class UnsafeAddress(MailerError):
    """A link of a mail is not an http address."""

    def __init__(self, url: str) -> None:
        super().__init__(f"Not an http address: {url[:80]!r}")
        self.url = url


def render_paper(paper: PaperText) -> Fragment:
    """The part of a paper's block that is the same for everybody.

    Raises UnsafeAddress if the paper's url is not http or https.
    """
    url = _safe_url(paper.url)
    title = _plain_title(paper.title, LONGEST_TITLE)
    abstract = shorten(harmless(paper.abstract), LONGEST_ABSTRACT)
    authors, filed = _authors(paper), _filed(paper)
    meta = " · ".join(part for part in (authors, filed) if part)
    page = render("paper.html", url=url, title=title, meta=meta, abstract=abstract)
    text = render(
        "paper.txt",
        title=_wrapped(title, first=""),
        authors=_wrapped(authors),
        filed=_wrapped(filed),
        abstract=_wrapped(abstract),
    )
    return Fragment(html=page.strip(), text=text.rstrip(), url=url)


def compose_digest(digest: Digest, letter: Letter) -> bytes:
    """The digest as a message. Its HTML stays under LARGEST_HTML bytes, for up to fifty papers
    whose links have up to 150 characters.

    In the text part each paper's block ends with three lines: the paper's address, and the two
    links to vote. Raises UnsafeAddress for a link that is not http or https.
    """
    subject = digest_subject(digest)
    common = _common(letter, subject) | {
        "lead": _lead(digest),
        "heading": f"{_DAYS[digest.local_date.weekday()]}, {_day(digest.local_date)}",
        "frequency": _ADJECTIVES.get(digest.frequency, digest.frequency),
        "trending": any(item.trending for item in digest.items),
        "preferences_url": _safe_url(digest.preferences_url),
        "unsubscribe_url": _safe_url(digest.unsubscribe_url),
    }
    headers = _headers(letter, subject) | _list_headers(digest, letter)
    return message(headers, _digest_text(digest, common), _digest_html(digest, common))


def compose_confirmation(confirm_url: str, letter: Letter) -> bytes:
    """The mail that asks whether a new address wants digests."""
    return _note("confirmation", "Confirm your Paperpost digest", confirm_url, letter)


def compose_access_link(me_url: str, letter: Letter) -> bytes:
    """The mail with a fresh link, valid for an hour: to preferences, export and deletion."""
    return _note("access", "Your Paperpost link, valid for an hour", me_url, letter)


def digest_subject(digest: Digest) -> str:
    """The date, so that threads do not grow, and the first paper's title."""
    day = f"{digest.local_date.day} {_MONTHS[digest.local_date.month - 1][:3]}"
    if not digest.items:
        return f"Papers {day}: none today"
    return header_text(
        f"Papers {day}: {_plain_title(digest.items[0].title, LONGEST_SUBJECT_TITLE)}"
    )


def _note(template: str, subject: str, url: str, letter: Letter) -> bytes:
    context = _common(letter, subject) | {"url": _safe_url(url)}
    text, page = (render(f"{template}.{kind}", **context) for kind in ("txt", "html"))
    return message(_headers(letter, subject), text, page)


def _digest_text(digest: Digest, common: dict[str, object]) -> str:
    papers = [
        {
            "section": section,
            "text": item.fragment.text,
            "explored": _wrapped(EXPLORED) if item.explored else "",
            "reasons": _wrapped(_reasons(item, LONGEST_REASON, "Why: ")),
            "url": item.fragment.url,
            "more_url": _safe_url(item.more_url),
            "less_url": _safe_url(item.less_url),
        }
        for item, section in zip(digest.items, _sections(digest), strict=True)
    ]
    why = _wrapped(f"Ranked for you from: {_why(digest)}.", first="", rest="") if digest.why else ""
    rule = "=" * len(str(common["heading"]))
    return render("digest.txt", **common | {"papers": papers, "why": why, "rule": rule})


def _digest_html(digest: Digest, common: dict[str, object]) -> str:
    context = common | {"why": _why(digest)}
    page = ""
    for abstract, others in _CUTS:
        papers = [
            _html_paper(item, abstract, others) | {"section": section}
            for item, section in zip(digest.items, _sections(digest), strict=True)
        ]
        page = render("digest.html", **context | {"papers": papers})
        if len(page.encode()) + page.count("\n") < LARGEST_HTML:  # line ends become CRLF
            break
    return page


def _sections(digest: Digest) -> list[str]:
    """The heading above each paper, which is empty but where a section begins: a digest of what
    trends tells it from what else is new."""
    kinds = [item.trending for item in digest.items]
    if not any(kinds):
        return [""] * len(kinds)
    names = {True: "Trending", False: "Also new"}
    return [
        names[kind] if number == 0 or kind != kinds[number - 1] else ""
        for number, kind in enumerate(kinds)
    ]


def _html_paper(item: DigestItem, abstract: int, others: int) -> dict[str, object]:
    limits = {"abstract": abstract, "title": others, "meta": others}
    return {
        # Safe: the fragment was escaped when it was rendered, and _cut escapes again what it cuts.
        "html": Markup(_MARKED.sub(lambda m: _cut(m[2], limits[m[1]]), item.fragment.html)),  # noqa: S704
        "explored": EXPLORED if item.explored else "",
        "reasons": _reasons(item, min(others, LONGEST_REASON)),
        "label": _plain_title(item.title, min(others, LONGEST_SUBJECT_TITLE)),
        "more_url": _safe_url(item.more_url),
        "less_url": _safe_url(item.less_url),
    }


def _cut(escaped: str, limit: int) -> str:
    plain = html.unescape(escaped)
    return escaped if len(plain) <= limit else html.escape(shorten(plain, limit))


def _common(letter: Letter, subject: str) -> dict[str, object]:
    return {
        "subject": subject,
        "public_url": _safe_url(letter.public_url),
        "postal_address": ", ".join((letter.postal_address or "").splitlines()),
        "operator": letter.operator,
    }


def _lead(digest: Digest) -> str:
    """The line that mail programs show beside the subject, visible as Gmail's rules ask."""
    counts = f"{len(digest.items)} of {digest.considered} new papers"
    if not digest.items:
        return counts
    return f"{counts}; top: {_plain_title(digest.items[0].title, LONGEST_SUBJECT_TITLE)}"


def _authors(paper: PaperText) -> str:
    names = ", ".join(shorten(harmless(author), 60) for author in paper.authors[:3])
    return names + (" et al." if len(paper.authors) > 3 else "")


def _filed(paper: PaperText) -> str:
    """Under which categories and when the paper was announced."""
    categories = ", ".join(shorten(harmless(category), 40) for category in paper.categories[:4])
    return " · ".join(part for part in (categories, _day(paper.announced)) if part)


def _reasons(item: DigestItem, limit: int, opening: str = "") -> str:
    reasons = [shorten(harmless(reason), limit) for reason in item.reasons[:MOST_REASONS]]
    return opening + "; ".join(reasons) if reasons else ""


def _why(digest: Digest) -> str:
    return shorten(harmless(digest.why), LONGEST_TITLE)


def _plain_title(title: str, limit: int) -> str:
    return shorten(harmless(title) or "(no title)", limit)


def _day(day: date) -> str:
    # Not strftime: the names of months would follow the locale of the machine.
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _wrapped(text: str, first: str = INDENT, rest: str = INDENT) -> str:
    return textwrap.fill(
        text,
        TEXT_WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _safe_url(url: str) -> str:
    """The address with everything encoded that could end it or a line."""
    try:
        scheme = urlsplit(url.strip()).scheme
    except ValueError as error:
        raise UnsafeAddress(url) from error
    if scheme not in ("http", "https"):
        raise UnsafeAddress(url)
    return quote(url.strip(), safe=_URL_SAFE)


def _headers(letter: Letter, subject: str) -> dict[str, str]:
    return {
        "From": letter.sender,
        "To": str(_mailbox(letter.recipient)),
        "Subject": subject,
        "Date": _date(letter.date),
        "Message-ID": letter.message_id,
        # RFC 3834, section 5; the other two speak to programs that do not know it.
        "Auto-Submitted": "auto-generated",
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }


def _mailbox(address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(username=local, domain=domain)  # quotes what needs it; takes any script


def _list_headers(digest: Digest, letter: Letter) -> dict[str, str]:
    """RFC 8058, section 3.1 (one address, and what is posted to it), RFC 2919 and RFC 2369."""
    owner = {"List-Owner": f"<mailto:{letter.operator}>"} if letter.operator else {}
    return {
        "List-ID": f"Paperpost digest <{list_id(letter.public_url)}>",
        "List-Unsubscribe": f"<{_safe_url(digest.unsubscribe_url)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Post": "NO",
        **owner,
    }


def list_id(public_url: str) -> str:
    """A name for the list that stays while the host stays; RFC 2919 wants atoms between dots."""
    host = urlsplit(public_url).hostname or "localhost"
    return "digest." + re.sub(r"[^a-z0-9.-]+", "-", host.lower()).strip("-.")


def _date(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("The date of a letter needs a time zone.")
    return format_datetime(moment)
