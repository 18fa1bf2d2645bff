"""All that is known of some subscribers before their papers are ranked, and which candidates each
of them may get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.service.copies import already_had
from paperpost.service.installation import Installation
from paperpost.service.trending import board, counts
from paperpost.service.window import Window, window_of
from paperpost.store import digests, library, named_interests, papers, subscribers, votes
from paperpost.store.digests import Previous
from paperpost.store.named_interests import Named
from paperpost.store.subscribers import id_of
from paperpost.store.tables import InterestKind, Subscriber, SubscriberState
from paperpost.store.votes import NO_OPINIONS, Opinions
from recommender.trending import Trend

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from paperpost.service.seen import Places
    from recommender.batch import Batch

# Of somebody with more votes these newest ones are the profile.
MOST_VOTES = 1_000


@dataclass(frozen=True)
class Block:
    """All that is known of some subscribers at one moment, in their order."""

    people: Sequence[Subscriber]
    wishes: Mapping[int, Mapping[InterestKind, list[str]]]
    opinions: Mapping[int, Opinions]
    previous: Mapping[int, Previous]
    mailed: Mapping[int, set[int]]
    newest_paper: int
    window: Window
    trends: Mapping[int, Trend]
    named: Mapping[int, Sequence[Named]] = field(default_factory=dict)

    @cached_property
    def counted(self) -> Mapping[int, tuple[str, ...]]:
        """What was counted of the candidates that trend, in words, by their place."""
        return {
            place: counts(self.trends[number], self.window.candidates[place].discussed)
            for number, place in self.window.columns.items()
            if number in self.trends
        }

    def opinions_of(self, number: int) -> Opinions:
        """What a subscriber said of papers; `elsewhere` are those that they collected, or rated on
        the page that asks about some (rate.py)."""
        return self.opinions.get(number, NO_OPINIONS)

    def votes_of(self, number: int) -> Mapping[int, int]:
        """The votes that are a subscriber's profile, by paper: 1 or -1, in the order in which they
        were cast."""
        values = self.opinions_of(number).values
        return dict(list(values.items())[-MOST_VOTES:]) if len(values) > MOST_VOTES else values


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
    now, upvotes = installation.clock(), installation.settings.upvotes
    ids = [id_of(person) for person in people]
    newest_paper = papers.newest_number(session)
    revisions = any(person.revisions for person in people)
    window = window_of(installation, session, first_day, on, revisions=revisions, for_page=for_page)
    return Block(
        people=people,
        wishes=subscribers.interests(session, ids),
        opinions=votes.opinions(session, now, (library.ORIGIN, votes.RATING), ids),
        previous=previous,
        mailed=_mailed(session, people, window, on),
        newest_paper=newest_paper,
        window=window,
        trends=board(installation, first_day, on).trends
        if for_page
        else window.board(session, now, elsewhere=upvotes).trends,
        named=named_interests.of_subscribers(session, ids),
    )


def _mailed(
    session: Session, people: Sequence[Subscriber], window: Window, on: date
) -> dict[int, set[int]]:
    """The papers that these have had. Who wants revisions may have had the older ones long ago: of
    the others so many digests need not be read."""
    mailed: dict[int, set[int]] = {}
    for revisions in (False, True):
        ids = [id_of(person) for person in people if person.revisions == revisions]
        if ids:
            oldest = window.oldest_digest(session, revisions=revisions)
            mailed |= digests.mailed(session, ids, oldest, but_not=on)
    return mailed


def newcomers_block(
    installation: Installation,
    window: Window,
    wishes: Mapping[InterestKind, Sequence[str]],
    size: int,
) -> Block:
    """Somebody with these interests who has just subscribed, for a digest of `size`; nobody is
    stored."""
    now = installation.clock()
    newcomer = Subscriber(id=0, email="", state=SubscriberState.PENDING, joined_at=now, size=size)
    with installation.database.reading() as session:
        elsewhere = installation.settings.upvotes
        found = window.board(session, now, elsewhere=elsewhere, for_page=True)
    return Block(
        people=[newcomer],
        wishes={0: {kind: list(values) for kind, values in wishes.items()}},
        opinions={},
        previous={},
        mailed={},
        newest_paper=0,
        window=window,
        trends=found.trends,
    )


def _had(
    session: Session, places: Places, block: Block, batch: Batch, on: date
) -> dict[int, set[int]]:
    """The positions of candidates that a subscriber has had under another id, by number."""
    if not block.previous and not block.opinions:
        return {}
    window = block.window
    opinions = {number: block.opinions_of(number) for number in map(id_of, block.people)}
    voted = {number: own.values.keys() | own.elsewhere for number, own in opinions.items()}
    everything = set().union(*voted.values())
    if voted.keys().isdisjoint(block.previous):  # to whom nothing was mailed
        copies = window.copies_of(session, places, batch, everything)
        return already_had(session, voted, {}, copies, on)
    recent = window.copies(session, places, batch)
    return already_had(session, voted, recent, window.older_copies(session, places, everything), on)


def allowed_to(
    session: Session, places: Places, block: Block, batch: Batch, on: date
) -> NDArray[np.bool_]:
    """Subscribers x candidates: announced since the last digest, or revised since where that is
    wanted; never mailed, also not under another id, not of the subscriber's own library, and not
    among those they were asked about."""
    import numpy as np

    window, had = block.window, _had(session, places, block, batch, on)
    allowed = np.ones((len(block.people), len(window.candidates)), dtype=np.bool_)
    # Most had the same digest before, but for whom.
    news = {before: window.is_news(before) for before in {None, *block.previous.values()}}
    for row, person in enumerate(block.people):
        number = id_of(person)
        before = block.previous.get(number)
        allowed[row] = news[before]
        if person.revisions:
            allowed[row] |= _wanted_revisions(block, person, before)
        known = block.mailed.get(number, set()) | block.opinions_of(number).elsewhere
        gone = {window.columns[one] for one in window.columns.keys() & known}
        allowed[row, list(gone | had.get(number, set()))] = False
    return allowed


def _wanted_revisions(
    block: Block, person: Subscriber, before: Previous | None
) -> NDArray[np.bool_]:
    """Which candidates have a new version that the subscriber has not voted down before."""
    revised = block.window.is_revised(before)
    columns = block.window.columns
    for number, value in block.opinions_of(id_of(person)).values.items():
        if value < 0 and number in columns:
            revised[columns[number]] = False
    return revised


def popularity(block: Block) -> NDArray[np.float32]:
    import numpy as np

    scores = np.zeros(len(block.window.candidates), dtype=np.float32)
    for number, column in block.window.columns.items():
        if number in block.trends:
            scores[column] = block.trends[number].score
    return scores
