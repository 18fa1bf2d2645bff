"""A library at zotero.org, read over its web API once, with a key that is kept nowhere.

https://www.zotero.org/support/dev/web_api/v3/basics. Its `Backoff` and `Retry-After` are obeyed by
the client (sources/client.py).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import RequestFailed, SourceError
from paperpost.sources.exchange import Answer
from paperpost.sources.libraries.entry import Entries
from paperpost.sources.libraries.zotero import read_items

API = "https://api.zotero.org"
PAGE = 100  # the most that it gives at once
MOST_PAGES = 200
_LIBRARY = re.compile(r"(?:users|groups)/[1-9][0-9]{0,11}(?:/collections/[A-Z0-9]{8})?")
_KEY = re.compile(r"[A-Za-z0-9]{1,100}")
_NEXT = re.compile(r'<[^<>]*>\s*;\s*rel="?next"?')
_REFUSED = {
    403: "Zotero lets nobody read this library without a key that may read it",
    404: "Zotero has no such library or collection",
}


class ZoteroError(SourceError):
    """A library of Zotero's that cannot be read; its text says why, and never the key."""


def read_zotero(client: PoliteClient, library: str, key: str) -> Entries:
    """The works of a library: `users/NUMBER` or `groups/NUMBER`, with `/collections/KEY` behind it
    for one collection; `key` is empty for a public one.

    Raises SourceError; for a name or key that cannot be one before anything is asked.
    """
    if not _LIBRARY.fullmatch(library):
        raise ZoteroError(
            "a library of Zotero is written like users/12345, groups/12345 or "
            "users/12345/collections/ABCD2345"
        )
    if key and not _KEY.fullmatch(key):
        raise ZoteroError("a key of Zotero's has letters and digits only")
    return read_items(_items(client, library, key))


def _items(client: PoliteClient, library: str, key: str) -> Iterator[Any]:
    """Notes and attachments that belong to a work do not stand at the top."""
    headers = {"Zotero-API-Version": "3", **({"Zotero-API-Key": key} if key else {})}
    seen = set[str]()
    for page in range(MOST_PAGES):
        # The oldest first: what is added meanwhile moves nothing to another page.
        query = f"format=json&sort=dateAdded&direction=asc&limit={PAGE}&start={page * PAGE}"
        answer = _ask(client, f"{API}/{library}/items/top?{query}", headers)
        items = _listed(answer)
        fresh = {name: item for item in items if (name := _name(item)) not in seen}
        if items and not fresh:
            raise ZoteroError("asked for the next page, Zotero gave the same works again")
        seen |= fresh.keys()
        yield from fresh.values()
        if not _NEXT.search(answer.headers.get("link", "")):
            return


def _name(item: object) -> str:
    """What tells an item from the others of its library."""
    return str((isinstance(item, dict) and item.get("key")) or item)


def _ask(client: PoliteClient, url: str, headers: dict[str, str]) -> Answer:
    try:
        return client.get(url, headers)
    except RequestFailed as error:
        if error.status in _REFUSED:
            raise ZoteroError(_REFUSED[error.status]) from error
        raise


def _listed(answer: Answer) -> list[Any]:
    try:
        items = json.loads(answer.body or b"[]")
    except (ValueError, RecursionError) as error:
        raise ZoteroError("Zotero's answer is no JSON") from error
    if not isinstance(items, list):
        raise ZoteroError("Zotero's answer is no list of works")
    return items
