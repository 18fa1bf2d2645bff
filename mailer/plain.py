"""A paper's own words as plain, harmless Unicode: LaTeX read, invisible signs removed.

The only module here that knows pylatexenc, which has no types.
"""

import logging
import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from pylatexenc import latex2text, latexwalker
from pylatexenc.macrospec import std_macro

# A paper with broken LaTeX is no news for the log: its text is kept as it was.
logging.getLogger("pylatexenc").setLevel(logging.CRITICAL)

# Longer texts are cut before anything looks at them: the longest abstract of arXiv has 1,920
# characters, and the LaTeX parser is slow.
LONGEST_TEXT = 20_000

# Signs that are not seen but change what is: soft hyphens, zero-width spaces, bidirectional
# embeddings and overrides, annotations, tags. The marks that Arabic, Hebrew and emoji need
# (ZWJ, ZWNJ, LRM, RLM, ALM) stay.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_LATEX_SIGN = re.compile(r"[\\$~`{}]|''|--")
_MATH = re.compile(r"(?<!\\)(\$\$?)((?:\\.|[^$\\])+)\1")
_MATH_SIGN = re.compile(r"[\^_={}<>]|^[\s\d.,+-]+$")
_PROSE = re.compile(r"(?<![\\\w])[A-Za-z]{3,}[,;]?\s+[a-z]{2,}")
_ACTIVE_IN_PROSE = re.compile(r"(?<!\\)([%$&#])")
_KEPT_TILDE = re.compile(r"(?<!\\)(?<![^\s(/])~|~(?=\s|$)")

_FONT_SWITCHES = frozenset(
    {"bf", "em", "it", "rm", "sc", "sf", "sl", "tt", "bfseries", "itshape", "tiny", "small"}
)

_SUPERSCRIPT = str.maketrans("0123456789+-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ")
_SUBSCRIPT = str.maketrans("0123456789+-ij", "₀₁₂₃₄₅₆₇₈₉₊₋ᵢⱼ")
_SENTENCE_END = re.compile(r"[.!?。！？](?=\s|$)|[。！？]")  # noqa: RUF001

