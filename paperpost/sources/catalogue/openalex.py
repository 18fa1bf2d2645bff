"""OpenAlex: `openalex:primary_topic.id:T10181` is what was published on a topic, in any journal.

https://developers.openalex.org. Its data is CC0. It wants a key, which is free and good for a
dollar a day: a request with a filter costs $0.0001, one with a search $0.001 (November 2026).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import NamedTuple

from paperpost.settings import Settings
from paperpost.sources.api_answers import ask, explanation, json_object
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import FeedError, MissingKey, UnknownSource
from paperpost.sources.found import FoundPaper, identity
from paperpost.sources.openalex_works import FIELDS, read_work
from paperpost.sources.source import (
    Batch,
    DayReport,
    DayState,
    Source,
    Spec,
    Wanted,
    day_by_day,
    in_words,
)

USAGE = {"openalex": "openalex:FILTER[?search=WORDS]"}
API = "https://api.openalex.org/works"

LATE = 4  # days after its publication a work may still come in
PAGE = 100
MOST_PAGES = 100
# Not data sets, errata, front matter and the like, unless the filter asks for them.
TYPES = "type:article|preprint|review"

_ASKS_FOR_TYPES = re.compile(r"(?:^|,)type:")
_FILTER = re.compile(r"[a-z_.]+:[^,]+(?:,[a-z_.]+:[^,]+)*")


def source(spec: Spec, settings: Settings) -> Source:
    """The works that a filter lets through, or a search finds. Raises UnknownSource, MissingKey."""
    search = spec.options.get("search", "").strip()
    if set(spec.options) - {"search"}:
        reason = "search is the only option"
    elif not spec.rest and not search:
        reason = "it has neither a filter nor a search"
    elif spec.rest and not _FILTER.fullmatch(spec.rest):
        reason = f"{spec.rest!r} is no filter like primary_topic.id:T10181"
    else:
        if not settings.openalex_key:
            raise MissingKey("OpenAlex", "PAPERPOST_OPENALEX_KEY")
        return OpenAlex(spec.text, spec.rest, search, settings.openalex_key)
    raise UnknownSource(spec.text, reason, tuple(USAGE.values()))


class Page(NamedTuple):
    """Works of a day that no page before had, and how many OpenAlex counts of it in all."""

    works: list[object]
    counted: int


@dataclass(frozen=True, slots=True)
class OpenAlex:
    """The works of each day of publication."""

    name: str
    filter: str
    search: str
    key: str = field(repr=False)
    grows: bool = True

    def today(self, now: datetime) -> date:
        """Days are UTC's."""
        return now.astimezone(UTC).date()

    def closed(self, day: date) -> str | None:
        """New Year's Day, which is also what works get of which only the year is known."""
        if (day.month, day.day) == (1, 1):
            return "OpenAlex dates works to 1 January if it knows their year alone"
        return None

    def batches(self, client: PoliteClient, wanted: Wanted) -> Iterator[Batch]:
        """Each day page by page; those that may not be whole yet once a day."""
        days = wanted.and_late(LATE)
        return day_by_day(days, lambda day: self._day(client, day, wanted.today))

    def _day(self, client: PoliteClient, day: date, today: date) -> Iterator[Batch]:
        if (reason := self.closed(day)) is not None:
            yield Batch(days=(DayReport(day, DayState.HOLIDAY, reason),))
            return
        ids: list[str] = []
        number, page = 0, Page([], 0)
        for page in self._pages(client, day):
            records = [read_work(number + n, one, today) for n, one in enumerate(page.works, 1)]
            yield Batch(records)
            ids += [identity(one) for one in records if isinstance(one, FoundPaper)]
            number += len(page.works)
        yield Batch(days=(_report(day, today, number, page.counted, ids),))

    def _pages(self, client: PoliteClient, day: date) -> Iterator[Page]:
        """Until all that are counted have come, or a page brings none that is new."""
        cursor, seen = "*", set[str]()
        for _ in range(MOST_PAGES):
            answer = json_object(ask(client, API, self._parameters(day, cursor)))
            works, meta = answer.get("results"), answer.get("meta")
            if not isinstance(works, list) or not isinstance(meta, dict):
                raise FeedError(explanation(answer) or "there are no results in the answer")
            count, following = meta.get("count"), meta.get("next_cursor")
            fresh = {name: one for one in works if (name := _name(one)) not in seen}
            seen |= fresh.keys()
            yield Page(list(fresh.values()), count if isinstance(count, int) else 0)
            if not fresh or (isinstance(count, int) and len(seen) >= count):
                return
            if not isinstance(following, str) or following in ("", cursor):
                return
            cursor = following

    def _parameters(self, day: date, cursor: str) -> dict[str, str]:
        days = f"from_publication_date:{day},to_publication_date:{day}"
        types = "" if _ASKS_FOR_TYPES.search(self.filter) else TYPES
        searched = {"search": self.search} if self.search else {}
        return {
            "filter": ",".join(filter(None, (days, self.filter, types))),
            **searched,
            "select": FIELDS,
            "per_page": str(PAGE),
            "cursor": cursor,
            "api_key": self.key,
        }


def _name(work: object) -> str:
    """What tells a work from the others of an answer."""
    return str((isinstance(work, dict) and work.get("id")) or work)


def _report(day: date, today: date, number: int, counted: int, ids: Sequence[str]) -> DayReport:
    told = tuple(ids) if day == today else None
    works = f"{number:,} {'work' if number == 1 else 'works'} of {in_words(day)}"
    if number < counted:
        evidence = f"OpenAlex gave {works} and counts {counted:,}"
        return DayReport(day, DayState.PARTIAL, evidence, number, told)
    if (today - day).days < LATE:
        evidence = f"OpenAlex has {works} so far; some come in {LATE} days late"
        return DayReport(day, DayState.PARTIAL, evidence, number, told)
    evidence = f"OpenAlex had {works}, {(today - day).days} days later"
    return DayReport(day, DayState.COMPLETE, evidence, number, told)
