"""Search over everything stored: by the words of papers, by their meaning, and by both together.

By meaning a search is a paper like any other: what was typed is folded into the model's space as
a keyword is, and the nearest papers are found. Both rankings become one by reciprocal rank fusion.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlmodel import Session

from paperpost.service import likes, wishes
from paperpost.service.browse import PaperView, listed
from paperpost.service.installation import Installation
from paperpost.service.space import Space, space_at_hand
from paperpost.service.wishes import InvalidWish
from paperpost.sources.identifiers import any_identifier, bare_doi
from paperpost.store import papers, word_index
from paperpost.store.database import printable
from paperpost.store.words import Query, Within, read_query

LONGEST = 300  # letters of what is typed
PAGE_SIZE = 20
# So many of each ranking are put together; who turns more pages than that types another word.
MOST_BY_WORDS = 300
MOST_BY_MEANING = 100
# Where fewer papers have all of the words, those with the rarest of them are looked at.
FEW = PAGE_SIZE
# Chosen on seeds 7 and 8 of `evaluate search`: a mean reciprocal rank of .28, with equal weights
# .24, which is what words have alone; meaning has .16.
WEIGHT_OF_WORDS, WEIGHT_OF_SOME_WORDS, WEIGHT_OF_MEANING = 2.0, 1.0, 1.0
# What is nearest changes the order of what has the words, however far it is; on its own it is
# listed from this cosine on: below it few papers are on the subject, judged by eye on arXiv.
LEAST_CLOSE = 0.3
# Of so many of the nearest those are taken that have a phrase, or lack a word, as was asked for.
_LOOKED_AT = 500
_PAGE = re.compile(r"(?:www\.|export\.)?arxiv\.org/|(?:dx\.)?doi\.org/", re.IGNORECASE)


class Order(StrEnum):
    """In which order results are listed."""

    RELEVANCE = "relevance"
    NEWEST = "newest"


class FoundBy(StrEnum):
    """What of a paper fits: its id was typed; it has all the words, or the rarest of them; it is
    near in meaning."""

    NAME = "name"
    WORDS = "words"
    SOME_WORDS = "some words"
    MEANING = "meaning"


@dataclass(frozen=True, slots=True)
class Hit:
    """A paper that was found, as lists show papers."""

    paper: PaperView
    found_by: tuple[FoundBy, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found.

    `text` is what was searched for, at most LONGEST letters; `with_words` counts all papers that
    have all the words, `total` those that are listed here (of the best of each ranking). Pages run
    from 1 to `pages`, which is 1 where nothing was found. `by_meaning` is false where the meaning
    of the words is unknown, or nothing was learnt yet. `by_name` is true where what was typed is an
    id, `named` where its paper is here. `known` is false where no paper of any category and day
    has any of the words. `keywords` are what was typed as somebody would follow it; empty for what
    cannot be followed.
    """

    text: str
    keywords: tuple[str, ...]
    order: Order
    category: str
    since: date | None
    until: date | None
    hits: tuple[Hit, ...]
    with_words: int
    by_meaning: bool
    by_name: bool
    named: bool
    known: bool
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Rankings:
    """Numbers of papers, best first. `meaning` is None where there is none; `far` are those in it
    that are listed for nothing but their words. `with_words` counts all that have the words."""

    named: Sequence[int]
    words: Sequence[int]
    some_words: Sequence[int]
    meaning: Sequence[int] | None
    far: Collection[int]
    with_words: int

    def found_by(self, number: int) -> tuple[FoundBy, ...]:
        """What of this paper fits."""
        rankings = {
            FoundBy.NAME: self.named,
            FoundBy.WORDS: self.words,
            FoundBy.SOME_WORDS: self.some_words,
            FoundBy.MEANING: self.meaning or (),
        }
        found = [how for how, ranking in rankings.items() if number in ranking]
        return tuple(how for how in found if how != FoundBy.MEANING or number not in self.far)

    def fused(self) -> list[int]:
        """All of them as one ranking; who types an id is given that paper first."""
        from recommender.places import fused

        one = fused(
            (
                (WEIGHT_OF_WORDS, self.words),
                (WEIGHT_OF_SOME_WORDS, self.some_words),
                (WEIGHT_OF_MEANING, self.meaning or ()),
            )
        )
        return [n for n in dict.fromkeys((*self.named, *one)) if self.found_by(n)]


