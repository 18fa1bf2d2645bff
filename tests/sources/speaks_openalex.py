"""api.openalex.org/works (https://developers.openalex.org). The works are invented."""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from loopback_source import Told
from web_on_loopback import Question

KEY = "openalex-key-of-the-tests"
FILTERS = ("from_publication_date", "to_publication_date", "type", "primary_topic.id", "is_oa")


def work(number: int, day: date, **changes: Any) -> dict[str, Any]:
    """What was published in a journal on `day`."""
    page = f"https://doi.org/10.1000/work.{number}"
    topic = {"id": "https://openalex.org/T10181", "display_name": "Invention Studies"}
    return {
        "id": f"https://openalex.org/W{number}",
        "doi": page,
        "ids": {"openalex": f"https://openalex.org/W{number}", "doi": page},
        "display_name": f"Invented work {number} of {day:%d %B}",
        "publication_date": str(day),
        "type": "article",
        "authorships": [
            {"author": {"display_name": "Ada Lovelace"}, "raw_author_name": "Lovelace, A."},
            {"author": {}, "raw_author_name": "Alan Turing"},
        ],
        "abstract_inverted_index": {"We": [0, 3], "invent": [1], "it.": [2], "do.": [4]},
        "primary_location": {
            "landing_page_url": page,
            "source": {"display_name": "Journal of Inventions", "type": "journal"},
        },
        "locations": [{"landing_page_url": page}],
        "primary_topic": topic,
    } | changes


@dataclass
class OpenAlexApi:
    """`works` are those it has by now; only who has the key is answered."""

    works: list[dict[str, Any]] = field(default_factory=list)
    hosts: tuple[str, ...] = ("api.openalex.org",)

    def answer(self, question: Question) -> Told | None:
        if question.path != "/works":
            return None
        query = question.query
        if query.get("api_key") != KEY:
            wrong = query.get("api_key", "")
            return _refusal(403, "Forbidden", f"The API key {wrong} is invalid or missing.")
        filters = [part.partition(":")[::2] for part in query["filter"].split(",")]
        unknown = [name for name, _ in filters if name not in FILTERS]
        if unknown:
            return _refusal(400, "Invalid query parameters error.", f"{unknown[0]} is no filter.")
        return _page([one for one in self.works if _passes(one, filters, query)], query)


def _passes(one: dict[str, Any], filters: list[tuple[str, str]], query: dict[str, str]) -> bool:
    values = dict(filters)
    day = one["publication_date"]
    topic = (one["primary_topic"] or {}).get("id", "").rpartition("/")[2]
    return (
        values["from_publication_date"] <= day <= values["to_publication_date"]
        and one["type"] in values.get("type", one["type"]).split("|")
        and topic in values.get("primary_topic.id", topic).split("|")
        and query.get("search", "").lower() in str(one["display_name"]).lower()
    )


def _page(found: list[dict[str, Any]], query: dict[str, str]) -> Told:
    """Cursor paging: after the last works comes an empty page, whose next cursor is null."""
    size, cursor = int(query["per_page"]), query["cursor"]
    if not 1 <= size <= 100:
        return _refusal(400, "Pagination error.", "per_page must be between 1 and 100.")
    start = 0 if cursor == "*" else int(cursor.removeprefix("IlsxN"))
    fields = query["select"].split(",")
    shown = found[start : start + size]
    following = f"IlsxN{start + size}" if shown else None
    meta = {"count": len(found), "per_page": size, "page": None, "next_cursor": following}
    results = [{name: one[name] for name in fields} for one in shown]
    return _told(200, {"meta": meta, "results": results, "group_by": []})


def _refusal(status: int, error: str, message: str) -> Told:
    return _told(status, {"error": error, "message": message})


def _told(status: int, answer: dict[str, Any]) -> Told:
    return Told(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})
