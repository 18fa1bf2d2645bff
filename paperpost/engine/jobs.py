"""What is done for a block of subscribers.

A run has one moment, at which the clock stands still for all its blocks, so that it makes no
difference who does which of them, and when.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from paperpost.engine.engine import Block
from paperpost.service.compose import compose_block, compose_due_block, turns_by_hand
from paperpost.service.installation import Installation
from paperpost.service.ranking import rank_block
from paperpost.store import subscribers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Subscriber, SubscriberState


@dataclass(frozen=True, slots=True)
class ComposeDate:
    """The digests dated `on` (each subscriber's today if None), whatever the hour."""

    on: date | None
    now: datetime

    def __call__(self, installation: Installation, block: Block) -> Counter[str]:
        return compose_block(installation.at(self.now), _active(installation, block), self.on)


@dataclass(frozen=True, slots=True)
class ComposeDue:
    """The digests that are due by the clock."""

    now: datetime

    def __call__(self, installation: Installation, block: Block) -> Counter[str]:
        return compose_due_block(installation.at(self.now), _active(installation, block))


@dataclass(frozen=True, slots=True)
class RankDate:
    """The rankings of the digests that `ComposeDate` would compose, which are not stored: how many
    subscribers were "ranked", and how many "papers" they would get."""

    on: date
    now: datetime

    def __call__(self, installation: Installation, block: Block) -> Counter[str]:
        turns, _ = turns_by_hand(_active(installation, block), self.on, self.now)
        people = [turn.person for turn in turns]
        rankings = rank_block(installation.at(self.now), people, self.on)
        chosen = sum(len(ranking.choices) for ranking in rankings.values())
        return Counter(ranked=len(rankings), papers=chosen)


def _active(installation: Installation, block: Block) -> list[Subscriber]:
    """Those of a block who are still to be mailed, by number."""
    with installation.database.reading() as session:
        people = subscribers.by_id(session, block).values()
    active = (person for person in people if person.state == SubscriberState.ACTIVE)
    return sorted(active, key=id_of)
