"""Which papers each of a block of subscribers would get for a date, and why.

Used by `rank` and by composing alike: there is one ranking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.service.installation import Installation
from paperpost.service.train import current_model, reader_of, text_of
from paperpost.store import digests, papers, subscribers, votes
from paperpost.store.digests import Previous
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
    newest_paper: int
    interests: Mapping[InterestKind, list[str]]
    votes: int


@dataclass(frozen=True, slots=True)
class _Block:
    """All that is known of some subscribers at one moment, in their order."""

    people: Sequence[Subscriber]
    wishes: Mapping[int, Mapping[InterestKind, list[str]]]
    votes: Mapping[int, Mapping[int, Vote]]
    previous: Mapping[int, Previous]
    mailed: Mapping[int, set[int]]
    newest_paper: int
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

    The candidates are those of that digest as if it had not been composed yet (ARCHITECTURE.md,
    Candidates). `limit` replaces each subscriber's own digest size. Changes nothing.
    """
    with installation.database.reading() as session:
        previous = digests.previous(session, [id_of(person) for person in people], on)
    windows: dict[date, list[Subscriber]] = defaultdict(list)
    for person in people:
        windows[_first_day(previous.get(id_of(person)), on)].append(person)
    rankings: dict[int, Ranking] = {}
    # One window at a time: somebody who was away for a year would make everyone's a year long.
    for first_day, group in windows.items():
        rankings |= _rank_window(installation, group, first_day, on, previous, limit)
    return rankings


def _first_day(previous: Previous | None, on: date) -> date:
    """The day of the oldest candidates. Those of the previous digest's own date count if they
    came in after it was composed, which is every day's case where morning comes before the feed.
    """
    if previous is not None:
        return previous.local_date
    return date.fromordinal(max(on.toordinal() - FIRST_LOOK_BACK.days, 1))


def _rank_window(
    installation: Installation,
    people: Sequence[Subscriber],
    first_day: date,
    on: date,
    previous: Mapping[int, Previous],
    limit: int | None,
) -> dict[int, Ranking]:
    with installation.database.reading() as session:
        block = _gather(installation, session, people, first_day, on, previous)
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
    installation: Installation,
    session: Session,
    people: Sequence[Subscriber],
    first_day: date,
    on: date,
    previous: Mapping[int, Previous],
) -> _Block:
    now = installation.clock()
    ids = [id_of(person) for person in people]
    newest_paper = papers.newest_number(session)
    candidates = papers.announced(session, first_day, on)
    cast = votes.counted(session, now, ids)
    voted = sorted({number for own in cast.values() for number in own})
    return _Block(
        people=people,
        wishes=subscribers.interests(session, ids),
        votes=cast,
        previous=previous,
        mailed=digests.mailed(session, ids, first_day, but_not=on),
        newest_paper=newest_paper,
        candidates=candidates,
        library=papers.by_number(session, voted),
        tally=votes.tally(session, [number_of(paper) for paper in candidates], now),
    )


def _allowed(block: _Block) -> NDArray[np.bool_]:
    """Subscribers x candidates: announced since the last digest, and never mailed."""
    import numpy as np

    columns = {number_of(paper): column for column, paper in enumerate(block.candidates)}
    allowed = np.ones((len(block.people), len(columns)), dtype=np.bool_)
    for row, person in enumerate(block.people):
        before = block.previous.get(id_of(person))
        if before is not None:
            allowed[row] = [_is_new_since(before, paper) for paper in block.candidates]
        mailed = block.mailed.get(id_of(person), set())
        allowed[row, [columns[number] for number in mailed if number in columns]] = False
    return allowed


def _is_new_since(before: Previous, paper: Paper) -> bool:
    came_late = paper.announced == before.local_date and number_of(paper) > before.newest_paper
    return paper.announced > before.local_date or came_late


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
    return Ranking(tuple(choices), considered, block.newest_paper, block.wishes[number], own_votes)
