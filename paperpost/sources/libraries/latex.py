"""BibTeX's accents and braces as plain letters; formulas stay as they are written."""

import re
from functools import cache

from pylatexenc.latex2text import LatexNodes2Text

# Only accents and letters are given to the reader of LaTeX: it is slow, and of these there are few
# (https://www.bibtex.org/SpecialSymbols/).
_ACCENT = re.compile(
    r"\\(?:(?P<sign>[\"'`^~=.])\s{0,3}|(?P<name>[uvHtcdbkr])(?:\s{1,3}|(?=[{\\])))"
    r"(?:\{\s{0,3}(?P<braced>\\?[A-Za-z])\s{0,3}\}|(?P<bare>[A-Za-z]|\\[ij](?![A-Za-z])))"
)
_LETTER = re.compile(
    r"\\(?:(?P<letter>ss|o|O|l|L|ae|AE|oe|OE|aa|AA|i|j|dh|DH|dj|DJ|th|TH|ng|NG|textendash"
    r"|textemdash|textquoteright)(?![A-Za-z])(?:\{\}|\s(?=\S))?|(?P<sign>[&%#_$-])(?:\{\})?)"
)
_DRESS = re.compile(r"\\(?:text[a-z]{1,12}|emph|mbox|uppercase|url|em|it|bf|sc)(?![A-Za-z])\s?")
_BRACES = re.compile(r"(?<!\\)[{}]")


def plain(text: str) -> str:
    r"""`G{\"o}del and {DNA}` as "Gödel and DNA". What is not known stays."""
    if "\\" in text:
        text = _ACCENT.sub(_accented, text)
        text = _DRESS.sub("", _LETTER.sub(_letter, text))
    # Braces protect capitals; within formulas they group.
    return text if "$" in text else _BRACES.sub("", text)


def _accented(found: re.Match[str]) -> str:
    accent, letter = found["sign"] or found["name"], found["braced"] or found["bare"]
    return _letters(f"\\{accent}{{{letter}}}")


def _letter(found: re.Match[str]) -> str:
    return _letters(f"\\{found['letter'] or found['sign']}")


@cache
def _letters(latex: str) -> str:
    return str(LatexNodes2Text().latex_to_text(latex))
