"""huggingface.co/api/daily_papers, as the Hub answers it: a list a day, a page at a time."""

import gzip
import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from loopback_source import Told
from web_on_loopback import Question

LARGEST = 100
USUAL = 50


def row(number: int, day: date, **changes: Any) -> dict[str, Any]:
    """A row of the list of `day`; `changes` are made to its paper."""
    paper = {
        "id": f"{day:%y%m}.{day.day:02}{number:03}",
        "authors": [{"_id": "a1", "name": "Ada Lovelace", "hidden": False}],
        "publishedAt": f"{day}T00:24:50.000Z",
        "submittedOnDailyAt": f"{day}T01:58:49.295Z",
        "title": f"The invented paper {number} of {day}",
        "summary": "We invent a paper.",
        "upvotes": 10 + number,
    }
    return {"title": paper["title"], "numComments": 3, "paper": paper | changes}


def of_file(path: Path) -> list[dict[str, Any]]:
    """The rows of a real answer."""
    with gzip.open(path) as file:
        rows: list[dict[str, Any]] = json.load(file)
    return rows


@dataclass
class DailyPapersApi:
    """Lists by day. Days after `open_until` are not open yet; without `pages` every page is the
    first."""

    lists: dict[date, list[dict[str, Any]]]
    open_until: date
    largest: int = LARGEST
    pages: bool = True
    hosts: tuple[str, ...] = field(default=("huggingface.co",))

    def answer(self, question: Question) -> Told | None:
        if question.path != "/api/daily_papers":
            return None
        day = date.fromisoformat(question.query["date"])
        if day > self.open_until:
            return _told(400, {"error": f'"date" must be less than or equal to {self.open_until}'})
        size = min(int(question.query.get("limit", USUAL)), self.largest)
        first = size * int(question.query.get("p", 0)) if self.pages else 0
        return _told(200, self.lists.get(day, [])[first : first + size])


def _told(status: int, answer: object) -> Told:
    return Told(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})
