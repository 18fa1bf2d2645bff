"""api.biorxiv.org/details, as bioRxiv and medRxiv answer it. The papers are invented."""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from loopback_source import Told
from web_on_loopback import Question

# The help says 100; 30 were seen in 2026.
PAGE_SIZE = 30


def post(number: int, day: date, **changes: Any) -> dict[str, Any]:
    """A row of what was posted on `day`."""
    return {
        "doi": f"10.64898/{day:%Y.%m.%d}.{number:06}",
        "title": f"Invented preprint {number} of {day:%d %B}",
        "authors": "Lovelace, A.; Turing, A. M.; ",
        "author_corresponding": "Ada Lovelace",
        "author_corresponding_institution": "Analytical Society, London",
        "date": str(day),
        "version": "1",
        "type": "new results",
        "license": "cc_by",
        "category": "neuroscience" if number % 2 else "cell biology",
        "jatsxml": "https://www.biorxiv.org/content/early/x.source.xml",
        "abstract": "We invent a preprint.",
        "funding": "NA",
        "published": "NA",
        "server": "bioRxiv",
    } | changes


@dataclass
class PreprintApi:
    """`posts` by server, in the order in which they were posted; `total` is told whatever it is.
    Without `pages` every page is the first."""

    posts: dict[str, list[dict[str, Any]]]
    total: int | None = None
    page_size: int = PAGE_SIZE
    pages: bool = True
    hosts: tuple[str, ...] = field(default=("api.biorxiv.org",))

    def answer(self, question: Question) -> Told | None:
        parts = question.path.strip("/").split("/")
        if len(parts) != 6 or parts[0] != "details":
            return None
        _, server, first, last, cursor, _ = parts
        found = [one for one in self.posts.get(server, []) if first <= one["date"] <= last]
        rows = found[int(cursor) if self.pages else 0 :][: self.page_size]
        if not rows:
            return _told({"messages": [{"status": "no posts found"}], "collection": []})
        message = {
            "status": "ok",
            "category": "all",
            "interval": f"{first}:{last}",
            "cursor": cursor,
            "count": len(rows),
            "count_new_papers": str(sum(row["version"] == "1" for row in rows)),
            "total": str(len(found) if self.total is None else self.total),
        }
        return _told({"messages": [message], "collection": rows})


def _told(answer: object) -> Told:
    return Told(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})