_REFERENCE = re.compile(
    r"""(?:https?://)?(?:\b\w{1,20}\.)?
            (?:arxiv\.org|(?:dx\.)?doi\.org|huggingface\.co/papers|ncbi\.nlm\.nih\.gov)
            /(?:[^\s<>"]*[\w/])?
      | \barxiv\s?:\s?[\w.\-/]*\d
      | (?<![\w.])\d\d(?:0[1-9]|1[0-2])\.\d{4,5}(?:v\d+)?(?!\w)
      | (?<![\w-])[a-z][a-z\-]{1,15}(?:\.[A-Z]{2})?/\d{7}(?:v\d+)?\b
      | (?:\bdoi\s?:?\s?)?\b10\.\d{4,9}/[^\s<>"]*[\w/]
      | \bpmid\s?:?\s?\d+
      | \bhf:[0-9a-z]{6,}
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Without one of these, a text has neither a reference nor a label; most reasons and titles.
_SUSPICIOUS = re.compile(r"[\d/:]")
_LABEL = re.compile(r"\b(More like this|Less like this|Unsubscribe|Preferences)\s*:", re.IGNORECASE)


@lru_cache(maxsize=4096)
def readable(text: str) -> str:
    """The text on one line, in NFC, with LaTeX read and invisible signs removed.

    Never raises and never loses a word: LaTeX that cannot be read stays as it was written.
    """
    line = _one_line(text[:LONGEST_TEXT])
    if not _LATEX_SIGN.search(line):
        return line
    try:
        return _one_line(_latex_to_text(_prepared(line)))
    except Exception:  # the parser leaks IndexError, RecursionError and more from hostile input
        return line


@lru_cache(maxsize=4096)
def harmless(text: str) -> str:
    """Readable text that cannot pass for ours: no other paper's id or address, none of the labels
    that the text part of a digest ends its blocks with.
    """
    line = readable(text)
    if not _SUSPICIOUS.search(line):
        return line
    return _LABEL.sub(r"\1 -", _REFERENCE.sub("[reference]", line))


def shorten(text: str, limit: int) -> str:
    """At most limit characters: cut after a sentence if one ends late enough, else after a word,
    and closed with an ellipsis.
    """
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    room = text[: max(limit - 2, 0)]
    ends = [match.end() for match in _SENTENCE_END.finditer(room)]
    if ends and ends[-1] > limit * 0.6:
        return f"{room[: ends[-1]]} …"
    room = text[: limit - 1]
    words = room if text[limit - 1].isspace() else room.rpartition(" ")[0]
    return (words if len(words) > limit * 0.6 else room).rstrip(" ,;:-–—(\u200d") + "…"  # noqa: RUF001


def _one_line(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(_UNSEEN.sub("", text).split()))


def _prepared(line: str) -> str:
    """The line as a careful author would have written it: the signs that LaTeX takes for comments,
    prices or columns are escaped outside of mathematics.
    """
    pieces: list[str] = []
    done = 0
    match = _MATH.search(line)
    while match:
        if _is_math(match[2]):
            pieces += [_prose(line[done : match.start()]), f"${_with_scripts(match[2])}$"]
            done = match.end()
        # A dollar that closes nothing may be the price before the formula: look again behind it.
        match = _MATH.search(line, max(done, match.start() + 1))
    if not pieces and "\\" not in line:
        line = line.replace("{", r"\{").replace("}", r"\}")
    return "".join([*pieces, _prose(line[done:])])


def _is_math(body: str) -> bool:
    """Is this what stands between two dollars, or were they the signs of two prices?"""
    if "\\" in body:
        return True
    if _PROSE.search(body):
        return False
    return body == body.strip() or _MATH_SIGN.search(body) is not None


def _prose(text: str) -> str:
    escaped = _ACTIVE_IN_PROSE.sub(r"\\\1", text)
    return _KEPT_TILDE.sub(r"\\textasciitilde{}", escaped)


def _with_scripts(math: str) -> str:
    """Small raised and lowered digits where Unicode has them; brackets where they would run on."""
    math = re.sub(r"(?<!\\)%", r"\\%", math)
    math = re.sub(r"\^\s*\{?\s*\\circ\b\s*\}?", "°", math)
    math = re.sub(r"(?<!\\)\^(?:\{([0-9+n-]+)\}|([0-9n]))", _translated(_SUPERSCRIPT), math)
    math = re.sub(r"(?<!\\)_(?:\{([0-9+ij-]+)\}|([0-9ij]))", _translated(_SUBSCRIPT), math)
    return re.sub(r"(?<!\\)([\^_])\{([^{}]*[-+*/,=\s][^{}]*)\}", r"\1{(\2)}", math)


def _translated(table: dict[int, int]) -> Callable[[re.Match[str]], str]:
    return lambda match: (match[1] or match[2]).translate(table)


def _latex_to_text(latex: str) -> str:
    walker = latexwalker.LatexWalker(latex, latex_context=_grammar(), tolerant_parsing=False)
    return str(_reader().nodelist_to_text(walker.get_latex_nodes()[0]))


@cache
def _grammar() -> Any:
    grammar = latexwalker.get_default_latex_context_db()
    # pylatexenc 2.11 can write \\href but does not know that it has two arguments.
    grammar.add_context_category("papers", prepend=True, macros=[std_macro("href", False, 2)])
    return grammar


@cache
def _reader() -> Any:
    context = latex2text.get_default_latex_context_db()
    macros = [latex2text.MacroTextSpec("cite", "[…]"), latex2text.MacroTextSpec("href", _linked)]
    context.add_context_category("papers", prepend=True, macros=macros)
    unknown = latex2text.MacroTextSpec("", simplify_repl=_unknown_macro)
    context.set_unknown_macro_spec(unknown)
    return latex2text.LatexNodes2Text(latex_context=context, math_mode="text", keep_comments=True)


def _linked(node: Any, l2tobj: Any) -> str:
    address, text = (l2tobj.nodelist_to_text([part]) for part in node.nodeargd.argnlist)
    return address if text in address else f"{text} ({address})"


def _unknown_macro(node: Any, l2tobj: Any) -> str:
    r"""What stays of a macro that has no known look: its arguments, else its name (some author's
    \ourmethod), unless it only dresses a group (\my{word}) or what comes next ({\it a word}).
    """
    arguments = [part for part in node.nodeargd.argnlist or () if part] if node.nodeargd else []
    if arguments:
        return "".join(l2tobj.nodelist_to_text([part]) for part in arguments)
    behind = node.parsing_state.s[node.pos + node.len :]
    dresses = behind.startswith("{") and not behind.startswith("{}")
    return "" if dresses or node.macroname in _FONT_SWITCHES else str(node.macroname)
