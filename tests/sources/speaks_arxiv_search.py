"""export.arxiv.org/api/query: arXiv's search (https://info.arxiv.org/help/api/user-manual.html)."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from xml.sax.saxutils import escape

from arxiv_archive import EASTERN, Archive, Work
from loopback_source import Told
from web_on_loopback import Question

MOST_IN_SLICE = 2000
MOST = 30_000
_ID = re.compile(r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v(\d+))?")
_TERM = re.compile(r'(\w+):("[^"]*"|\[[^\]]*\]|[^\s()]+)')


class _Error(Exception):
    """What is wrong with a request: a name, and what is said."""


class ArxivSearch:
    """`id_list` and `search_query` (`au:`, `cat:`, `ti:`, `all:`, `submittedDate:`, joined by AND
    or OR), `start`, `max_results`, `sortBy`, `sortOrder`.

    `empty_answers` is how many of the next answers have no entries though there are some, and
    `half_answers` how many have the first half of them; both count them all.
    """

    hosts = ("export.arxiv.org",)

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.empty_answers = self.half_answers = 0

    def answer(self, question: Question) -> Told | None:
        if question.path != "/api/query":
            return None
        headers = {"Content-Type": "application/atom+xml; charset=utf-8"}
        try:
            found = self._found(question.query)
            start, size = _slice(question.query)
        except _Error as error:
            return Told(400, self._document(question, [_error_entry(*error.args)], 1, 0), headers)
        shown = found[start : start + size]
        if self.empty_answers:
            self.empty_answers -= 1
            shown = []
        elif self.half_answers:
            self.half_answers -= 1
            shown = shown[: len(shown) // 2]
        entries = [_entry(work, version) for work, version in shown]
        return Told(200, self._document(question, entries, len(found), start), headers)

    def _found(self, query: dict[str, str]) -> list[tuple[Work, int]]:
        known = {work.id: work for work in self.archive.known() if not self._is_gone(work)}
        found = [(work, work.version(self.archive.today)) for work in known.values()]
        if ids := query.get("id_list"):
            found = [one for text in ids.split(",") if (one := self._named(text, known))]
        if search := query.get("search_query"):
            matches = _matcher(search)
            found = [one for one in found if matches(one[0])]
        elif not ids:
            found = []
        return self._sorted(found, query)

    def _is_gone(self, work: Work) -> bool:
        return work.is_deleted(self.archive.today)

    def _named(self, text: str, known: dict[str, Work]) -> tuple[Work, int] | None:
        """What is not known is left out."""
        match = _ID.fullmatch(text.strip())
        if match is None:
            raise _Error(f"incorrect_id_format_for_{text}", f"incorrect id format for {text}")
        work = known.get(match[1])
        if work is None:
            return None
        newest = work.version(self.archive.today)
        version = int(match[2]) if match[2] else newest
        return (work, version) if version <= newest else None

    def _sorted(
        self, found: list[tuple[Work, int]], query: dict[str, str]
    ) -> list[tuple[Work, int]]:
        keys = {
            "submittedDate": lambda one: one[0].submitted(1),
            "lastUpdatedDate": lambda one: one[0].submitted(one[1]),
        }
        key = keys.get(query.get("sortBy", ""))
        descending = query.get("sortOrder", "descending") == "descending"
        return sorted(found, key=key, reverse=descending) if key else found

    def _document(self, question: Question, entries: list[str], total: int, start: int) -> bytes:
        told = escape(" ".join(f"{name}={value}" for name, value in question.query.items()))
        midnight = datetime.combine(self.archive.today, time(), EASTERN)
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom" \
xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">
  <id>https://arxiv.org/api/cHxbiOdZaP56ODnBPIenZhzg5f8</id>
  <title>arXiv Query: {told}</title>
  <updated>{midnight.isoformat()}</updated>
  <link href="https://arxiv.org/api/query" type="application/atom+xml"/>
  <opensearch:itemsPerPage>{len(entries)}</opensearch:itemsPerPage>
  <opensearch:totalResults>{total}</opensearch:totalResults>
  <opensearch:startIndex>{start}</opensearch:startIndex>
{"".join(entries)}</feed>
""".encode()


def _slice(query: dict[str, str]) -> tuple[int, int]:
    try:
        start, size = int(query.get("start", 0)), int(query.get("max_results", 10))
    except ValueError as error:
        raise _Error("start_must_be_an_integer", "start must be an integer") from error
    if start < 0 or size < 0:
        raise _Error("start_must_be_non-negative", "start must be non-negative")
    if start + size > MOST:
        raise _Error("max_results_exceeded", f"max_results must be less than {MOST}")
    return start, min(size, MOST_IN_SLICE)


def _matcher(search: str) -> Callable[[Work], bool]:
    """AND binds stronger than OR, as far as a test needs it; parentheses are not looked at."""
    either = [[_term(*term) for term in _TERM.findall(part)] for part in search.split(" OR ")]
    if not all(either):
        raise _Error("search_query", "the search query cannot be read")
    return lambda work: any(all(fits(work) for fits in terms) for terms in either)


def _term(field: str, value: str) -> Callable[[Work], bool]:
    words = set(re.findall(r"\w+", value.lower().replace("_", " ")))
    match field:
        case "au":  # all of its words in one name
            return lambda work: any(words <= _words(name) for name in work.authors)
        case "cat":
            return lambda work: any(name.lower() == value.lower() for name in work.categories)
        case "ti":
            return lambda work: words <= _words(work.title)
        case "all":
            return lambda work: words <= _words(f"{work.title} {work.abstract}")
        case "submittedDate":
            first, last = re.findall(r"\d{8}", value)
            return lambda work: first <= f"{work.submitted(1):%Y%m%d}" <= last
    raise _Error("search_query", f"there is no field {field}")


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _entry(work: Work, version: int) -> str:
    names = "".join(f"\n    <author><name>{escape(name)}</name></author>" for name in work.authors)
    categories = "".join(
        f'\n    <category term="{name}" scheme="http://arxiv.org/schemas/atom"/>'
        for name in work.categories
    )
    return f"""  <entry>
    <id>http://arxiv.org/abs/{work.id}v{version}</id>
    <title>{escape(work.title)}</title>
    <updated>{work.submitted(version):%Y-%m-%dT%H:%M:%SZ}</updated>
    <link href="https://arxiv.org/abs/{work.id}v{version}" rel="alternate" type="text/html"/>
    <summary>{escape(work.abstract)}</summary>{categories}
    <published>{work.submitted(1):%Y-%m-%dT%H:%M:%SZ}</published>{_notes(work)}
    <arxiv:primary_category term="{work.categories[0]}"/>{names}
  </entry>
"""


def _notes(work: Work) -> str:
    told = {"comment": work.comment, "journal_ref": work.journal_ref, "doi": work.doi}
    return "".join(
        f"\n    <arxiv:{name}>{escape(text)}</arxiv:{name}>" for name, text in told.items() if text
    )


def _error_entry(name: str, said: str) -> str:
    return f"""  <entry>
    <id>https://arxiv.org/api/errors#{escape(name)}</id>
    <title>Error</title>
    <updated>{date(2026, 4, 1)}T00:00:00-04:00</updated>
    <link href="https://arxiv.org/api/errors#{escape(name)}" rel="alternate" type="text/html"/>
    <summary>{escape(said)}</summary>
    <author><name>arXiv api core</name></author>
  </entry>
"""
