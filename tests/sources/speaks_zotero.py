"""api.zotero.org: the items of libraries (https://www.zotero.org/support/dev/web_api/v3/basics)."""

import json
from dataclasses import dataclass, field
from typing import Any

from loopback_source import Told
from web_on_loopback import Question

# Above it the server silently gives so many.
MOST_ON_A_PAGE = 100


def work(number: int, **fields: Any) -> dict[str, Any]:
    """An item of a library."""
    data = {
        "key": f"ITEM{number:04}",
        "itemType": "journalArticle",
        "title": f"Collected study {number} of tides and moons",
        "creators": [{"creatorType": "author", "firstName": "Mary", "lastName": "Somerville"}],
        "abstractNote": "",
        "DOI": "",
        "url": "",
        "extra": "",
        "tags": [],
        "dateAdded": f"2021-03-{number % 28 + 1:02}T10:00:00Z",
    }
    return {"key": data["key"], "version": 1, "data": data | fields}


@dataclass
class Zotero:
    """Libraries by their prefix (`users/1`), and the key that each wants; without one it is
    public. `backoff` is what every answer asks for, in seconds; without `pages` every page is the
    first."""

    libraries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    backoff: str = ""
    pages: bool = True
    hosts = ("api.zotero.org",)

    def answer(self, question: Question) -> Told | None:
        prefix, separator, _ = question.path.lstrip("/").partition("/items/top")
        if not separator or question.headers["Zotero-API-Version"] != "3":
            return None
        wanted = self.keys.get(prefix)
        if wanted and question.headers["Zotero-API-Key"] != wanted:
            return Told(403, b"Forbidden")
        if prefix not in self.libraries:
            return Told(404, b"Library not found")
        return self._page(question, self.libraries[prefix])

    def _page(self, question: Question, items: list[dict[str, Any]]) -> Told:
        items = sorted(items, key=lambda item: str(item["data"]["dateAdded"]))
        start = int(question.query.get("start", 0)) if self.pages else 0
        end = start + min(int(question.query.get("limit", 25)), MOST_ON_A_PAGE)
        headers = {"Content-Type": "application/json", "Total-Results": str(len(items))}
        if end < len(items):
            more = question.url.replace(f"start={start}", f"start={end}")
            headers["Link"] = f'<https://{more}>; rel="next", <https://{more}>; rel="last"'
        if self.backoff:
            headers["Backoff"] = self.backoff
        return Told(200, json.dumps(items[start:end]).encode(), headers)
