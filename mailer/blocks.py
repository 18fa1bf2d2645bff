"""A paper's block in a digest: its impersonal part rendered once a day, the rest spliced in.

`render_paper` makes the fragment that is stored; `text_block` and `html_block` put somebody's
reasons and links around it.
"""

import html
import re
from functools import lru_cache

from markupsafe import Markup

from mailer.body import Part
from mailer.digest import DigestItem, Fragment, PaperText
from mailer.headers import safe_url
from mailer.plain import harmless, shorten
from mailer.skeleton import Skeleton, hole
from mailer.templates import render
from mailer.wording import INDENT, TEXT_WIDTH, full_date, joined_reasons, plain_title, wrapped

LONGEST_TITLE = 300
LONGEST_ABSTRACT = 600
LONGEST_LABEL = 40
LONGEST_REASON = 160
MOST_REASONS = 3
EXPLORED = "Outside your usual: your vote tells us more."

_MARKED = re.compile(r"<!--(title|meta|abstract)-->(.*?)<!--/\1-->", re.DOTALL)
# Every paper of a day in some lengths, about 4 kB each.
_KEPT = 4096


def render_paper(paper: PaperText) -> Fragment:
    """The part of a paper's block that is the same for everybody.

    Raises UnsafeAddress if the paper's url is not http or https.
    """
    url = safe_url(paper.url)
    title = plain_title(paper.title, LONGEST_TITLE)
    abstract = shorten(harmless(paper.abstract), LONGEST_ABSTRACT)
    authors, filed = _authors(paper), _filed(paper)
    page = render(
        "paper.html", url=url, title=title, authors=authors, filed=filed, abstract=abstract
    )
    text = render(
        "paper.txt",
        # Its first line stands behind a number of up to two digits.
        title=wrapped(title, INDENT, TEXT_WIDTH - 1).removeprefix(INDENT),
        authors=wrapped(authors, INDENT) if authors else "",
        filed=wrapped(filed, INDENT),
        abstract=wrapped(abstract, INDENT) if abstract else "",
    )
    return Fragment(html=page.strip(), text=text.rstrip(), url=url)


def text_block(item: DigestItem, number: int, section: str) -> Part:
    """The paper's lines in the text part; they end with its address and the two links to vote."""
    fragment = item.fragment
    skeleton = _text_skeleton(
        fragment.text, fragment.url, section, _labels(item), bool(item.reasons)
    )
    return skeleton.filled(
        {
            "number": str(number),
            "reasons": wrapped(f"Why: {_reasons(item, LONGEST_REASON)}", INDENT),
            "more_url": safe_url(item.more_url),
            "less_url": safe_url(item.less_url),
        }
    )


def html_block(item: DigestItem, section: str, abstract: int, others: int) -> Part:
    """The paper's lines in the HTML, with so many characters of its abstract and, at most, of each
    other text."""
    skeleton = _html_skeleton(
        item.fragment.html, item.title, section, _labels(item), bool(item.reasons), abstract, others
    )
    return skeleton.filled(
        {
            "reasons": _reasons(item, min(others, LONGEST_REASON)),
            "more_url": safe_url(item.more_url),
            "less_url": safe_url(item.less_url),
        }
    )


@lru_cache(maxsize=_KEPT)
def _text_skeleton(
    text: str, url: str, section: str, labels: tuple[str, ...], reasons: bool
) -> Skeleton:
    page = render(
        "block.txt",
        number=hole("number"),
        text=text,
        url=url,
        section=section,
        labels=[wrapped(label, INDENT) for label in labels],
        reasons=hole("reasons") if reasons else "",
        more_url=hole("more_url"),
        less_url=hole("less_url"),
    )
    return Skeleton(page, is_html=False)


@lru_cache(maxsize=_KEPT)
def _html_skeleton(
    fragment: str,
    title: str,
    section: str,
    labels: tuple[str, ...],
    reasons: bool,
    abstract: int,
    others: int,
) -> Skeleton:
    limits = {"abstract": abstract, "title": others, "meta": others}
    cut = _MARKED.sub(lambda match: _cut(match[2], limits[match[1]]), fragment)
    page = render(
        "block.html",
        # Safe: the fragment was escaped when it was rendered, and _cut escapes what it cuts.
        fragment=Markup(cut),  # noqa: S704
        section=section,
        labels=labels,
        reasons=hole("reasons") if reasons else "",
        label=plain_title(title, min(others, LONGEST_LABEL)),
        more_url=hole("more_url"),
        less_url=hole("less_url"),
    )
    return Skeleton(page, is_html=True)


def _labels(item: DigestItem) -> tuple[str, ...]:
    """What is special about the paper's being there."""
    labels = [EXPLORED] if item.explored else []
    if item.revised is not None:
        version = item.revised.version
        number = f", version {version}" if version is not None else ""
        labels.append(f"Revised on {full_date(item.revised.on)}{number}.")
    return tuple(labels)


def _reasons(item: DigestItem, limit: int) -> str:
    return joined_reasons(item.reasons, MOST_REASONS, limit)


def _cut(escaped: str, limit: int) -> str:
    plain = html.unescape(escaped)
    return escaped if len(plain) <= limit else html.escape(shorten(plain, limit))


def _authors(paper: PaperText) -> str:
    names = ", ".join(shorten(harmless(author), 60) for author in paper.authors[:3])
    return names + (" et al." if len(paper.authors) > 3 else "")


def _filed(paper: PaperText) -> str:
    """Under which categories and when the paper was announced."""
    categories = ", ".join(shorten(harmless(category), 40) for category in paper.categories[:4])
    return " · ".join(part for part in (categories, full_date(paper.announced)) if part)
