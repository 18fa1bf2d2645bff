"""The candidates of some days: the same for many subscribers, so they are kept between blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.service.copies import Copies, look_back, recent_copies
from paperpost.service.installation import Installation
from paperpost.service.train import text_of
from paperpost.store import fragments, papers
from paperpost.store.digests import Previous
from paperpost.store.papers import number_of
from paperpost.store.tables import Paper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.batch import Batch
    from recommender.model import Model

# Some windows are in use at once: of those who got yesterday's digest, of those who got Friday's,
# and of new subscribers; and of those among the first two who want revisions.
MOST_KEPT = 5
# The window of somebody who was away for months is theirs alone, and large: 15 kB a paper.
MOST_CANDIDATES = 10_000

# Every paper that matters, by number, and when it last changed.
Stamp = tuple[tuple[int, datetime], ...]


@dataclass
class Window:
    """The papers announced from `first_day` to `on`, and what is worked out of them once.

    With `revisions` also older ones of which a new version was announced in these days. It holds
    for as long as `stamp` does: of all papers that are candidates or may be copies.
    """

    first_day: date
    on: date
    revisions: bool
    stamp: Stamp
    candidates: list[Paper]
    _batch: Batch | None = None
    _copies: Copies | None = None

    def batch(self, model: Model) -> Batch:
        """The candidates as this model sees them."""
        batch = self._batch
        if batch is None or batch.space != model.key:
            batch = model.batch([text_of(paper) for paper in self.candidates])
            self._batch = batch
        return batch

    def copies(self, session: Session, batch: Batch) -> Copies:
        """The copies of each candidate among one another and among earlier papers."""
        if self._copies is None:
            self._copies = recent_copies(
                session, self.candidates, batch.duplicates, self.first_day, self.on
            )
        return self._copies

    @cached_property
    def columns(self) -> Mapping[int, int]:
        """Where each candidate stands, by number."""
        return {number_of(paper): column for column, paper in enumerate(self.candidates)}

    def knows(self, number: int) -> bool:
        """Whether `copies` has been looked for among that paper and others of its days."""
        return number in self._known

    @cached_property
    def _known(self) -> frozenset[int]:
        return frozenset(number for number, _ in self.stamp)

    def oldest_digest(self, session: Session) -> date:
        """The date of the oldest digest that may hold a candidate: of a time before these days if
        the paper was there then, as older ones were of which a version is new, and ones that were
        parted from others since."""
        since = {
            number_of(paper): min(paper.announced, paper.added_at.date())
            for paper in self.candidates
        }
        older = [number for number, day in since.items() if day < self.first_day]
        shown = fragments.shown(session, older)
        return min((since[number] for number in shown), default=self.first_day)

    def is_news(self, before: Previous | None) -> NDArray[np.bool_]:
        """Whether each candidate is new, rather than a new version of an older one, to somebody
        whose last digest this was."""
        if before is not None:
            return self.new_since(before)
        is_new: NDArray[np.bool_] = self._days_and_numbers[0] >= self.first_day.toordinal()
        return is_new

    def is_revised(self, before: Previous | None) -> NDArray[np.bool_]:
        """Whether each candidate has a version that is new to somebody whose last digest this
        was: announced after it, or only known since."""
        import numpy as np

        return np.array(
            [self._is_revised(paper, before) for paper in self.candidates], dtype=np.bool_
        )

    def _is_revised(self, paper: Paper, before: Previous | None) -> bool:
        day = paper.revised
        if day is None or not max(paper.announced, self.first_day) <= day <= self.on:
            return False
        if before is None or day > before.local_date:
            return True
        known_late = before.composed_at is not None and paper.changed_at > before.composed_at
        return day >= before.first_day and known_late

    def new_since(self, before: Previous) -> NDArray[np.bool_]:
        """Whether each candidate was announced after that digest, or came in too late for it."""
        days, numbers = self._days_and_numbers
        day, owed = before.local_date.toordinal(), before.first_day.toordinal()
        came_since = (days >= owed) & (numbers > before.newest_paper)
        is_new: NDArray[np.bool_] = (days > day) | came_since
        return is_new

    @cached_property
    def _days_and_numbers(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        import numpy as np

        days = [paper.announced.toordinal() for paper in self.candidates]
        return np.array(days, dtype=np.int64), np.array(list(self.columns), dtype=np.int64)


def window_of(
    installation: Installation,
    session: Session,
    first_day: date,
    on: date,
    *,
    revisions: bool = False,
) -> Window:
    """The candidates of these days as they are stored now; read again only if they changed."""
    changes = papers.changes(session, min(first_day, look_back(on)), on)
    if revisions:
        changes += papers.changes_of_revised(session, first_day, on)
    stamp = tuple(changes)
    kept = installation.slot.windows
    for window in kept:
        known = window.first_day, window.on, window.revisions, window.stamp
        if known == (first_day, on, revisions, stamp):
            return window
    candidates = papers.announced(session, first_day, on)
    if revisions:
        candidates += papers.revised(session, first_day, on)
    window = Window(first_day, on, revisions, stamp, candidates)
    if len(window.candidates) <= MOST_CANDIDATES:
        installation.slot.windows = (window, *kept)[:MOST_KEPT]
    return window
