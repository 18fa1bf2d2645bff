"""arXiv as its servers know it: works with their versions, and the day up to which they tell.

Real papers come from PAPERPOST_DATA; what a test needs beside them (replacements, deletions, later
cross-lists) it says itself.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
SATURDAY = 5
LICENSE = "http://arxiv.org/licenses/nonexclusive-distrib/1.0/"
KINDS = ("new", "cross", "replace", "replace-cross")
MOST_IN_FEED = 2000
MOST_VERSIONS_IN_FEED = 5
OWN_GROUPS = ("cs", "econ", "eess", "math", "q-bio", "q-fin", "stat")


@dataclass(frozen=True)
class Work:
    """A paper; `announced` are the days on which the feed had each of its versions, `crossed` the
    categories that it got later, and when."""

    id: str
    title: str
    announced: tuple[date, ...]
    abstract: str = "We show how it is done."
    authors: tuple[str, ...] = ("Ada Lovelace", "Alan Turing")
    categories: tuple[str, ...] = ("cs.AI",)
    comment: str | None = None
    doi: str | None = None
    journal_ref: str | None = None
    crossed: tuple[tuple[date, str], ...] = ()
    deleted: date | None = None
    license: str = LICENSE

    def version(self, day: date) -> int:
        """How many versions were announced by then."""
        return sum(announced <= day for announced in self.announced)

    def datestamp(self, day: date) -> date:
        """When it was last changed, as known on `day`: metadata is updated at about 22:30 Eastern
        on the evening before the feed has it, which is that day already in UTC."""
        changes = [*self.announced, *(when for when, _ in self.crossed)]
        changes += [self.deleted] if self.deleted else []
        return max(change for change in changes if change <= day)

    def is_deleted(self, day: date) -> bool:
        """Whether it is gone by then."""
        return self.deleted is not None and self.deleted <= day

    def submitted(self, version: int) -> datetime:
        """10 in the morning Eastern on the working day before it was announced."""
        day = self.announced[version - 1] - DAY
        while day.weekday() >= SATURDAY:
            day -= DAY
        return datetime.combine(day, time(10), EASTERN).astimezone(UTC)


@dataclass(frozen=True)
class Listing:
    """A work in the batch of a day."""

    work: Work
    version: int
    kind: str
    day: date


class Archive:
    """All works, as they are on `today`."""

    def __init__(self, works: Iterable[Work] = (), *, today: date) -> None:
        self.works = {work.id: work for work in works}
        self.today = today

    def add(self, *works: Work) -> None:
        """More works."""
        self.works |= {work.id: work for work in works}

    def replace(self, identifier: str, day: date, **changes: str) -> None:
        """A new version on `day`; titles and the like are always the current ones."""
        work = self.works[identifier]
        versions = (*work.announced, day)
        self.works[identifier] = replace(work, announced=versions, **changes)  # type: ignore[arg-type]

    def delete(self, identifier: str, day: date) -> None:
        """It is gone from that day on."""
        self.works[identifier] = replace(self.works[identifier], deleted=day)

    def cross_list(self, identifier: str, day: date, category: str) -> None:
        """One more category, from that day on."""
        work = self.works[identifier]
        crossed = (*work.crossed, (day, category))
        self.works[identifier] = replace(
            work, categories=(*work.categories, category), crossed=crossed
        )

    def known(self) -> Iterator[Work]:
        """What there is today, deleted works among them."""
        return (work for work in self.works.values() if work.announced[0] <= self.today)

    def batch(self, day: date, category: str) -> list[Listing]:
        """What is announced on a day in a category or archive."""
        found = (_listing(work, day, category) for work in self.works.values())
        return [listing for listing in found if listing is not None]


def _listing(work: Work, day: date, category: str) -> Listing | None:
    crossed = [name for when, name in work.crossed if when == day]
    if work.is_deleted(day) or not any(is_in(name, category) for name in work.categories):
        return None
    version, home = work.version(day), is_in(work.categories[0], category)
    if day not in work.announced:
        later = any(is_in(name, category) for name in crossed)
        return Listing(work, version, "cross", day) if later and version else None
    if version == 1:
        return Listing(work, version, "new" if home else "cross", day)
    if version > MOST_VERSIONS_IN_FEED:
        return None
    return Listing(work, version, "replace" if home else "replace-cross", day)


def is_in(category: str, wanted: str) -> bool:
    """`cs.AI` is in cs.AI and in cs, whatever the case."""
    category, wanted = category.lower(), wanted.lower()
    return category == wanted or category.startswith(f"{wanted}.")


def real_works(data: Path, *days: date) -> list[Work]:
    """The papers of those days, out of the folder of real papers."""
    return [work for day in days for work in _of_day(data / "arxiv" / f"{day}.jsonl.gz", day)]


def _of_day(path: Path, day: date) -> Iterator[Work]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            said = json.loads(line)
            yield Work(
                said["id"],
                said["title"],
                (day,),
                said["abstract"],
                tuple(said["authors"]),
                tuple(said["categories"]),
                said.get("comment"),
            )