def search(
    installation: Installation,
    typed: str,
    *,
    order: Order = Order.RELEVANCE,
    category: str = "",
    since: date | None = None,
    until: date | None = None,
    page: int = 1,
) -> Found:
    """Papers that have the words typed, or are near to them in meaning; of a category (`cs.CL`) or
    archive (`cs`) and of these announcement days, if named. There may be none, on any page. An id
    brings its paper alone. Changes nothing.

    In quotes words have to stand side by side, with a minus they must not stand there, and with a
    star behind it a word may go on.
    """
    text, category = printable(typed, LONGEST), printable(category, LONGEST)
    within = Within(category, since or date.min, until or date.max)
    space = space_at_hand(installation) if text else None
    with installation.database.reading() as session:
        found = rankings(session, text, order, within, space)
        numbers = found.fused()
        if order == Order.NEWEST:
            numbers = papers.by_day(session, numbers)
        shown = numbers[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        stored = papers.by_number(session, shown)
        known = bool(numbers) or word_index.count(session, _any_of(read_query(text))) > 0
    by_name = _name(text) is not None
    return Found(
        text=text,
        keywords=() if by_name else _followable(text),
        order=order,
        category=category,
        since=since,
        until=until,
        hits=tuple(
            Hit(listed(installation, stored[number]), found.found_by(number))
            for number in shown
            if number in stored
        ),
        with_words=found.with_words,
        by_meaning=found.meaning is not None,
        by_name=by_name,
        named=bool(found.named),
        known=known,
        total=len(numbers),
        page=page,
        pages=max(1, -(-len(numbers) // PAGE_SIZE)),
    )


def check(typed: str, since: date | None, until: date | None) -> None:
    """Raises InvalidWish for what can find nothing: only words that must not be there, or a first
    day after the last."""
    query = read_query(printable(typed, LONGEST))
    if query.excluded and not query.wanted:
        raise InvalidWish("something to look for is missing beside what is to be left out")
    if since and until and since > until:
        raise InvalidWish("the first day is after the last")


def _any_of(query: Query) -> Query:
    return Query(query.wanted, any_of=True)


def follow(installation: Installation, subscriber_id: int, typed: str) -> tuple[str, ...]:
    """Make what was typed keywords of a subscriber; those that are new. Raises InvalidWish where
    there are too many, or one is too long."""
    return likes.follow(installation, subscriber_id, keywords(printable(typed, LONGEST)))


def keywords(typed: str) -> tuple[str, ...]:
    """What was typed as interests: what is in quotes, or between commas, is one of its own. Raises
    InvalidWish."""
    return wishes.terms(", ".join(read_query(typed).terms)) or ()


def _followable(typed: str) -> tuple[str, ...]:
    try:
        return keywords(typed)
    except InvalidWish:
        return ()


def rankings(
    session: Session, text: str, order: Order, within: Within, space: Space | None
) -> Rankings:
    if named := _named(session, text):
        return Rankings(named, words=(), some_words=(), meaning=None, far=(), with_words=0)
    query = read_query(text)
    ranking = word_index.newest if order == Order.NEWEST else word_index.best
    every = ranking(session, query, within, limit=MOST_BY_WORDS)
    count = len(every)
    if count == MOST_BY_WORDS:
        count = word_index.count(session, query, within)
    some = _with_some(session, query, within, every) if count < FEW else []
    meaning = None if space is None else _near(session, space, query, within)
    return Rankings(
        named=named,
        words=every,
        some_words=some,
        meaning=None if meaning is None else list(meaning),
        far={number for number, cosine in (meaning or {}).items() if cosine < LEAST_CLOSE},
        with_words=count,
    )


def _name(text: str) -> str | None:
    """The id that was typed, as papers are stored by it; None for words. A browser may have left
    out how an address begins."""
    if _PAGE.match(text):
        text = f"https://{text}"
    text = text.partition("?")[0].partition("#")[0].rstrip("/") if "://" in text else text
    doi = bare_doi(text)
    return any_identifier(text) or (f"doi:{doi}" if doi else None)


def _named(session: Session, text: str) -> list[int]:
    """The paper whose id was typed."""
    name = _name(text)
    found = papers.find_public(session, name) if name else None
    return [] if found is None else [papers.number_of(found)]


def _with_some(session: Session, query: Query, within: Within, every: Collection[int]) -> list[int]:
    """Papers with the rarest of several words; none where something was put in quotes."""
    if len(query.wanted) < 2 or any(phrase.is_quoted for phrase in query.wanted):
        return []
    loosely = word_index.loosely(session, query)
    found = word_index.best(session, loosely, within, limit=MOST_BY_MEANING)
    return [number for number in found if number not in every]


def _near(session: Session, space: Space, query: Query, within: Within) -> dict[int, float] | None:
    """The papers nearest in meaning and their cosines, nearest first; None where there is no
    meaning."""
    meaning = space.places.meaning(", ".join(query.terms))
    if meaning is None:
        return None
    of_it = word_index.in_category(session, within) if within.category_words else None
    among = space.within(within.since, within.until, of_it)
    nearest = space.places.nearest(meaning, _LOOKED_AT, among)
    cosines = {int(space.numbers[place]): cosine for place, cosine in nearest}
    asked = _as_asked(session, query, list(cosines))
    return {number: cosines[number] for number in asked[:MOST_BY_MEANING]}


def _as_asked(session: Session, query: Query, numbers: list[int]) -> list[int]:
    """Those of them that have what was put in quotes and lack what was excluded."""
    quoted = tuple(phrase for phrase in query.wanted if phrase.is_quoted)
    if quoted:
        having = word_index.matching(session, Query(quoted), numbers)
        numbers = [number for number in numbers if number in having]
    if query.excluded:
        lacking = word_index.matching(session, Query(query.excluded, any_of=True), numbers)
        numbers = [number for number in numbers if number not in lacking]
    return numbers
