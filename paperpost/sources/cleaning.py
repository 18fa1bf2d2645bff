"""Foreign text made plain: HTML and control characters out, formulas left alone."""

import html
import re

import nh3

# "br" and its like part words; the rest stand inside them.
_BLOCK = "br|div|li|ul|ol|h[1-6]|tr|td|th|table|blockquote|pre|hr|section|jats:p|jats:title"
_INLINE = (
    "em|strong|sub|sup|span|small|big|code|tt|font|center|img|script|style|iframe|object|embed|svg"
    "|math|video|audio|form|input|button|textarea|select|option|link|meta|base|noscript|tbody"
    "|thead|html|head|body|jats:[a-z-]+"
)
# Journals' XML (https://jats.nlm.nih.gov) without its prefix, as bioRxiv sends it. These are left
# out before the HTML parser, which does not know them and loses what is in some.
_JATS_BLOCK = "sec|list-item|disp-formula"
_JATS_INLINE = (
    "italic|bold|underline|monospace|sc|xref|ext-link|named-content|styled-content|inline-formula"
    "|inline-graphic|tex-math|mml:[a-z-]+"
)
_NAME = r"\s+[a-zA-Z_:][\w:.-]*"
_VALUE = r"""\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>=`]+)"""

# Only what is certainly a tag counts as one: `p<0.05`, `$a<b$` and `<think>` are the paper's text,
# and an HTML parser would swallow what follows them. Likewise `R&D` is no entity.
_MARKUP = re.compile(
    rf"</?(?:(?P<block>{_BLOCK})|{_INLINE})(?:{_NAME}(?:{_VALUE})?)*\s*/?>"
    rf"|</?(?:(?P<paragraph>p)|[abiu])(?:{_NAME}{_VALUE})*\s*/?>"  # but not `i<p then p>i`
    rf"|</?(?P<jats>(?P<jats_block>{_JATS_BLOCK})|{_JATS_INLINE})(?:{_NAME}{_VALUE})*\s*/?>"
    r"|<title>(?P<heading>[^<>&]{1,200})</title>"
    r"|<!--(?:(?!<!--).)*?-->"
    r"|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});",
    re.IGNORECASE | re.DOTALL,
)

# Nothing that steers a terminal, a mail header or the direction of other people's text, and no
# half of a surrogate pair, which UTF-8 cannot write. The joiners U+200C and U+200D stay: Persian
# and Indic spelling needs them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_ELLIPSIS = "…"


def plain_text(text: str, limit: int) -> str:
    """One line of plain text of at most `limit` characters; a longer one is cut with "…"."""
    text = text[: 8 * limit]  # so much markup and white space is no text any more
    if "<" in text or "&" in text:
        text = _without_html(text)
    return one_line(text, limit)


def one_line(text: str, limit: int) -> str:
    """Text that is plain already, on one line, without control characters and no longer than
    `limit` characters."""
    text = text[: 8 * limit]
    return shortened(" ".join(_INVISIBLE.sub("", text).split()), limit)


def shortened(text: str, limit: int) -> str:
    """`text` itself, or its beginning with an ellipsis if it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + _ELLIPSIS


def _without_html(text: str) -> str:
    """Tags and comments out, entities decoded once; scripts and styles go with their content."""
    pieces: list[str] = []
    end = 0
    for markup in _MARKUP.finditer(text):
        pieces.append(html.escape(text[end : markup.start()], quote=False))
        pieces.append(_for_parser(markup))
        end = markup.end()
    pieces.append(html.escape(text[end:], quote=False))
    return html.unescape(nh3.clean("".join(pieces), tags=set(), attributes={}))


def _for_parser(markup: re.Match[str]) -> str:
    if markup["heading"]:
        return f" {markup['heading']} "
    if markup["jats"]:
        return " " if markup["jats_block"] else ""
    # Blocks part words and are nothing else here; thousands of nested lists take a parser minutes.
    return " " if markup["block"] or markup["paragraph"] else markup[0]
