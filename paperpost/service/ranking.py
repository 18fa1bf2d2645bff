"""Which papers each of a block of subscribers would get for a date, and why.

Used by `rank` and by composing alike: there is one ranking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.service.copies import already_had, copies_among
from paperpost.service.installation import Installation
from paperpost.service.train import current_model, reader_of, text_of
from paperpost.service.trending import counts, trends
from paperpost.service.window import Window, window_of
from paperpost.store import digests, library, papers, subscribers, votes
from paperpost.store.digests import Previous
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind, Paper, Subscriber, Vote
from recommender.trending import Trend

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.batch import Batch
    from recommender.rank import Ranked

# How far back a first digest looks, and `rank` for someone who never had one.
FIRST_LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Choice:
    """One paper for one subscriber: its score in the blend, how probably they like it (0 to 1),
    and the reasons, as sentences.

    `trending`: it is there because it trends, as nothing is known of the subscriber. `explored`:
    it is there because it is outside their usual. `revised`: not the paper is new to them, but
    its version. `also` are other candidates that are the same work.
    """

    paper: Paper
    score: float
    probability: float
    reasons: tuple[str, ...]
    trending: bool = False
    explored: bool = False
    revised: bool = False
    also: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best papers for one subscriber, best first, out of how many candidates. `below`: how
    many more there would be without their threshold."""

    choices: tuple[Choice, ...]
    considered: int
    newest_paper: int
    interests: Mapping[InterestKind, list[str]]
    votes: int
    below: int = 0


@dataclass(frozen=True, slots=True)
class _Block:
    """All that is known of some subscribers at one moment, in their order."""

    people: Sequence[Subscriber]
    wishes: Mapping[int, Mapping[InterestKind, list[str]]]
    votes: Mapping[int, Mapping[int, Vote]]
    previous: Mapping[int, Previous]
    mailed: Mapping[int, set[int]]
    newest_paper: int
    window: Window
    collected: Mapping[int, set[int]]
    library: Mapping[int, Paper]
    trends: Mapping[int, Trend]


def rank_block(
    installation: Installation,
    people: Sequence[Subscriber],
    on: date,
    *,
    limit: int | None = None,
) -> dict[int, Ranking]:
    """Rank the candidates of the digest dated `on` for each subscriber, by number.

    The candidates are those of that digest as if it had not been composed yet (ARCHITECTURE.md,
    Candidates). `limit` replaces each subscriber's own digest size and threshold. Changes nothing.
    """
    with installation.database.reading() as session:
        previous = digests.previous(session, [id_of(person) for person in people], on)
    windows: dict[tuple[date, bool], list[Subscriber]] = defaultdict(list)
    for person in people:
        windows[_first_day(previous.get(id_of(person)), on), person.revisions].append(person)
    rankings: dict[int, Ranking] = {}
    # One window at a time: somebody who was away for a year would make everyone's a year long.
    for (first_day, _), group in windows.items():
        rankings |= _rank_window(installation, group, first_day, on, previous, limit)
    return rankings


