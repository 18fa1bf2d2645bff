"""bioRxiv and medRxiv: `biorxiv:neuroscience+cell_biology` is two categories, `medrxiv` is all.

https://api.biorxiv.org tells what was posted on a day: new preprints, and new versions of old ones.
`total` is not to be relied on; after the last page comes an empty one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from paperpost.settings import Settings
from paperpost.sources.api_answers import json_object
from paperpost.sources.cleaning import plain_text
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import FeedError, UnknownSource
from paperpost.sources.found import FoundPaper, InvalidRecord, Rejected, checked
from paperpost.sources.people import name_in_order
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

USAGE = {
    "biorxiv": "biorxiv[:CATEGORY[+CATEGORY...]]",
    "medrxiv": "medrxiv[:CATEGORY[+CATEGORY...]]",
}
API = "https://api.biorxiv.org/details"

_TITLES = {"biorxiv": "bioRxiv", "medrxiv": "medRxiv"}
_MOST_PAGES = 60  # of 30 rows or more; a day has a few hundred
_LATE = 2  # days: so long papers may still be added to one
_CATEGORY = re.compile(r"[a-z][a-z ,()/&-]*")
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_VERSION = re.compile(r"[1-9][0-9]{0,3}")
_ERROR_LIMIT = 200

Row = Mapping[str, object]


def source(spec: Spec, settings: Settings) -> Source:
    """The categories that are named, or all. Raises UnknownSource."""
    categories = tuple(_category(name) for name in spec.rest.split("+")) if spec.rest else ()
    wrong = [name for name in categories if not _CATEGORY.fullmatch(name)]
    if wrong or spec.options:
        reason = f"{wrong[0]!r} is not a category" if wrong else "it has no options"
        raise UnknownSource(spec.text, reason, (USAGE[spec.name],))
    return PreprintServer(spec.text, spec.name, categories)


@dataclass(frozen=True, slots=True)
class PreprintServer:
    """What is posted on one of the two servers in some categories; in all if none is named."""

    name: str
    server: str
    categories: Sequence[str]
    grows: bool = True

    def today(self, now: datetime) -> date:
        """The date in UTC."""
        return now.astimezone(UTC).date()

    def closed(self, day: date) -> str | None:
        """Never: a little is posted on weekends, too."""
        return None

    def batches(self, client: PoliteClient, wanted: Wanted) -> Iterator[Batch]:
        """The days one by one; those that ended last, to which papers may be added, once a day."""
        days = wanted.and_late(_LATE)
        return day_by_day(days, lambda day: self._day(client, day, wanted))

    def _day(self, client: PoliteClient, day: date, wanted: Wanted) -> Iterator[Batch]:
        """A batch for each page, then the report.

        As long as a day goes on only what follows the rows seen before is asked for. Should new
        ones not come last, they are found when the day is over and is read from its beginning.
        """
        before = _read_before(day, wanted)
        seen = dict.fromkeys(before.ids or ())
        tally = Counter(new=before.papers)
        for first, rows in _pages(client, f"{API}/{self.server}/{day}/{day}", len(seen)):
            fresh = {number: row for number, row in enumerate(rows, first) if _key(row) not in seen}
            tally.update(["pages"] if fresh else ["pages that came again"])
            if not fresh:
                break
            seen |= dict.fromkeys(map(_key, fresh.values()))
            found = [self._read(n, row, wanted.today) for n, row in fresh.items() if self._has(row)]
            tally.update(_sorts(found, day), posted=sum(_is_new(row) for row in fresh.values()))
            yield Batch(found)
        yield Batch(days=(self._report(day, tally, tuple(seen), wanted.today),))

    def _has(self, row: Row) -> bool:
        return not self.categories or _category(str(row.get("category"))) in self.categories

    def _read(self, number: int, row: Row, today: date) -> FoundPaper | Rejected:
        try:
            return checked(_record(row), source=self.server, today=today)
        except InvalidRecord as invalid:
            return Rejected(number, str(invalid))

    def _report(
        self, day: date, tally: Counter[str], seen: tuple[str, ...], today: date
    ) -> DayReport:
        title, when, new = _TITLES[self.server], in_words(day), tally["new"]
        if tally["rejected"] and not new + tally["replacement"]:
            evidence = f"nothing that {title} posted on {when} can be read"
            return DayReport(day, DayState.BROKEN, evidence)
        if tally["other day"] and not new + tally["replacement"]:
            evidence = f"asked for {when}, {title} gave the papers of other days"
            return DayReport(day, DayState.STALE, evidence)
        where = f" in {' or '.join(self.categories)}" if self.categories else ""
        if day >= today:
            evidence = f"{title} posted {_papers(new)}{where} on {when} so far"
            return DayReport(day, DayState.PARTIAL, evidence, new, seen)
        evidence = f"{title} posted {_papers(tally['posted'])} on {when}"
        if where and tally["posted"]:
            evidence += f", {new or 'none'} of them{where}"
        state, rest = _state_of_past(tally, (today - day).days)
        return DayReport(day, state, evidence + rest, new)


def _state_of_past(tally: Counter[str], days_ago: int) -> tuple[DayState, str]:
    """How a day stands that is over, and why, to follow the number of its papers."""
    if tally["pages that came again"]:
        return DayState.PARTIAL, ", and then gave the same ones again"
    if tally["pages"] == _MOST_PAGES:
        return DayState.PARTIAL, f", and has more than the {_MOST_PAGES} pages that are read"
    if days_ago < _LATE:
        return DayState.PARTIAL, f"; some are added up to {_LATE} days late"
    return DayState.COMPLETE, f", {days_ago} days later"


def _read_before(day: date, wanted: Wanted) -> DayReport:
    """What was seen of today so far; of days that are over, nothing that counts."""
    before = wanted.before
    if before and before.day == day == wanted.today and before.state is DayState.PARTIAL:
        return before
    return DayReport(day, DayState.PARTIAL, "")


def _papers(number: int) -> str:
    return "1 new paper" if number == 1 else f"{number or 'no'} new papers"


def _sorts(found: Iterable[FoundPaper | Rejected], day: date) -> Iterator[str]:
    """What each record is to the day that was asked for."""
    for one in found:
        if isinstance(one, Rejected):
            yield "rejected"
        elif one.announced != day:
            yield "other day"
        else:
            yield "new" if one.kind == "new" else "replacement"


def _pages(client: PoliteClient, url: str, cursor: int) -> Iterator[tuple[int, list[Row]]]:
    """The pages from a cursor on, so many at most, each with the number of its first row (from
    1)."""
    for _ in range(_MOST_PAGES):
        rows = _page(client, f"{url}/{cursor}/json")
        if not rows:
            return
        yield cursor + 1, rows
        cursor += len(rows)


def _page(client: PoliteClient, url: str) -> list[Row]:
    told = json_object(client.get(url).body or b"")
    messages, rows = told.get("messages"), told.get("collection")
    if not isinstance(rows, list):
        message = messages[0] if isinstance(messages, list) and messages else {}
        status = message.get("status") if isinstance(message, dict) else None
        raise FeedError(plain_text(str(status), _ERROR_LIMIT))
    return [row if isinstance(row, dict) else {} for row in rows]


def _key(row: Row) -> str:
    return f"{row.get('doi')}v{row.get('version')}"[:200]


def _record(row: Row) -> dict[str, object]:
    """A row as found.checked wants it. `published` is the journal's DOI, or "NA"."""
    day, is_new, category = _padded(row.get("date")), _is_new(row), row.get("category")
    return {
        "id": f"doi:{row.get('doi')}",
        "title": row.get("title"),
        "abstract": row.get("abstract"),
        "announced": day,
        "authors": _authors(row.get("authors")),
        "categories": [_category(category)] if isinstance(category, str) else None,
        "version": _version(row),
        "kind": "new" if is_new else "replace",
        "revised": None if is_new else day,
        "also": [f"doi:{row.get('published')}"],
    }


def _category(name: str) -> str:
    """`Cell_Biology` as in the API's papers: cell biology."""
    return " ".join(name.replace("_", " ").lower().split())


def _padded(day: object) -> object:
    """2026-06-30, where it is written 2026-6-30."""
    found = _DATE.fullmatch(day) if isinstance(day, str) else None
    return f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}" if found else day


def _authors(line: object) -> object:
    """`Doe, J.; Roe, R.;` as J. Doe and R. Roe."""
    return [name_in_order(name) for name in line.split(";")] if isinstance(line, str) else line


def _version(row: Row) -> int | None:
    text = str(row.get("version"))
    return int(text) if _VERSION.fullmatch(text) else None


def _is_new(row: Row) -> bool:
    """Whether it is news: neither a later version nor the notice that it was withdrawn."""
    kind, title = str(row.get("type")).lower(), str(row.get("title")).lstrip()
    withdrawn = "withdraw" in kind or title.startswith("WITHDRAWN")
    return _version(row) in (None, 1) and not withdrawn
