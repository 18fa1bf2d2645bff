"""Works that a subscriber has had under another id: no candidates any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.service.train import text_of
from paperpost.store import digests, papers
from paperpost.store.papers import Heading, number_of
from paperpost.store.tables import Paper

if TYPE_CHECKING:
    from paperpost.service.seen import Places
    from recommender.duplicates import Comparison, Group
    from recommender.model import Model

# Papers that are older are no copies of a candidate if not voted on: what was mailed longer ago may
# come again when it is posted again.
LOOK_BACK = timedelta(days=60)
# A paper is mailed in the first digest after its day: of a week's at the latest, or as late as a
# missed day is asked for again (fetch.py). Who was away for longer may get the copy as well: to
# rule that out, everybody's digests of two months would be read.
MAILED_WITHIN = timedelta(days=21)

# The copies of each candidate that has any, by its position: their numbers, and when they were
# announced.
Copies = Mapping[int, Mapping[int, date]]


def already_had(
    session: Session,
    voted: Mapping[int, Collection[int]],
    recent: Copies,
    older: Copies,
    on: date,
) -> dict[int, set[int]]:
    """The positions of candidates that are copies of what a subscriber was mailed in the last
    two months, or voted on, by subscriber number.

    `voted` names the subscribers and the numbers of the papers they voted on. Copies that are
    `recent` may have been mailed in these months; on `older` ones somebody voted.
    """
    copies = merged((recent, older))
    if not copies:
        return {}
    announced = {number: day for own in recent.values() for number, day in own.items()}
    mailed = digests.mailed_of(session, list(voted), announced, MAILED_WITHIN, but_not=on)
    positions: dict[int, set[int]] = {}
    for position, own in copies.items():
        for number in own:
            positions.setdefault(number, set()).add(position)
    return {
        subscriber: {
            position
            for number in positions.keys() & {*own, *mailed.get(subscriber, ())}
            for position in positions[number]
        }
        for subscriber, own in voted.items()
    }


@dataclass
class Counterparts:
    """The copies of some candidates among other papers, each of which is looked at once."""

    candidates: Sequence[Paper]
    _looked_at: frozenset[int] = frozenset()
    _found: Copies = field(default_factory=dict)
    _suspects: tuple[str, frozenset[int]] | None = None
    # Of two at once one would forget what the other found.
    _looking: Lock = field(default_factory=Lock)

    def among_candidates(self, groups: Collection[Group]) -> Copies:
        """Those among one another, which are `groups`."""
        return {
            position: {
                number_of(self.candidates[copy]): self.candidates[copy].announced
                for copy in group
                if copy != position
            }
            for group in groups
            for position in group
        }

    def among(self, session: Session, places: Places, numbers: Collection[int]) -> Copies:
        """Those among papers of these numbers."""
        with self._looking:
            new = frozenset(numbers) - self._looked_at - self._numbers
            if new:
                self._look_at(session, places, new)
        of_these = {
            position: {number: day for number, day in own.items() if number in numbers}
            for position, own in self._found.items()
        }
        return {position: own for position, own in of_these.items() if own}

    def _look_at(self, session: Session, places: Places, new: frozenset[int]) -> None:
        """Of papers that the model knows only those are read that may be copies by what it knows
        of their headings."""
        suspects = self._suspects_of(places.model)
        suspected = [
            number
            for number, place in places.of(session, new).items()
            if place < 0 or place in suspects
        ]
        parts = papers.headings(session, sorted(suspected))
        self._found = merged([self._found, *(self._compared(session, part) for part in parts)])
        self._looked_at |= new

    def _suspects_of(self, model: Model) -> frozenset[int]:
        """The places of papers in a model that may be copies."""
        if self._suspects is None or self._suspects[0] != model.key:
            found = self._comparison.suspects(model.headings).tolist()
            self._suspects = model.key, frozenset(found)
        return self._suspects[1]

    @cached_property
    def _comparison(self) -> Comparison:
        from recommender.duplicates import Comparison

        return Comparison([text_of(paper) for paper in self.candidates])

    @cached_property
    def _numbers(self) -> frozenset[int]:
        return frozenset(number_of(paper) for paper in self.candidates)

    def _compared(self, session: Session, older: Sequence[Heading]) -> Copies:
        from recommender.text import Paper as Text

        def abstracts_of(places: Sequence[int]) -> list[str]:
            known = papers.abstracts(session, [older[place].number for place in places])
            return [known.get(older[place].number, "") for place in places]

        texts = [Text(one.id, one.title, authors=tuple(one.authors)) for one in older]
        return {
            position: {older[place].number: older[place].announced for place in places}
            for position, places in self._comparison.copies(texts, abstracts_of).items()
        }


def merged(copies: Iterable[Copies]) -> Copies:
    """All of these together."""
    together: dict[int, dict[int, date]] = {}
    for found in copies:
        for position, own in found.items():
            together.setdefault(position, {}).update(own)
    return together
