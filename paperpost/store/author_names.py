"""Authors, compared over the ways in which sources spell them."""

import re
import unicodedata

_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe"})
_SUFFIXES = frozenset(("jr", "sr", "ii", "iii", "iv"))
_WORD = re.compile(r"[^\W\d_]+")


def author_key(name: str) -> str:
    """Last word of the surname and first initial: "doe j" for Jane Doe, J. Doe, "Doe, Jane",
    "Doe JA" and "Doe J.A."; empty for a name without letters.

    Accents do not count, nor does a suffix (Jr). A name without a given one is that word alone.
    """
    family, comma, given = name.partition(",")
    if comma and _plain_words(given):
        return _key(_words(family), _words(given))
    words = _words(family)
    # PubMed has initials behind the surname: "van Doe JA".
    longest = 1 if all(word.isupper() for word in words) else 2
    surname = len(words)
    while surname and len(words[surname - 1]) <= longest and words[surname - 1].isupper():
        surname -= 1
    if 0 < surname < len(words):
        return _key(words[:surname], words[surname:])
    return _key(words[-1:], words[:-1])


def _key(family: list[str], given: list[str]) -> str:
    surname, first = _plain_words(" ".join(family)), _plain_words(" ".join(given))
    return " ".join((*surname[-1:], *(word[0] for word in first[:1])))


def _words(text: str) -> list[str]:
    """Words without suffixes, in their own spelling."""
    words = _WORD.findall(text.replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", ""))
    return [word for word in words if word.casefold() not in _SUFFIXES]


def _plain_words(text: str) -> list[str]:
    """Words in small letters without accents, suffixes left out."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return _words(letters)
