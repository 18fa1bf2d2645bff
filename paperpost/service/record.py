"""How well it did: what a subscriber was mailed, week by week, and what they said of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from paperpost.service import calendar
from paperpost.service.account import member
from paperpost.service.installation import Installation
from paperpost.store import digest_history, vote_lists
from paperpost.store.digest_history import Listed

WEEKS = 26
WEEK = timedelta(days=7)
DAY = timedelta(days=1)
# Of fewer papers a share is an accident.
FEWEST = 5


@dataclass(frozen=True, slots=True)
class Tally:
    """Papers that were mailed, and how many of them have the subscriber's vote now.

    `expected` is how many of them Paperpost thought would be liked: the sum of the probabilities of
    the `foretold` papers, those that were mailed with one; `kept_word` of these are liked.
    """

    mailed: int = 0
    liked: int = 0
    disliked: int = 0
    foretold: int = 0
    expected: float = 0.0
    kept_word: int = 0

    @property
    def rated(self) -> int:
        """How many have a vote."""
        return self.liked + self.disliked

    @property
    def share_of_mailed(self) -> float | None:
        """Liked among mailed, from 0 to 1; None for fewer than FEWEST."""
        return _share(self.liked, self.mailed)

    @property
    def share_of_rated(self) -> float | None:
        """Liked among rated, from 0 to 1; None for fewer than FEWEST."""
        return _share(self.liked, self.rated)

    @property
    def share_expected(self) -> float | None:
        """The mean probability, from 0 to 1; None for fewer than FEWEST."""
        return _share(self.expected, self.foretold)

    @property
    def share_of_foretold(self) -> float | None:
        """Liked among those that were mailed with a probability; None for fewer than FEWEST."""
        return _share(self.kept_word, self.foretold)


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole >= FEWEST else None


@dataclass(frozen=True, slots=True)
class Week:
    """An ISO week, by its Monday."""

    monday: date
    tally: Tally

    @property
    def name(self) -> str:
        """As in "2026-W15" (ISO 8601)."""
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02}"


@dataclass(frozen=True, slots=True)
class Record:
    """The last WEEKS ISO weeks, oldest first, this one included; all of them together; and of
    these the papers from outside the subscriber's usual. It `is_early` while nobody can have read
    much of it: all was mailed today or the day before, and nothing is rated."""

    weeks: tuple[Week, ...]
    total: Tally
    explored: Tally
    is_early: bool


def record(installation: Installation, number: int) -> Record:
    """How well it did for a subscriber: by the digests that went out, and their votes as they hold
    now. Changes nothing. Raises BadLink if they are gone."""
    now = installation.clock()
    with installation.database.reading() as session:
        person = member(session, number)
        today = calendar.local_date(person.timezone, now)
        first = _monday(today) - (WEEKS - 1) * WEEK
        mailed = digest_history.sent(session, number, first)
        values = vote_lists.values(session, number, now)
        values |= vote_lists.values_of_old(session, number, now)
    return recorded(mailed, values, today)


def recorded(mailed: Iterable[Listed], values: Mapping[int, int], today: date) -> Record:
    """The record of digests and of votes (paper number -> 1 or -1; those that papers once had
    included), up to a day."""
    last = _monday(today)
    by_week: dict[date, list[dict[str, Any]]] = {
        last - weeks * WEEK: [] for weeks in reversed(range(WEEKS))
    }
    is_early = True
    for digest in mailed:
        is_early = is_early and today - digest.local_date <= DAY
        monday = _monday(digest.local_date)
        if monday in by_week:
            by_week[monday] += digest.items
    items = [item for week in by_week.values() for item in week]
    total = _tally(items, values)
    return Record(
        weeks=tuple(Week(monday, _tally(week, values)) for monday, week in by_week.items()),
        total=total,
        is_early=is_early and not total.rated,
        explored=_tally([item for item in items if item.get("explored")], values),
    )


def _tally(items: Iterable[Mapping[str, Any]], values: Mapping[int, int]) -> Tally:
    said = [(values.get(item["paper"], 0), item.get("probability")) for item in items]
    foretold = [(value, chance) for value, chance in said if chance is not None]
    return Tally(
        mailed=len(said),
        liked=sum(value > 0 for value, _ in said),
        disliked=sum(value < 0 for value, _ in said),
        foretold=len(foretold),
        expected=sum(chance for _, chance in foretold),
        kept_word=sum(value > 0 for value, _ in foretold),
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
