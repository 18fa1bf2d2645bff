"""Which papers each of a block of subscribers would get for a date, and why.

Used by `rank` and by composing alike: there is one ranking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.service.installation import Installation
from paperpost.service.train import current_model, reader_of, text_of
from paperpost.store import digests, papers, subscribers, votes
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind, Paper, Subscriber, Vote

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.rank import Ranked

# How far back a first digest looks, and `rank` for someone who never had one.
FIRST_LOOK_BACK = timedelta(days=7)
# From so many votes (ups minus downs) on a paper counts as popular: one or two would tell in a
# small group who voted.
POPULAR_FROM = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """One paper for one subscriber: its score in the blend and the reasons, as sentences."""

    paper: Paper
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best papers for one subscriber, best first, out of how many candidates."""

    choices: tuple[Choice, ...]
    considered: int
    interests: Mapping[InterestKind, list[str]]
    votes: int


@dataclass(frozen=True, slots=True)
class _Block:
    """All that is known of some subscribers at one moment, in their order."""

    people: Sequence[Subscriber]
    wishes: Mapping[int, Mapping[InterestKind, list[str]]]
    votes: Mapping[int, Mapping[int, Vote]]
    first_days: Mapping[int, date]
    mailed: Mapping[int, set[int]]
    candidates: Sequence[Paper]
    library: Mapping[int, Paper]
    tally: Mapping[int, int]


def rank_block(
    installation: Installation,
    people: Sequence[Subscriber],
    on: date,
    *,
    limit: int | None = None,
) -> dict[int, Ranking]:
    """Rank the candidates of the digest dated `on` for each subscriber, by number.

    The candidates are those of that digest as if it had not been composed yet (design:
    Decisions). `limit` replaces each subscriber's own digest size. Changes nothing.
    """
    if not people:
        return {}
    with installation.database.reading() as session:
        block = _gather(installation, session, people, on)
    model = current_model(installation) if block.candidates else None
    if model is None:
        return {id_of(person): _ranking(block, person, (), 0) for person in people}

    from recommender.rank import rank

    names = {number: paper.id for number, paper in block.library.items()}
    readers = [
        reader_of(
            id_of(person),
            block.wishes[id_of(person)],
            block.votes.get(id_of(person), {}).values(),
            names,
        )
        for person in people
    ]
    library = model.batch([text_of(paper) for paper in block.library.values()])
    batch = model.batch([text_of(paper) for paper in block.candidates])
    allowed = _allowed(block)
    ranked = rank(
        model.profiles(readers, library),
        batch,
        limit=limit or max(person.size for person in people),
        allowed=allowed,
        popularity=_popularity(block),
    )
    return {
        id_of(person): _ranking(block, person, own[: limit or person.size], int(row.sum()))
        for person, own, row in zip(people, ranked, allowed, strict=True)
    }


def _gather(
    installation: Installation, session: Session, people: Sequence[Subscriber], on: date
) -> _Block:
    now = installation.clock()
    ids = [id_of(person) for person in people]
    previous = digests.dates_before(session, ids, on)
    first_days = {
        number: previous[number] + timedelta(days=1) if number in previous else on - FIRST_LOOK_BACK
        for number in ids
    }
    earliest = min(first_days.values())
    candidates = papers.announced(session, earliest, on)
    cast = votes.counted(session, now, ids)
    voted = sorted({number for own in cast.values() for number in own})
    return _Block(
        people=people,
        wishes=subscribers.interests(session, ids),
        votes=cast,
        first_days=first_days,
        mailed=digests.mailed(session, ids, earliest - timedelta(days=1), but_not=on),
        candidates=candidates,
        library=papers.by_number(session, voted),
        tally=votes.tally(session, [number_of(paper) for paper in candidates], now),
    )


def _allowed(block: _Block) -> NDArray[np.bool_]:
    """Subscribers x candidates: announced since the last digest, and never mailed."""
    import numpy as np

    announced = np.array([paper.announced.toordinal() for paper in block.candidates])
    columns = {number_of(paper): column for column, paper in enumerate(block.candidates)}
    firsts = np.array([block.first_days[id_of(person)].toordinal() for person in block.people])
    allowed: NDArray[np.bool_] = announced[None, :] >= firsts[:, None]
    for row, person in enumerate(block.people):
        mailed = block.mailed.get(id_of(person), set())
        allowed[row, [columns[number] for number in mailed if number in columns]] = False
    return allowed


def _popularity(block: _Block) -> NDArray[np.float32]:
    import numpy as np

    totals = np.array([block.tally[number_of(paper)] for paper in block.candidates])
    return np.where(totals >= POPULAR_FROM, totals, 0).astype(np.float32)


def _ranking(
    block: _Block, person: Subscriber, ranked: Sequence[Ranked], considered: int
) -> Ranking:
    from recommender.explain import sentence

    number = id_of(person)
    choices = (
        Choice(
            block.candidates[found.index],
            found.score,
            tuple(sentence(reason) for reason in found.reasons),
        )
        for found in ranked
    )
    own_votes = len(block.votes.get(number, {}))
    return Ranking(tuple(choices), considered, block.wishes[number], own_votes)
