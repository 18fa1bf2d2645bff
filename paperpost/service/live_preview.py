"""What interests would bring of the newest day, for somebody who is no subscriber yet.

The ranking is that of a digest (ranking.py); nothing is stored and nobody is mailed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from mailer.plain import readable
from paperpost.service.choices import Choice
from paperpost.service.installation import Installation
from paperpost.service.mentions import Unmentioned, unmentioned
from paperpost.service.ranking import rank_newcomer
from paperpost.service.seen import places_in
from paperpost.service.train import model_at_hand
from paperpost.service.window import Window, window_of_day
from paperpost.service.wishes import LONGEST_TERM, SEPARATORS, Wishes
from paperpost.store import papers
from paperpost.store.papers import number_of
from paperpost.store.tables import InterestKind

if TYPE_CHECKING:
    from recommender.batch import Batch
    from recommender.model import Model

MOST_WORDS = 3
MOST_AUTHORS = 2
# Each may mean a look through the newest papers.
MOST_LOOKED_UP = 2


@dataclass(frozen=True, slots=True)
class Handle:
    """Something that a paper could be added or muted by."""

    kind: InterestKind
    value: str


@dataclass(frozen=True, slots=True)
class PreviewedPaper:
    """A paper that interests bring, and why; `probability` (0 to 1) is that of a vote up.

    `handles` are its strongest words, its first authors and its category, but for those that the
    interests have already.
    """

    id: str
    title: str
    authors: tuple[str, ...]
    probability: float
    reasons: tuple[str, ...]
    handles: tuple[Handle, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """In how many of the day's papers an interest stands; a muted one leaves those out."""

    kind: InterestKind
    value: str
    papers: int


@dataclass(frozen=True, slots=True)
class LivePreview:
    """What interests bring, the best first, of the papers of `day` that are not muted, which are
    `considered` of `total`.

    `day` is None where there are no papers. `ready` is false as long as no model was trained:
    there are no papers then. `unknown` are interests that no stored paper has.
    """

    day: date | None
    ready: bool = False
    total: int = 0
    considered: int = 0
    papers: tuple[PreviewedPaper, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    unknown: tuple[Unmentioned, ...] = ()


def preview(installation: Installation, wanted: Wishes, limit: int = 10) -> LivePreview:
    """The `limit` best of the newest day's papers for these interests, as a digest of that length
    would have them. Changes nothing."""
    with installation.database.reading() as session:
        day = papers.newest_day(session)
    model = model_at_hand(installation) if day is not None else None
    if day is None or model is None:
        return LivePreview(day)
    # One after the other: the first of a day works out what the others use.
    with installation.slot.one_previews:
        return _preview(installation, model, day, wanted.interests(), limit)


def _preview(
    installation: Installation,
    model: Model,
    day: date,
    interests: Mapping[InterestKind, tuple[str, ...]],
    limit: int,
) -> LivePreview:
    from recommender.phrases import normal_phrase

    with installation.database.reading() as session:
        window = window_of_day(installation, session, day)
        batch = window.batch(session, places_in(installation, session, model))
    ranking = rank_newcomer(installation, model, window, interests, limit)
    occurrences = tuple(_occurrences(batch, interests))
    known = {normal_phrase(one.value) for one in occurrences}
    return LivePreview(
        day=day,
        ready=True,
        total=len(batch),
        considered=len(batch) - len(_muted(batch, interests)),
        papers=tuple(_previewed(model, window, batch, one, known) for one in ranking.choices),
        occurrences=occurrences,
        unknown=tuple(_unknown(installation, occurrences)),
    )


def _muted(batch: Batch, interests: Mapping[InterestKind, Iterable[str]]) -> set[int]:
    terms = interests.get(InterestKind.MUTED, ())
    return {place for term in terms for place in batch.index.muted_by(term)}


def _occurrences(
    batch: Batch, interests: Mapping[InterestKind, Iterable[str]]
) -> Iterator[Occurrence]:
    index = batch.index
    having = {
        InterestKind.KEYWORD: index.with_phrase,
        InterestKind.AUTHOR: index.by_author,
        InterestKind.CATEGORY: index.in_category,
        InterestKind.MUTED: index.muted_by,
    }
    for kind, values in interests.items():
        for value in values:
            yield Occurrence(kind, value, len(set(having[kind](value))))


def _unknown(
    installation: Installation, occurrences: Iterable[Occurrence]
) -> Iterable[Unmentioned]:
    """Which interests no stored paper has, of the first that none of the day's has."""
    absent: dict[InterestKind, list[str]] = {}
    for one in occurrences:
        if not one.papers and one.kind != InterestKind.MUTED:
            absent.setdefault(one.kind, []).append(one.value)
    return unmentioned(installation, absent, MOST_LOOKED_UP)


def _previewed(
    model: Model,
    window: Window,
    batch: Batch,
    choice: Choice,
    known: Collection[str],
) -> PreviewedPaper:
    paper = choice.paper
    place = window.columns[number_of(paper)]
    return PreviewedPaper(
        id=paper.id,
        title=readable(paper.title),
        authors=tuple(map(readable, paper.authors)),
        probability=choice.probability,
        reasons=choice.reasons,
        handles=tuple(_handles(model, batch, place, known)),
    )


def _handles(model: Model, batch: Batch, place: int, known: Collection[str]) -> Iterator[Handle]:
    """By what a paper could be added, but for what is `known` (normal phrases)."""
    from recommender.phrases import normal_phrase

    for handle in _all_handles(model, batch, place, known):
        is_usable = len(handle.value) <= LONGEST_TERM and not SEPARATORS.search(handle.value)
        if is_usable and normal_phrase(handle.value) not in known:
            yield handle


def _all_handles(
    model: Model, batch: Batch, place: int, known: Collection[str]
) -> Iterator[Handle]:
    from recommender.telling import telling_words

    paper = batch.papers[place]
    for word in telling_words(batch, place, MOST_WORDS, model.vocabulary, known):
        yield Handle(InterestKind.KEYWORD, word)
    for name in paper.authors[:MOST_AUTHORS]:
        yield Handle(InterestKind.AUTHOR, _given_first(name))
    for category in paper.categories[:1]:
        yield Handle(InterestKind.CATEGORY, category)


def _given_first(name: str) -> str:
    """A name without the comma of "Noether, Emmy", which parts names in a form; they are followed
    in either order."""
    family, comma, given = name.partition(",")
    return f"{given.strip()} {family.strip()}" if comma and "," not in given else name
