"""All that is known of some subscribers before their papers are ranked, and which candidates each
of them may get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.service.copies import already_had, copies_among
from paperpost.service.installation import Installation
from paperpost.service.trending import board, trends
from paperpost.service.window import Window, window_of
from paperpost.store import digests, library, named_interests, papers, subscribers, votes
from paperpost.store.digests import Previous
from paperpost.store.named_interests import Named
from paperpost.store.papers import number_of
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind, Paper, Subscriber, SubscriberState, Vote
from recommender.trending import Trend

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.batch import Batch

# Of somebody with more votes these newest ones are the profile.
MOST_VOTES = 1_000


@dataclass(frozen=True, slots=True)
class Block:
    """All that is known of some subscribers at one moment, in their order."""

    people: Sequence[Subscriber]
    wishes: Mapping[int, Mapping[InterestKind, list[str]]]
    votes: Mapping[int, Mapping[int, Vote]]
    previous: Mapping[int, Previous]
    mailed: Mapping[int, set[int]]
    newest_paper: int
    window: Window
    collected: Mapping[int, set[int]]
    rated: Mapping[int, set[int]]
    library: Mapping[int, Paper]
    trends: Mapping[int, Trend]
    named: Mapping[int, Sequence[Named]] = field(default_factory=dict)

    def seen_elsewhere(self, number: int) -> set[int]:
        """The papers that a subscriber collected, or rated on the page that asks about some
        (rate.py), whatever they said of them since."""
        return self.collected.get(number, set()) | self.rated.get(number, set())


def gather(
    installation: Installation,
    session: Session,
    people: Sequence[Subscriber],
    first_day: date,
    on: date,
    previous: Mapping[int, Previous],
    *,
    for_page: bool = False,
) -> Block:
    """What is known of these subscribers, for their digests dated `on`. What others did and what
    papers there are is for a page as it was up to a minute ago."""
    now = installation.clock()
    ids = [id_of(person) for person in people]
    newest_paper = papers.newest_number(session)
    # Those of one block want them all, or none does.
    revisions = people[0].revisions
    window = window_of(installation, session, first_day, on, revisions=revisions, for_page=for_page)
    cast = {
        number: dict(list(own.items())[-MOST_VOTES:])
        for number, own in votes.counted(session, now, ids).items()
    }
    collected = library.collected(session, ids)
    rated = votes.papers_of(session, votes.RATING, ids)
    known = {
        number for own in (*cast.values(), *collected.values(), *rated.values()) for number in own
    }
    return Block(
        people=people,
        wishes=subscribers.interests(session, ids),
        votes=cast,
        previous=previous,
        mailed=digests.mailed(session, ids, window.oldest_digest(session), but_not=on),
        newest_paper=newest_paper,
        window=window,
        collected=collected,
        rated=rated,
        library=papers.by_number(session, sorted(known)),
        trends=board(installation, first_day, on).trends
        if for_page
        else trends(session, first_day, on, now, elsewhere=installation.settings.upvotes),
        named=named_interests.of_subscribers(session, ids),
    )


def newcomers_block(
    installation: Installation,
    window: Window,
    wishes: Mapping[InterestKind, Sequence[str]],
    size: int,
) -> Block:
    """Somebody with these interests who has just subscribed, for a digest of `size`; nobody is
    stored."""
    now, upvotes = installation.clock(), installation.settings.upvotes
    newcomer = Subscriber(id=0, email="", state=SubscriberState.PENDING, joined_at=now, size=size)
    with installation.database.reading() as session:
        trending = trends(session, window.first_day, window.on, now, elsewhere=upvotes)
    return Block(
        people=[newcomer],
        wishes={0: {kind: list(values) for kind, values in wishes.items()}},
        votes={},
        previous={},
        mailed={},
        newest_paper=0,
        window=window,
        collected={},
        rated={},
        library={},
        trends=trending,
    )


def _had(session: Session, block: Block, batch: Batch, on: date) -> dict[int, list[int]]:
    """The positions of candidates that a subscriber has had under another id, by number."""
    if not block.previous and not block.library:
        return {}
    window = block.window
    voted = {
        number: block.votes.get(number, {}).keys() | block.seen_elsewhere(number)
        for number in map(id_of, block.people)
    }
    older = [paper for number, paper in block.library.items() if not window.knows(number)]
    copies = [window.copies(session, batch), copies_among(window.candidates, older)]
    return already_had(session, voted, copies, on)


def allowed_to(session: Session, block: Block, batch: Batch, on: date) -> NDArray[np.bool_]:
    """Subscribers x candidates: announced since the last digest, or revised since where that is
    wanted; never mailed, also not under another id, not of the subscriber's own library, and not
    among those they were asked about."""
    import numpy as np

    window, had = block.window, _had(session, block, batch, on)
    allowed = np.ones((len(block.people), len(window.candidates)), dtype=np.bool_)
    for row, person in enumerate(block.people):
        before = block.previous.get(id_of(person))
        allowed[row] = window.is_news(before)
        if person.revisions:
            allowed[row] |= _wanted_revisions(block, person, before)
        known = block.mailed.get(id_of(person), set()) | block.seen_elsewhere(id_of(person))
        allowed[row, [window.columns[number] for number in known & window.columns.keys()]] = False
        allowed[row, had.get(id_of(person), [])] = False
    return allowed


def _wanted_revisions(
    block: Block, person: Subscriber, before: Previous | None
) -> NDArray[np.bool_]:
    """Which candidates have a new version that the subscriber has not voted down before."""
    revised = block.window.is_revised(before)
    columns = block.window.columns
    for number, vote in block.votes.get(id_of(person), {}).items():
        if vote.value < 0 and number in columns:
            revised[columns[number]] = False
    return revised


def popularity(block: Block) -> NDArray[np.float32]:
    import numpy as np

    found = [block.trends.get(number_of(paper)) for paper in block.window.candidates]
    return np.array([one.score if one else 0.0 for one in found], dtype=np.float32)
