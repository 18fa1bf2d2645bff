"""The candidates of some days: the same for many subscribers, so they are kept between blocks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from sqlmodel import Session

from paperpost.service.copies import LOOK_BACK, Copies, Counterparts, merged
from paperpost.service.installation import FRESH_FOR, Installation
from paperpost.service.look_back import MOST_CANDIDATES, days_before
from paperpost.service.train import text_of
from paperpost.service.trending import Board, weigh
from paperpost.store import fragments, papers
from paperpost.store.digests import Previous
from paperpost.store.papers import Mark, number_of
from paperpost.store.tables import Paper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from paperpost.service.seen import Places
    from recommender.batch import Batch

# Some windows are in use at once: of those who got yesterday's digest, of those who got Friday's,
# and the week of new and weekly readers; each of them also with revisions, for blocks of which
# somebody wants them.
MOST_KEPT = 6

# Of older papers new versions are not mailed: whether they were mailed themselves is looked up in
# all the digests since.
REVISED_WITHIN = timedelta(days=180)
# What stood under a day of a digest, or shortly before, and gets a later one, was passed over.
PASSED_OVER = timedelta(days=7)

# Every paper that matters, by number, and when it last changed.
Stamp = tuple[tuple[int, datetime], ...]


@dataclass
class Window:
    """The papers announced from `first_day` to `on`, and what is worked out of them once.

    With `revisions` also older ones of which a new version was announced in these days. It holds
    for as long as `stamp` does: of all papers that are candidates or may be copies; while `mark`
    is that of all papers, it does.
    """

    first_day: date
    on: date
    revisions: bool
    stamp: Stamp
    candidates: list[Paper]
    mark: Mark | None = None
    _batch: Batch | None = None
    _copies: Copies | None = None
    _board: Board | None = None

    @property
    def days(self) -> tuple[date, date, bool]:
        """Which papers it has."""
        return self.first_day, self.on, self.revisions

    def board(
        self, session: Session, now: datetime, *, elsewhere: bool, for_page: bool = False
    ) -> Board:
        """What trends of these days by `now`. Where many votes are cast it is weighed once for all
        blocks of a run, which have one moment, and for a page it is as it was up to a minute ago.
        Upvotes count only if those from `elsewhere` are to."""
        kept, oldest = self._board, FRESH_FOR if for_page else timedelta(0)
        if kept is None or kept.is_cheap or abs(now - kept.seen_at) > oldest:
            kept = weigh(session, self.first_day, self.on, now, elsewhere=elsewhere)
            self._board = kept
        return kept

    def batch(self, session: Session, places: Places) -> Batch:
        """The candidates as the model of these places sees them."""
        model, batch = places.model, self._batch
        if batch is None or batch.space != model.key:
            learnt = places.in_order(session, self.numbers)
            batch = model.batch(list(map(text_of, self.candidates)), learnt)
            self._batch = batch
        return batch

    def copies(self, session: Session, places: Places, batch: Batch) -> Copies:
        """The copies of each candidate among one another and among the papers of two months: much
        more than was mailed, but it is found without reading everybody's digests."""
        if self._copies is None:
            self._copies = self.copies_of(session, places, batch, self._known)
        return self._copies

    def copies_of(
        self, session: Session, places: Places, batch: Batch, numbers: Collection[int]
    ) -> Copies:
        """The copies of candidates among one another and among these papers: for somebody to whom
        nothing was mailed, what they voted on."""
        among_candidates = self._counterparts.among_candidates(batch.duplicates)
        return merged((among_candidates, self._counterparts.among(session, places, numbers)))

    def older_copies(self, session: Session, places: Places, voted: Collection[int]) -> Copies:
        """The copies of candidates among what was voted on, as far as that is older."""
        return self._counterparts.among(session, places, frozenset(voted) - self._known)

    @cached_property
    def _counterparts(self) -> Counterparts:
        return Counterparts(self.candidates)

    @cached_property
    def columns(self) -> Mapping[int, int]:
        """Where each candidate stands, by number."""
        return {number: column for column, number in enumerate(self.numbers)}

    @cached_property
    def numbers(self) -> Sequence[int]:
        """The candidates' numbers, in their order."""
        return [number_of(paper) for paper in self.candidates]

    @cached_property
    def _known(self) -> frozenset[int]:
        return frozenset(number for number, _ in self.stamp)

    def oldest_digest(self, session: Session, *, revisions: bool = False) -> date:
        """The date of the oldest digest that may hold a candidate of somebody who wants `revisions`
        or not: before these days if anybody was shown a paper that is older itself, or stood under
        an older day."""
        older = [one for one in self._older if revisions or one in self._announced]
        shown = fragments.shown(session, older)
        return min((self._older[number] for number in shown), default=self.first_day)

    @cached_property
    def _older(self) -> Mapping[int, date]:
        """The candidates that first stood under a day before these, and that day, by number."""
        stood_from = {number_of(one): _stood_from(one) for one in self.candidates}
        return {number: day for number, day in stood_from.items() if day < self.first_day}

    @cached_property
    def _announced(self) -> frozenset[int]:
        """The candidates that are no mere revisions, by number."""
        new = (one for one in self.candidates if one.announced >= self.first_day)
        return frozenset(map(number_of, new))

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
        days, told = self._revised_and_told
        is_revised: NDArray[np.bool_] = days > 0
        if before is not None:
            day, owed = before.local_date.toordinal(), before.first_day.toordinal()
            known_late = told > before.composed_at.timestamp()
            is_revised &= (days > day) | ((days >= owed) & known_late)
        return is_revised

    def new_since(self, before: Previous) -> NDArray[np.bool_]:
        """Whether each candidate was announced after that digest, or came in too late for it. What
        stood under an earlier day when that digest was composed was passed over then."""
        days, numbers = self._days_and_numbers
        day, owed = before.local_date.toordinal(), before.first_day.toordinal()
        came_since = (days >= owed) & (numbers > before.newest_paper)
        stood = (self._days_stood <= day) & (self._days_stood > day - PASSED_OVER.days)
        is_new: NDArray[np.bool_] = ((days > day) & ~stood) | came_since
        return is_new

    @cached_property
    def _days_and_numbers(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        import numpy as np

        days = [paper.announced.toordinal() for paper in self.candidates]
        return np.array(days, dtype=np.int64), np.array(list(self.columns), dtype=np.int64)

    @cached_property
    def _days_stood(self) -> NDArray[np.int64]:
        import numpy as np

        return np.array([_stood_from(one).toordinal() for one in self.candidates], dtype=np.int64)

    @cached_property
    def _revised_and_told(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The days of new versions, 0 where there is none in these days; when they were told."""
        import numpy as np

        days = [
            paper.revised.toordinal()
            if paper.revised and self.first_day <= paper.revised <= self.on
            else 0
            for paper in self.candidates
        ]
        told = [one.revised_at.timestamp() if one.revised_at else 0.0 for one in self.candidates]
        return np.array(days, dtype=np.int64), np.array(told, dtype=np.float64)


def _stood_from(paper: Paper) -> date:
    """The first day that a paper ever stood under."""
    return paper.stood_from or paper.announced


def window_of(
    installation: Installation,
    session: Session,
    first_day: date,
    on: date,
    *,
    revisions: bool = False,
    for_page: bool = False,
) -> Window:
    """The candidates of these days as they are stored now; read again only if they changed. Those
    `for_page` are as they were up to a minute ago."""
    wanted = first_day, on, revisions
    mark = papers.mark(session)
    for window in installation.slot.windows:
        if window.days == wanted and window.mark == mark:
            return window
    if for_page:

        def look() -> Stamp:
            with installation.database.reading() as own_session:
                return _stamp(own_session, *wanted)

        stamp = installation.slot.stamps.get(wanted, installation.clock(), look)
    else:
        stamp = _stamp(session, *wanted)
    known = _kept(installation, *wanted, stamp)
    if known is None:
        candidates = papers.announced(session, first_day, on)
        if revisions:
            candidates += papers.revised(session, _oldest_revised(on), first_day, on)
        known = _keep(installation, Window(*wanted, stamp, candidates))
    if not for_page:  # whose stamp may be that of a minute ago
        known.mark = mark
    return known


def _stamp(session: Session, first_day: date, on: date, revisions: bool) -> Stamp:
    changes = papers.changes(session, min(first_day, days_before(on, LOOK_BACK)), on)
    if revisions:
        changes += papers.changes_of_revised(session, _oldest_revised(on), first_day, on)
    return tuple(changes)


def _oldest_revised(on: date) -> date:
    return days_before(on, REVISED_WITHIN)


def window_of_day(installation: Installation, session: Session, day: date) -> Window:
    """The papers of one day, for somebody who was never mailed any: it does not change with the
    papers of two months, among which are no copies for them."""
    return window_of_days(installation, session, day, day)


def window_of_days(
    installation: Installation, session: Session, first_day: date, on: date
) -> Window:
    """The same for the papers of some days."""
    stamp = tuple(papers.changes(session, first_day, on))
    known = _kept(installation, first_day, on, False, stamp)
    if known is not None:
        return known
    candidates = papers.announced(session, first_day, on)
    return _keep(installation, Window(first_day, on, False, stamp, candidates))


def _kept(
    installation: Installation, first_day: date, on: date, revisions: bool, stamp: Stamp
) -> Window | None:
    wanted = first_day, on, revisions, stamp
    for window in installation.slot.windows:
        if (window.first_day, window.on, window.revisions, window.stamp) == wanted:
            return window
    return None


def _keep(installation: Installation, window: Window) -> Window:
    slot = installation.slot
    if len(window.candidates) <= MOST_CANDIDATES:
        slot.windows = (window, *slot.windows)[:MOST_KEPT]
    return window