def _first_day(previous: Previous | None, on: date) -> date:
    """The day of the oldest candidates. Those of the previous digest's own date count if they
    came in after it was composed, which is every day's case where morning comes before the feed;
    and so do those of earlier days whose papers were known to be missing then.
    """
    if previous is not None:
        return previous.first_day
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
    model = current_model(installation) if block.window.candidates else None
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
    known = model.batch([text_of(paper) for paper in block.library.values()])
    batch = block.window.batch(model)
    with installation.database.reading() as session:
        allowed = _allowed(block, _had(session, block, batch, on))
    ranked = rank(
        model.profiles(readers, known),
        batch,
        limit=limit or max(person.size for person in people),
        allowed=allowed,
        popularity=_popularity(block),
        explore=_lengths(people, limit),
        calibration=model.calibration,
    )
    return {
        id_of(person): _ranking(
            block,
            person,
            own[: limit or person.size],
            int(row.sum()),
            threshold=person.threshold if limit is None else None,
        )
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
    # Those of one block want them all, or none does.
    revisions = people[0].revisions
    window = window_of(installation, session, first_day, on, revisions=revisions)
    cast = votes.counted(session, now, ids)
    collected = library.collected(session, ids)
    known = {number for own in (*cast.values(), *collected.values()) for number in own}
    return _Block(
        people=people,
        wishes=subscribers.interests(session, ids),
        votes=cast,
        previous=previous,
        mailed=digests.mailed(session, ids, window.oldest_digest(session), but_not=on),
        newest_paper=newest_paper,
        window=window,
        collected=collected,
        library=papers.by_number(session, sorted(known)),
        trends=trends(session, first_day, on, now, elsewhere=installation.settings.upvotes),
    )


def _had(session: Session, block: _Block, batch: Batch, on: date) -> dict[int, list[int]]:
    """The positions of candidates that a subscriber has had under another id, by number."""
    if not block.previous and not block.library:
        return {}
    window = block.window
    voted = {
        number: block.votes.get(number, {}).keys() | block.collected.get(number, set())
        for number in map(id_of, block.people)
    }
    older = [paper for number, paper in block.library.items() if not window.knows(number)]
    copies = [window.copies(session, batch), copies_among(window.candidates, older)]
    return already_had(session, voted, copies, on)


def _allowed(block: _Block, had: Mapping[int, list[int]]) -> NDArray[np.bool_]:
    """Subscribers x candidates: announced since the last digest, or revised since where that is
    wanted; never mailed, also not under another id (`had`), and not of the subscriber's own
    library."""
    import numpy as np

    window = block.window
    allowed = np.ones((len(block.people), len(window.candidates)), dtype=np.bool_)
    for row, person in enumerate(block.people):
        before = block.previous.get(id_of(person))
        allowed[row] = window.is_news(before)
        if person.revisions:
            allowed[row] |= _wanted_revisions(block, person, before)
        known = block.mailed.get(id_of(person), set()) | block.collected.get(id_of(person), set())
        allowed[row, [window.columns[number] for number in known & window.columns.keys()]] = False
        allowed[row, had.get(id_of(person), [])] = False
    return allowed


def _wanted_revisions(
    block: _Block, person: Subscriber, before: Previous | None
) -> NDArray[np.bool_]:
    """Which candidates have a new version that the subscriber has not voted down before."""
    revised = block.window.is_revised(before)
    columns = block.window.columns
    for number, vote in block.votes.get(id_of(person), {}).items():
        if vote.value < 0 and number in columns:
            revised[columns[number]] = False
    return revised


def _popularity(block: _Block) -> NDArray[np.float32]:
    import numpy as np

    found = [block.trends.get(number_of(paper)) for paper in block.window.candidates]
    return np.array([one.score if one else 0.0 for one in found], dtype=np.float32)


def _lengths(people: Sequence[Subscriber], limit: int | None) -> NDArray[np.int32]:
    """How long each list is that ends with a paper outside the usual; 0 for who wants none."""
    import numpy as np

    wanted = [(limit or person.size) if person.explore else 0 for person in people]
    return np.array(wanted, dtype=np.int32)


def _ranking(
    block: _Block,
    person: Subscriber,
    ranked: Sequence[Ranked],
    considered: int,
    threshold: float | None = None,
) -> Ranking:
    number = id_of(person)
    own_votes = len(block.votes.get(number, {}))
    known = own_votes > 0 or any(
        values for kind, values in block.wishes[number].items() if kind != InterestKind.MUTED
    )
    choices = [_choice(block, found, known) for found in ranked]
    if person.revisions:
        is_news = block.window.is_news(block.previous.get(number))
        choices = [
            replace(choice, revised=not is_news[found.index])
            for choice, found in zip(choices, ranked, strict=True)
        ]
    if not known:
        choices.sort(key=lambda choice: not choice.trending)  # which scores, rounded, may not tell
    # Without interests and votes no probability is anybody's: what trends is mailed as it is.
    passing = _passing(choices, threshold or 0) if known else choices
    return Ranking(
        tuple(passing),
        considered,
        block.newest_paper,
        block.wishes[number],
        own_votes,
        below=len(choices) - len(passing),
    )


def _passing(choices: Sequence[Choice], threshold: float) -> list[Choice]:
    """Those that reach the threshold; with them, but not alone, what is explored."""
    reaching = [choice.probability >= threshold for choice in choices]
    if not any(reaching):
        return []
    return [one for one, is_in in zip(choices, reaching, strict=True) if is_in or one.explored]


def _choice(block: _Block, found: Ranked, known: bool) -> Choice:
    paper = block.window.candidates[found.index]
    trend = block.trends.get(number_of(paper))
    told = counts(trend, paper.discussed) if trend else ()
    # Rounded before it is compared, so that what is shown and what is mailed agree.
    probability = round(float(found.probability), 4)
    also = tuple(block.window.candidates[copy] for copy in found.also)
    if known:
        reasons = _sentences(found, told)
        return Choice(paper, found.score, probability, reasons, explored=found.explored, also=also)
    reason = " and ".join(told) or "one of the newest papers"
    return Choice(paper, found.score, probability, (reason,), trending=bool(told), also=also)


def _sentences(found: Ranked, told: tuple[str, ...]) -> tuple[str, ...]:
    from recommender.explain import sentence

    return tuple(
        sentence(replace(reason, names=told) if reason.kind == "popular" else reason)
        for reason in found.reasons
    )
