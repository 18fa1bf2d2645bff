"""Mails composed: a digest or a quiet note for each subscriber, the small mails, the alarm.

Everything here is a pure function of its arguments and the templates: the same input gives the
same bytes, so that a mail that is sent again is the same mail.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from mailer.blocks import LONGEST_ABSTRACT, LONGEST_TITLE, html_block, render_paper, text_block
from mailer.body import Body, body, spliced
from mailer.digest import Digest, Letter
from mailer.headers import UnsafeAddress, letter_headers, list_headers, list_id, safe_url
from mailer.message import header_text, message
from mailer.plain import harmless, shorten
from mailer.skeleton import Skeleton, hole
from mailer.templates import TEMPLATE_VERSION, render
from mailer.wording import (
    adjective,
    digest_subject,
    heading,
    lead,
    promise,
    quiet_heading,
    wrapped,
)

__all__ = [
    "TEMPLATE_VERSION",
    "UnsafeAddress",
    "compose_access_link",
    "compose_alarm",
    "compose_confirmation",
    "compose_digest",
    "digest_subject",
    "list_id",
    "render_paper",
]

# Gmail clips a message at 102 KB of HTML, and the link to unsubscribe with it.
LARGEST_HTML = 80_000

# How many characters the abstracts of the first ten papers, those of all others, and any other
# text of a paper may have in the HTML: the first row with which the digest holds. Ten papers stay
# whole, fifty lose most abstracts of the last forty, and only hostile ones lose more.
LONGEST_MISSING = 1_000
_FIRST = 10
_CUTS = (
    *((LONGEST_ABSTRACT, rest, LONGEST_TITLE) for rest in (LONGEST_ABSTRACT, 400, 280, 200)),
    *((LONGEST_ABSTRACT, rest, LONGEST_TITLE) for rest in (140, 80, 0)),
    *((first, 0, LONGEST_TITLE) for first in (400, 200, 0)),
    *((0, 0, others) for others in (120, 60, 24, 12)),
)


def compose_digest(digest: Digest, letter: Letter) -> bytes:
    """The digest as a message, or the note that there are no papers. Its HTML stays under
    LARGEST_HTML bytes, for up to fifty papers whose links have up to 150 characters.

    In the text part each paper's block ends with three lines: the paper's address, and the two
    links to vote. Raises UnsafeAddress for a link that is not http or https.
    """
    subject = digest_subject(digest)
    headers = letter_headers(letter, subject) | list_headers(digest, letter)
    if not digest.items:
        return message(headers, *_quiet_note(digest, letter, subject))
    values = {
        "subject": subject,
        "lead": lead(digest),
        "why": shorten(harmless(digest.why), LONGEST_TITLE),
        "missing": shorten(harmless(digest.missing), LONGEST_MISSING),
        "preferences_url": safe_url(digest.preferences_url),
        "unsubscribe_url": safe_url(digest.unsubscribe_url),
    }
    sections = _sections(digest)
    text = _digest_text(digest, letter, sections, values)
    return message(headers, text, _digest_html(digest, letter, sections, values))


def compose_confirmation(confirm_url: str, letter: Letter) -> bytes:
    """The mail that asks whether a new address wants digests."""
    return _note("confirmation", "Confirm your Paperpost digest", confirm_url, letter)


def compose_access_link(me_url: str, letter: Letter) -> bytes:
    """The mail with a fresh link, valid for an hour: to preferences, export and deletion."""
    return _note("access", "Your Paperpost link, valid for an hour", me_url, letter)


def compose_alarm(
    subject: str, lines: Sequence[str], letter: Letter, *, page_url: str = ""
) -> bytes:
    """The mail that tells the operator what is wrong: each line a sentence or two, plain text;
    `page_url`: where all of it is shown as it is when the link is followed."""
    subject, plain = header_text(subject), [" ".join(line.split()) for line in lines]
    page = safe_url(page_url) if page_url else ""
    context = _shared(letter) | {"subject": subject, "page_url": page}
    text = render("alarm.txt", **context | {"lines": [wrapped(line) for line in plain]})
    html = render("alarm.html", **context | {"lines": plain})
    return message(letter_headers(letter, subject), body(text), body(html))


def _note(template: str, subject: str, url: str, letter: Letter) -> bytes:
    context = _shared(letter) | {"subject": subject, "url": safe_url(url)}
    bodies = [body(render(f"{template}.{kind}", **context)) for kind in ("txt", "html")]
    return message(letter_headers(letter, subject), *bodies)


def _quiet_note(digest: Digest, letter: Letter, subject: str) -> tuple[Body, Body]:
    context = _shared(letter) | {
        "subject": subject,
        "day": heading(digest),
        "heading": quiet_heading(digest),
        "preferences_url": safe_url(digest.preferences_url),
        "unsubscribe_url": safe_url(digest.unsubscribe_url),
    }
    sentences = {"silence": harmless(digest.silence), "promise": promise(digest)}
    in_lines = {name: wrapped(sentence) for name, sentence in sentences.items()}
    text = render("quiet.txt", **context | in_lines)
    return body(text), body(render("quiet.html", **context | sentences))


def _digest_text(
    digest: Digest, letter: Letter, sections: Sequence[str], values: dict[str, str]
) -> Body:
    opening, closing = _frame(digest, letter, "digest.txt")
    blocks = [
        text_block(item, number, section)
        for number, (item, section) in enumerate(zip(digest.items, sections, strict=True), 1)
    ]
    values = values | {
        "lead": wrapped(values["lead"]),
        "why": wrapped(f"Ranked for you from: {values['why']}."),
        "missing": wrapped(f"Not all papers are here. {values['missing']}"),
    }
    return spliced([opening.filled(values), *blocks, closing.filled(values)])


def _digest_html(
    digest: Digest, letter: Letter, sections: Sequence[str], values: dict[str, str]
) -> Body:
    opening, closing = (part.filled(values) for part in _frame(digest, letter, "digest.html"))

    def page(cut: int) -> Body:
        first, rest, others = _CUTS[cut]
        blocks = [
            html_block(item, section, first if number < _FIRST else rest, others)
            for number, (item, section) in enumerate(zip(digest.items, sections, strict=True))
        ]
        return spliced([opening, *blocks, closing])

    whole = page(0)
    if whole.size < LARGEST_HTML:
        return whole
    fitting = bisect_left(
        range(len(_CUTS) - 1), True, lo=1, key=lambda cut: page(cut).size < LARGEST_HTML
    )
    return page(fitting)


def _frame(digest: Digest, letter: Letter, template: str) -> tuple[Skeleton, Skeleton]:
    """What stands before the papers and behind them."""
    return _kept_frame(
        template,
        heading=heading(digest),
        frequency=adjective(digest.frequency),
        why=hole("why") if digest.why else "",
        missing=hole("missing") if digest.missing else "",
        trending=any(item.trending for item in digest.items),
        **_shared(letter),
    )


# A day's digests differ in date, frequency and whether something is known of the reader.
@lru_cache(maxsize=256)
def _kept_frame(template: str, **context: object) -> tuple[Skeleton, Skeleton]:
    names = ("subject", "lead", "preferences_url", "unsubscribe_url", "papers")
    page = render(template, **{name: hole(name) for name in names}, **context)
    opening, closing = page.split(f"{hole('papers')}\n")
    is_html = template.endswith(".html")
    return Skeleton(opening, is_html=is_html), Skeleton(closing, is_html=is_html)


def _shared(letter: Letter) -> dict[str, str]:
    """What the footer of every mail says of the installation."""
    return {
        "public_url": safe_url(letter.public_url),
        "postal_address": ", ".join((letter.postal_address or "").splitlines()),
        "operator": letter.operator or "",
    }


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
