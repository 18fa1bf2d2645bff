"""What somebody types into a search, as a question to the index of words (word_index.py).

It never is syntax of a database: it is cut into words, and words are quoted.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

# A word more makes a search longer, and no search better.
MOST_WORDS = 32
_PART = re.compile(r'(?P<no>-?)"(?P<quoted>[^"]*)"?|(?P<plain>[^\s"]+)')
_WORD = re.compile(r"[^\W_]+")
# Those of PostgreSQL's English dictionary, which leaves them out by itself.
_STOP_WORDS = frozenset(
    """
    i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she
    her hers herself it its itself they them their theirs themselves what which who whom this that
    these those am is are was were be been being have has had having do does did doing a an the and
    but if or because as until while of at by for with about against between into through during
    before after above below to from up down in out on off over under again further then once here
    there when where why how all any both each few more most other some such no nor not only own
    same so than too very s t can will just don should now
    """.split()  # noqa: SIM905 - hundred lines otherwise
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Neighbouring words; of a prefix the last one may go on."""

    words: tuple[str, ...]
    is_prefix: bool = False
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Papers with all (`any_of`: some) of what is wanted and nothing of what is excluded; `terms`
    are what is wanted as it was typed, what stood in quotes apart, without mere beginnings."""

    wanted: tuple[Phrase, ...]
    excluded: tuple[Phrase, ...] = ()
    any_of: bool = False
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Within:
    """Where to search: an announcement day from `since` to `until`, and a category (`cs.CL`) or all
    of an archive (`cs`)."""

    category: str = ""
    since: date = date.min
    until: date = date.max

    @property
    def category_words(self) -> tuple[str, ...]:
        """The words of the category; none where papers of all are looked at."""
        return _words(self.category)

    def any_day(self) -> "Within":
        """The same category on every day."""
        return Within(self.category)

    @property
    def is_any_day(self) -> bool:
        """Whether papers of every day are."""
        return (self.since, self.until) == (date.min, date.max)


EVERYWHERE = Within()


def read_query(typed: str) -> Query:
    """What was typed: words, "neighbouring words", -unwanted ones, and the begin* of one.

    Words that nearly all papers have are left out, unless there are no others.
    """
    parts = list(_parts(typed))
    wanted = [part.phrase for part in parts if not part.is_excluded]
    telling = [one for one in wanted if len(one.words) > 1 or one.words[0] not in _STOP_WORDS]
    return Query(
        _some(telling or wanted),
        _some([part.phrase for part in parts if part.is_excluded]),
        terms=_terms([part for part in parts if not part.is_excluded]),
    )


class _Part(NamedTuple):
    phrase: Phrase
    written: str
    is_excluded: bool


def _parts(typed: str) -> Iterator[_Part]:
    for part in _PART.finditer(typed):
        quoted = part["quoted"]
        written = part["plain"] if quoted is None else quoted
        words = _words(written)
        if not words:
            continue
        is_prefix = quoted is None and written.rstrip(".,;:!?)").endswith("*")
        is_excluded = bool(part["no"]) if quoted is not None else written.startswith("-")
        yield _Part(Phrase(words, is_prefix, quoted is not None), written, is_excluded)


def _terms(parts: Sequence[_Part]) -> tuple[str, ...]:
    quoted = [part.written for part in parts if part.phrase.is_quoted]
    others = ["," if p.phrase.is_prefix else p.written for p in parts if not p.phrase.is_quoted]
    return tuple(term for term in (*quoted, " ".join(others).strip(" ,")) if term)


def _words(written: str) -> tuple[str, ...]:
    """Without case and marks over letters, as both databases keep them."""
    apart = unicodedata.normalize("NFKD", written)
    plain = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return tuple(_WORD.findall(plain.casefold()))


def _some(phrases: Collection[Phrase]) -> tuple[Phrase, ...]:
    """Each once, and no more words than may be."""
    chosen: list[Phrase] = []
    room = MOST_WORDS
    for phrase in dict.fromkeys(phrases):
        if phrase.words[:room]:
            chosen.append(replace(phrase, words=phrase.words[:room]))
            room -= len(phrase.words[:room])
    return tuple(chosen)
