"""Authors' names as arXiv writes them: many in one line, with affiliations and suffixes."""

import re

_AFFILIATION = re.compile(r"\s*\([^()]*\)")
_SUFFIX = r"\s*(?:Jr|Sr|I{2,3}|IV)\b"
_BETWEEN = re.compile(rf",(?!{_SUFFIX})(?:\s*and\s)?|\sand\s")
_NESTING = 10


def names_in_line(line: str) -> list[str]:
    """The names in "Ada Lovelace (Analytical Society, London), Alan Turing and Grace Hopper, Jr".

    Affiliations in parentheses, nested ones too, are left out.
    """
    for _ in range(_NESTING):
        line, left_out = _AFFILIATION.subn("", line)
        if not left_out:
            break
    return [name.strip() for name in _BETWEEN.split(line) if name.strip()]


def name_in_order(sorted_name: str) -> str:
    """ "Lovelace, Ada" as "Ada Lovelace"; a name without a comma as it is."""
    family, comma, given = sorted_name.partition(",")
    return f"{given.strip()} {family.strip()}".strip() if comma else sorted_name.strip()
