"""Whether the papers say what somebody asks for: told when an interest is entered.

Ranking has its own, exact way to match (recommender.phrases). This one has to be quick in a
process that has no model, so it looks at the newest papers only and keeps silent when in doubt.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlmodel import Session

from paperpost.service.installation import Installation
from paperpost.store import mentions, papers
from paperpost.store.mentions import Place
from paperpost.store.tables import InterestKind, Paper

# So that an answer takes 20 to 50 ms (SQLite) however many papers are stored.
LOOKED_THROUGH = 20_000
# Where so many papers have an interest's letters, one is taken to have the interest.
IN_DOUBT = 400
# So many interests are looked up; after them nothing is said. A file of thousands takes seconds.
MOST_ASKED = 200
# Anybody may ask for a page again and again.
MOST_ON_A_PAGE = 10

_PLACES: dict[InterestKind, Place] = {
    InterestKind.KEYWORD: "text",
    InterestKind.AUTHOR: "authors",
    InterestKind.CATEGORY: "categories",
}
_SAYS = {
    InterestKind.KEYWORD: "mentions",
    InterestKind.AUTHOR: "has the author",
    InterestKind.CATEGORY: "has the category",
}
_NOT_SINGULAR = ("ss", "us", "is", "as", "os")
_WORD = re.compile(r"[^\W_]+")
_ASCII = re.compile(r"[a-z0-9]+", re.IGNORECASE)
# Letters that are seldom seen with an accent.
_PLAIN_LETTERS = re.compile(r"[bdfhjklmpqvwx]+")


@dataclass(frozen=True, slots=True)
class Unmentioned:
    """An interest that no paper has, and a sentence that tells it."""

    kind: InterestKind
    value: str
    sentence: str


def unmentioned(
    installation: Installation,
    wanted: Mapping[InterestKind, Iterable[str]],
    most: int = MOST_ASKED,
) -> list[Unmentioned]:
    """Which of the first `most` keywords, authors and categories occur in none of the newest
    papers, in order; none while there are no papers. Changes nothing."""
    found: list[Unmentioned] = []
    with installation.database.reading() as session:
        newest = papers.newest_number(session)
        for kind, value in islice(_asked(wanted), most if newest else 0):
            if not _occurs(session, kind, value):
                found.append(Unmentioned(kind, value, _sentence(kind, value, newest)))
    return found


def unknown(found: Sequence[Unmentioned]) -> dict[str, list[str]]:
    """What occurs nowhere, for machines: `unknown_keywords` and so on."""
    names = {
        "unknown_keywords": InterestKind.KEYWORD,
        "unknown_authors": InterestKind.AUTHOR,
        "unknown_categories": InterestKind.CATEGORY,
    }
    return {name: [one.value for one in found if one.kind == kind] for name, kind in names.items()}


def _asked(wanted: Mapping[InterestKind, Iterable[str]]) -> Iterator[tuple[InterestKind, str]]:
    for kind in _PLACES:
        for value in wanted.get(kind, ()):
            yield kind, value


def _sentence(kind: InterestKind, value: str, newest: int) -> str:
    here = "No paper stored here"
    if newest > LOOKED_THROUGH:
        here = f"None of the {LOOKED_THROUGH:,} newest papers here"
    several = kind == InterestKind.KEYWORD and len(_words(value)) > 1
    until = "until one does, only its single words count" if several else ""
    return f"{here} {_SAYS[kind]} “{value}” yet; {until or 'it starts to count when one does'}."


def _occurs(session: Session, kind: InterestKind, value: str) -> bool:
    has = _has(kind, value)
    for patterns in _narrowed(kind, value):
        found = mentions.holding(session, _PLACES[kind], patterns, LOOKED_THROUGH, IN_DOUBT)
        if len(found) == IN_DOUBT or any(has(paper) for paper in found):
            return True
    return False


def _narrowed(kind: InterestKind, value: str) -> Iterator[list[str]]:
    """Ways to look: every paper that has the interest matches all patterns of one of them."""
    if kind == InterestKind.KEYWORD:
        yield [_pattern(map(_stem, _words(value)))]
    elif kind == InterestKind.CATEGORY:
        yield [_pattern([value])]
    else:
        names = _plain_name(value).split()  # in either order: "Noether, Emmy"
        yield [_pattern([name]) for name in names]
        # "Paul Erdos" is followed where "Paul Erdős" stands, as JSON: "Paul Erd\u0151s".
        yield ["%u0%", *(_pattern(_PLAIN_LETTERS.findall(name)) for name in names)]


def _pattern(parts: Iterable[str]) -> str:
    """The letters and digits of ASCII in order, whatever stands between: nothing to escape."""
    return "%" + "".join(f"{run}%" for part in parts for run in _ASCII.findall(part))


def _has(kind: InterestKind, value: str) -> Callable[[Paper], bool]:
    """The exact test of one paper."""
    if kind == InterestKind.AUTHOR:
        name = _plain_name(value)
        return lambda paper: any(_plain_name(author) == name for author in paper.authors)
    if kind == InterestKind.CATEGORY:
        category = value.casefold()
        return lambda paper: any(own.casefold() == category for own in paper.categories)
    if not value.isascii():
        return lambda _paper: True  # sources write "ö" in many ways
    phrase = _phrase(value)
    return lambda paper: bool(phrase.search(paper.title) or phrase.search(paper.abstract))


def _phrase(value: str) -> re.Pattern[str]:
    """The words one after the other, each in singular or plural, with any signs between."""
    words = (f"{re.escape(_stem(word))}(?:y|ies|e?s)?" for word in _words(value))
    return re.compile(r"(?<![^\W_])" + r"[\W_]+".join(words) + r"(?![^\W_])", re.IGNORECASE)


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _stem(word: str) -> str:
    """What singular and plural have in common: "stud" for "study" and "studies"."""
    if len(word) < 4:
        return word
    if word.endswith("ies"):
        return word[:-3]
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(_NOT_SINGULAR):
        return word[:-1]
    return word.removesuffix("y")


def _plain_name(name: str) -> str:
    """A person's name as ranking compares it (recommender.phrases.normal_name): without accents,
    capitals and marks, "Noether, Emmy" turned round."""
    family, comma, given = name.partition(",")
    ordered = f"{given} {family}" if comma and "," not in given else name
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", ordered).casefold())
    kept = (sign for sign in letters if not unicodedata.combining(sign))
    return " ".join(_WORD.findall("".join(kept)))
