"""Authors' names as arXiv writes them: many in one line, with affiliations and suffixes."""

import re
import unicodedata

_LINE_LIMIT = 500_000  # the longest list of authors so far has 5,000 names
_AFFILIATION = re.compile(r" ?\([^()]*\)")
_SUFFIX = r"\s*(?:Jr|Sr|I{2,3}|IV)\b"
_BETWEEN = re.compile(rf",(?!{_SUFFIX})(?:\s*and\s)?|\sand\s")
_NESTING = 10
_SUFFIX_AT_END = re.compile(rf",?{_SUFFIX}\.?$")
# Letters whose mark is part of them for Unicode.
_NOT_DECOMPOSED = str.maketrans("łŁøØđĐı", "lLoOdDi")


def names_in_line(line: str) -> list[str]:
    """The names in "Ada Lovelace (Analytical Society, London), Alan Turing and Grace Hopper, Jr".

    Affiliations in parentheses, nested ones too, are left out.
    """
    line = " ".join(line[:_LINE_LIMIT].split())
    for _ in range(_NESTING):
        line, left_out = _AFFILIATION.subn("", line)
        if not left_out:
            break
    return [name.strip() for name in _BETWEEN.split(line) if name.strip()]


def name_in_order(sorted_name: str) -> str:
    """ "Lovelace, Ada" as "Ada Lovelace"; a name without a comma as it is."""
    family, comma, given = sorted_name.partition(",")
    return f"{given.strip()} {family.strip()}".strip() if comma else sorted_name.strip()


def may_be_same(name: str, other: str) -> bool:
    """Whether two names may be one person's: the same family name, and given names of which each
    is the other's or its initial, as far as both have them. Accents and case do not matter."""
    given, family = _parts(name)
    other_given, other_family = _parts(other)
    pairs = zip(given, other_given, strict=False)
    return family == other_family and all(
        one == two or (one[:1] == two[:1] and 1 in (len(one), len(two))) for one, two in pairs
    )


def without_accents(text: str) -> str:
    """Letters without their marks: Łukasz Müller is Lukasz Muller."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_NOT_DECOMPOSED))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _parts(name: str) -> tuple[list[str], str]:
    """Given names and the family name, in small letters."""
    in_order = name_in_order(_SUFFIX_AT_END.sub("", name.strip()))
    words = re.findall(r"\w+", without_accents(in_order).casefold())
    return words[:-1], words[-1] if words else ""
