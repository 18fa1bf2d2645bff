"""Templates with holes: what many mails share is rendered and encoded once.

A template is rendered with a mark in each hole. The lines without one are encoded there and then,
those around a hole when it is filled: a digest costs little more than its own links and reasons.
"""

import html
from collections.abc import Mapping
from itertools import groupby

from markupsafe import Markup

from mailer.body import SEPARATOR, Lines, Part, whole_lines

# As in SEPARATOR: no text of a mail has this sign.
_MARK = "\0"


def hole(name: str) -> Markup:
    """What a template is given in place of a value that comes later."""
    return Markup(f"{_MARK}{name}{_MARK}")  # noqa: S704  (the names are ours)


class Skeleton:
    """The lines of a rendered template, some with holes."""

    def __init__(self, page: str, *, is_html: bool) -> None:
        self._is_html = is_html
        shared, personal = [], []
        for plain, with_holes in _turns(page):
            shared.append(whole_lines(plain))
            personal.append(_form(with_holes))
        self._shared: tuple[Lines, ...] = tuple(shared)
        self._personal = SEPARATOR.join(personal)
        self._size = sum(len(lines.plain) for lines in shared)

    def filled(self, values: Mapping[str, str]) -> Part:
        """With these values in the holes, escaped if it is HTML; they may have lines of their
        own."""
        if self._is_html:
            values = {name: html.escape(value) for name, value in values.items()}
        return Part(self._shared, self._personal % values, self._size)


def _turns(page: str) -> list[tuple[str, str]]:
    """Lines without a hole and lines with holes, in turn; either may be empty."""
    lines = [f"{line}\n" for line in page.removesuffix("\n").split("\n")]
    turns = [("", "")]
    for has_hole, group in groupby(lines, key=lambda line: _MARK in line):
        text = "".join(group)
        if has_hole:
            turns[-1] = (turns[-1][0], text)
        else:
            turns.append((text, ""))
    return turns


def _form(text: str) -> str:
    """Lines with holes, as a form for the operator %."""
    pieces = text.replace("%", "%%").split(_MARK)
    pieces[1::2] = [f"%({name})s" for name in pieces[1::2]]
    return "".join(pieces)
