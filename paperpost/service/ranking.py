"""Which papers each of a block of subscribers would get for a date, and why.

Used by `rank` and by composing alike: there is one ranking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from paperpost.service.block import Block, allowed_to, gather, newcomers_block, popularity
from paperpost.service.choices import Ranking, ranking_of
from paperpost.service.installation import Installation
from paperpost.service.look_back import FIRST_LOOK_BACK, MOST_CANDIDATES, days_before
from paperpost.service.seen import batch_of, places_in, voted_on
from paperpost.service.shares import divided
from paperpost.service.train import current_model, interests_of
from paperpost.service.window import Window, window_of
from paperpost.store import digests, papers
from paperpost.store.digests import Previous
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind, Subscriber

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.batch import Batch
    from recommender.divided import Divided, Shared
    from recommender.model import Model
    from recommender.profile import Reader
    from recommender.rank import Ranked


def rank_block(
    installation: Installation,
    people: Sequence[Subscriber],
    on: date,
    *,
    limit: int | None = None,
    for_page: bool = False,
) -> dict[int, Ranking]:
    """Rank the candidates of the digest dated `on` for each subscriber, by number.

    The candidates are those of that digest as if it had not been composed yet (ARCHITECTURE.md,
    Candidates). `limit` replaces each subscriber's own digest size and threshold. Somebody waits
    `for_page`, so papers and others' votes may be as they were a minute ago. Changes nothing.
    """
    previous, windows = _windows(installation, people, on)
    rankings: dict[int, Ranking] = {}
    # One window at a time: somebody who was away for a year would make everyone's a year long.
    for first_day, group in windows.items():
        with installation.database.reading() as session:
            block = gather(installation, session, group, first_day, on, previous, for_page=for_page)
        rankings |= _rank_window(installation, block, on, limit)
    return rankings


def get_ready(installation: Installation, model: Model, person: Subscriber, on: date) -> bool:
    """Work out what is the same for all whose candidates are those of this subscriber; whether it
    is kept for the others."""
    _, windows = _windows(installation, [person], on)
    with installation.database.reading() as session:
        for first_day in windows:
            window = window_of(
                installation, session, first_day, on, revisions=person.revisions, for_page=True
            )
            if len(window.candidates) > MOST_CANDIDATES:
                return False
            places = places_in(installation, session, model)
            batch = window.batch(session, places)
            batch.get_ready()
            window.copies(session, places, batch)
    return True


def _windows(
    installation: Installation, people: Sequence[Subscriber], on: date
) -> tuple[Mapping[int, Previous], Mapping[date, list[Subscriber]]]:
    """Everybody's previous digest, and whose candidates have the same first day. Who wants no
    revisions may not get any (`allowed_to`): to look at some readers apart would take longer than
    to look at all those papers for all."""
    with installation.database.reading() as session:
        previous = digests.previous(session, [id_of(person) for person in people], on)
    windows: dict[date, list[Subscriber]] = defaultdict(list)
    for person in people:
        windows[_first_day(previous.get(id_of(person)), on)].append(person)
    return previous, windows


def _first_day(previous: Previous | None, on: date) -> date:
    """The day of the oldest candidates. Those of the previous digest's own date count if they
    came in after it was composed, which is every day's case where morning comes before the feed;
    and so do those of earlier days whose papers were known to be missing then.
    """
    if previous is not None:
        return previous.first_day
    return days_before(on, FIRST_LOOK_BACK)


def _rank_window(
    installation: Installation, block: Block, on: date, limit: int | None
) -> dict[int, Ranking]:
    model = current_model(installation) if block.window.candidates else None
    if model is None:
        return {id_of(person): ranking_of(block, person, (), 0) for person in block.people}
    return _rank_gathered(installation, block, model, on, limit)


def rank_newcomer(
    installation: Installation,
    model: Model,
    window: Window,
    wishes: Mapping[InterestKind, Sequence[str]],
    limit: int,
) -> Ranking:
    """What somebody who just subscribed with these interests would get of a window's papers, in a
    digest of `limit`. Nobody is stored for it."""
    block = newcomers_block(installation, window, wishes, limit)
    return _rank_gathered(installation, block, model, window.on, None)[0]


def _rank_gathered(
    installation: Installation, block: Block, model: Model, on: date, limit: int | None
) -> dict[int, Ranking]:
    from recommender.rank import rank

    people = block.people
    with installation.database.reading() as session:
        voted = {number for person in people for number in block.votes_of(id_of(person))}
        known = voted_on(installation, session, model, voted)
        places = places_in(installation, session, model)
        batch = block.window.batch(session, places)
        allowed = allowed_to(session, places, block, batch, on)
    readers = _readers(block, known.names)
    popular = popularity(block)
    ranked = rank(
        model.profiles(readers, known.batch),
        batch,
        limit=limit or max(person.size for person in people),
        allowed=allowed,
        popularity=popular,
        explore=_lengths(people, limit),
        calibration=model.calibration,
    )
    lists = [own[: limit or person.size] for person, own in zip(people, ranked, strict=True)]
    shared = _shared(installation, block, model, batch, readers, lists, allowed, popular, limit)
    considered = allowed.sum(axis=1).tolist()
    return {
        id_of(person): ranking_of(
            block,
            person,
            shared[row].papers if row in shared else lists[row],
            considered[row],
            threshold=None if limit or row in shared else person.threshold,
            below=shared[row].below if row in shared else 0,
        )
        for row, person in enumerate(people)
    }


def _readers(block: Block, names: Mapping[int, str]) -> list[Reader]:
    """Subscribers as the recommender reads them: interests and votes, nothing else."""
    from recommender.profile import Reader, Vote

    readers = []
    for number in map(id_of, block.people):
        cast = block.votes_of(number).items()
        votes = tuple([Vote(names[paper], value) for paper, value in cast if paper in names])
        readers.append(Reader(number, interests_of(block.wishes[number]), votes))
    return readers


def _shared(
    installation: Installation,
    block: Block,
    model: Model,
    batch: Batch,
    readers: Sequence[Reader],
    lists: Sequence[Sequence[Ranked]],
    allowed: NDArray[np.bool_],
    popular: NDArray[np.float32],
    limit: int | None,
) -> dict[int, Shared]:
    """The lists of those who keep several interests apart, by their place in the block; their
    thresholds are applied."""
    from recommender.divided import rank_by_shares

    sharers: dict[int, Divided] = {}
    for row, person in enumerate(block.people):
        wishes, named = block.wishes[id_of(person)], block.named.get(id_of(person), ())
        found = divided(person, readers[row], wishes, named, lists[row], limit)
        if found:
            sharers[row] = found
    if not sharers:
        return {}
    numbers = [id_of(block.people[row]) for row in sharers]
    known = _texts_of(installation, model, {one for own in numbers for one in block.votes_of(own)})
    shared = rank_by_shares(
        model,
        list(sharers.values()),
        known,
        batch,
        allowed=allowed[list(sharers)],
        popularity=popular,
        calibration=model.calibration,
    )
    return dict(zip(sharers, shared, strict=True))


def _texts_of(installation: Installation, model: Model, numbers: Collection[int]) -> Batch:
    """Papers with their authors and categories, which a named interest may be made of."""
    with installation.database.reading() as session:
        found = papers.by_number(session, sorted(numbers))
    return batch_of(installation, model, [found[number] for number in sorted(found)])


def _lengths(people: Sequence[Subscriber], limit: int | None) -> NDArray[np.int32]:
    """How long each list is that ends with a paper outside the usual; 0 for who wants none."""
    import numpy as np

    wanted = [(limit or person.size) if person.explore else 0 for person in people]
    return np.array(wanted, dtype=np.int32)
