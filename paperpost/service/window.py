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
from paperpost.store import papers
from paperpost.store.digests import Previous
from paperpost.store.papers import number_of
from paperpost.store.tables import Paper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recommender.batch import Batch
    from recommender.model import Model

# Two or three windows are in use at once: of those who got yesterday's digest, of those who got
# Friday's, and of new subscribers.
MOST_KEPT = 3
# The window of somebody who was away for months is theirs alone, and large: 15 kB a paper.
MOST_CANDIDATES = 10_000

# Every paper that matters, by number, and when it last changed.
Stamp = tuple[tuple[int, datetime], ...]


@dataclass
class Window:
    """The papers announced from `first_day` to `on`, and what is worked out of them once.

    It holds for as long as `stamp` does: of all papers that are candidates or may be copies.
    """

    first_day: date
    on: date
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
            self._copies = recent_copies(session, self.candidates, batch.duplicates, self.on)
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

    def new_since(self, before: Previous) -> NDArray[np.bool_]:
        """Whether each candidate was announced after that digest, or came in too late for it."""
        days, numbers = self._days_and_numbers
        day = before.local_date.toordinal()
        is_new: NDArray[np.bool_] = (days > day) | ((days == day) & (numbers > before.newest_paper))
        return is_new

    @cached_property
    def _days_and_numbers(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        import numpy as np

        days = [paper.announced.toordinal() for paper in self.candidates]
        return np.array(days, dtype=np.int64), np.array(list(self.columns), dtype=np.int64)


def window_of(installation: Installation, session: Session, first_day: date, on: date) -> Window:
    """The candidates of these days as they are stored now; read again only if they changed."""
    stamp = tuple(papers.changes(session, min(first_day, look_back(on)), on))
    kept = installation.slot.windows
    for window in kept:
        if (window.first_day, window.on, window.stamp) == (first_day, on, stamp):
            return window
    window = Window(first_day, on, stamp, papers.announced(session, first_day, on))
    if len(window.candidates) <= MOST_CANDIDATES:
        installation.slot.windows = (window, *kept)[:MOST_KEPT]
    return window
