"""PubMed: `pubmed:deep+learning[tiab]+AND+mri` is a search, asked again for each day of entry.

https://www.ncbi.nlm.nih.gov/books/NBK25499/. The data is NLM's, who want to be acknowledged and
may have newer data than we; abstracts may be under copyright.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple
from urllib.parse import unquote_plus
from zoneinfo import ZoneInfo

from paperpost.settings import Settings
from paperpost.sources.api_answers import ask, explanation, json_object
from paperpost.sources.cleaning import plain_text
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import FeedError, UnknownSource
from paperpost.sources.pubmed_articles import read_articles
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

USAGE = {"pubmed": "pubmed:SEARCH"}
API = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"

LATE = 2  # days after its entry an article may still come to light
GIVEN_UP = 4  # days after its entry an article that was found and never given is waited for no more
PAGE = 200
MOST = 9_999  # so many articles of a search PubMed gives out

_WORDS_LIMIT = 80
_MOST_UNKNOWN = 5
# Where a search's answer tells of what it did not know.
_NOT_FOUND = (
    ("errorlist", "phrasesnotfound"),
    ("errorlist", "fieldsnotfound"),
    ("warninglist", "quotedphrasesnotfound"),
)
# NLM's days.
_EASTERN = ZoneInfo("America/New_York")


def source(spec: Spec, settings: Settings) -> Source:
    """The articles that a search finds. Raises UnknownSource."""
    search = " ".join(unquote_plus(spec.text.partition(":")[2]).split())
    if not search:
        raise UnknownSource(spec.text, "it has no words to search for", tuple(USAGE.values()))
    return PubMed(spec.text, search, settings.operator, settings.pubmed_key)


class Search(NamedTuple):
    """What a search found: the ids of its articles, how many there are in all, what it did not
    know, and under which name NCBI keeps it."""

    ids: list[str]
    counted: int
    unknown: list[str]
    kept: dict[str, str]


@dataclass(slots=True)
class Told:
    """The ids of the articles that came, or had come before, and the days of which nothing is
    missing."""

    ids: list[str] = field(default_factory=list)
    whole: set[date] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class PubMed:
    """The articles of each day of entry. The ids of a report are those that came of all days that
    were asked for with it: pages that have no others are not fetched again."""

    name: str
    search: str
    contact: str | None
    key: str | None = field(repr=False)
    grows: bool = True

    def today(self, now: datetime) -> date:
        """Days are US Eastern."""
        return now.astimezone(_EASTERN).date()

    def closed(self, day: date) -> str | None:
        """PubMed takes articles in on every day."""
        return None

    def batches(self, client: PoliteClient, wanted: Wanted) -> Iterator[Batch]:
        """Each day's search, and the pages of what it found that have new articles; days that may
        not be whole yet once a day."""
        days = wanted.and_late(LATE)
        told, reports = Told(), dict[date, DayReport]()
        for batch in day_by_day(days, lambda day: self._day(client, day, wanted, told)):
            reports |= {report.day: report for report in batch.days}
            yield batch
        yield Batch(days=(_with_ids(reports, wanted, told),))

    def _day(self, client: PoliteClient, day: date, wanted: Wanted, told: Told) -> Iterator[Batch]:
        """A batch for each page that has new articles, then the report."""
        known = set(wanted.before.ids or ()) if wanted.before else set[str]()
        found = self._search(client, day)
        came: set[str] = set()
        for start in range(0, len(found.ids), PAGE):
            page = found.ids[start : start + PAGE]
            if known.issuperset(page):
                came |= set(page)
                continue
            body = self._fetch(client, found, start)
            articles = list(read_articles(body, entered=day, today=wanted.today))
            yield Batch([one.record for one in articles])
            came |= {one.pmid for one in articles}
        missing = set(found.ids) - came
        told.ids += [one for one in found.ids if one in came]
        if not missing or _is_given_up(day, wanted.today):
            told.whole.add(day)
        yield Batch(days=(_report(day, wanted.today, found, len(missing)),))

    def _search(self, client: PoliteClient, day: date) -> Search:
        written = f"{day:%Y/%m/%d}"
        parameters = {
            "term": self.search,
            "datetype": "edat",
            "mindate": written,
            "maxdate": written,
            "usehistory": "y",
            "retmode": "json",
            "retmax": str(MOST),
        }
        answer = json_object(self._ask(client, "esearch.fcgi", parameters))
        result = answer.get("esearchresult")
        if not isinstance(result, dict) or "ERROR" in result or "count" not in result:
            told = result if isinstance(result, dict) else answer
            raise FeedError(explanation(told) or "there is no result in the answer")
        return _search_of(result)

    def _fetch(self, client: PoliteClient, found: Search, start: int) -> bytes:
        page = {"retstart": str(start), "retmax": str(PAGE)}
        form = {"rettype": "abstract", "retmode": "xml"}
        return self._ask(client, "efetch.fcgi", found.kept | page | form)

    def _ask(self, client: PoliteClient, what: str, parameters: Mapping[str, str]) -> bytes:
        ours = {"db": "pubmed", **parameters, "tool": "paperpost"}
        if self.contact:
            ours["email"] = self.contact
        if self.key:
            ours["api_key"] = self.key
        return ask(client, f"{API}/{what}", ours)


def _search_of(result: Mapping[str, object]) -> Search:
    ids = [text for text in _texts(result, "idlist") if text.isdecimal()][:MOST]
    count = str(result["count"])
    counted = int(count) if count.isdecimal() and len(count) < 10 else len(ids)
    unknown = [
        plain_text(text, _WORDS_LIMIT)
        for part, name in _NOT_FOUND
        for text in _texts(result.get(part), name)
    ]
    if unknown and not counted:
        raise FeedError(f"it does not know {_quoted(unknown)}")
    kept = {"WebEnv": result.get("webenv"), "query_key": result.get("querykey")}
    named = {name: value for name, value in kept.items() if isinstance(value, str) and value}
    if ids and len(named) < len(kept):
        raise FeedError("what the search found was not kept")
    return Search(ids, counted, unknown, named)


def _texts(told: object, name: str) -> list[str]:
    """A list of texts in an object, if there are both."""
    value = told.get(name) if isinstance(told, Mapping) else None
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f"“{one}”" for one in words[:_MOST_UNKNOWN])


def _with_ids(reports: Mapping[date, DayReport], wanted: Wanted, told: Told) -> DayReport:
    """The report that keeps the ids of what came: today's, if all days before it came whole; else
    that of the day before it, and the next time all of them are asked for again."""
    past = [day for day in reports if day < wanted.today]
    last = max(reports) if told.whole.issuperset(past) else max(past)
    before = wanted.before
    earlier = before.ids if before is not None and before.day == wanted.today else None
    return replace(reports[last], ids=tuple(dict.fromkeys([*(earlier or ()), *told.ids])))


def _is_given_up(day: date, today: date) -> bool:
    return (today - day).days >= GIVEN_UP


def _report(day: date, today: date, found: Search, missing: int) -> DayReport:
    number, days_ago = found.counted, (today - day).days
    articles = f"{number:,} {'article' if number == 1 else 'articles'} of {in_words(day)}"
    unknown = f"; it does not know {_quoted(found.unknown)}" if found.unknown else ""
    state, evidence = DayState.PARTIAL, f"PubMed has {articles}"
    if missing and not _is_given_up(day, today):
        evidence += f", and did not give {missing:,} of them"
    elif number > len(found.ids):
        evidence += f", and gives out {len(found.ids):,} of them"
    elif missing:
        state = DayState.COMPLETE
        evidence = f"PubMed had {articles}, and in {days_ago} days did not give {missing:,} of them"
    elif days_ago < LATE:
        evidence += " so far"
    else:
        state, evidence = DayState.COMPLETE, f"PubMed had {articles}, {days_ago} days later"
    return DayReport(day, state, evidence + unknown, number)
