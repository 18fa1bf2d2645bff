"""A subscriber's own list as a feed: the papers of their digests, for who reads by feed reader."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from mailer.blocks import LONGEST_ABSTRACT, LONGEST_TITLE
from mailer.plain import readable, shorten
from paperpost.service import letters, links
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.store import digest_history, papers
from paperpost.store.digest_history import Listed
from paperpost.store.subscribers import id_of
from paperpost.store.tables import Paper, Subscriber

# Some tens of kilobytes, which a program may ask for every hour.
MOST_ENTRIES = 40
MOST_AUTHORS = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper of one digest. `id` is the same whatever becomes of the paper and of links; `link`
    leads to where it is read, `more_url` and `less_url` to the pages that vote; both are empty once
    such links have ended."""

    id: str
    title: str
    authors: tuple[str, ...]
    abstract: str
    categories: tuple[str, ...]
    link: str
    reasons: tuple[str, ...]
    explored: bool
    day: date
    updated: datetime
    more_url: str
    less_url: str


@dataclass(frozen=True, slots=True)
class Feed:
    """The newest entries first; `updated` is when the newest of them was chosen."""

    id: str
    url: str
    updated: datetime
    entries: tuple[Entry, ...]


def feed(installation: Installation, token: str) -> Feed:
    """The feed behind a feed link, also of somebody who paused or left. Changes nothing. Raises
    LinkError."""
    with installation.database.reading() as session:
        person, _ = links.owner(installation, session, token, Purpose.FEED)
        listed = digest_history.newest(session, id_of(person), MOST_ENTRIES)
        chosen = list(islice(_items(listed), MOST_ENTRIES))
        stored = papers.by_number(session, {item["paper"] for _, item in chosen})
    joined = person.joined_at
    name = letters.message_id(installation, id_of(person), joined.date(), "feed")
    return Feed(
        id=_tag(name, joined.date()),
        url=f"{installation.settings.public_url}/{Purpose.FEED}/{token}.xml",
        updated=listed[0].composed_at if listed else joined,
        entries=tuple(
            _entry(installation, person, digest, item, stored[item["paper"]])
            for digest, item in chosen
            if item["paper"] in stored
        ),
    )


def _items(listed: Iterable[Listed]) -> Iterator[tuple[Listed, dict[str, Any]]]:
    return ((digest, item) for digest in listed for item in digest.items)


def _entry(
    installation: Installation,
    person: Subscriber,
    digest: Listed,
    item: Mapping[str, Any],
    paper: Paper,
) -> Entry:
    issued = links.issued(digest.composed_at, person)
    lasts = links.LASTS[Purpose.VOTE]
    has_ended = lasts is not None and installation.clock() - issued > lasts

    def vote_url(value: int) -> str:
        if has_ended:
            return ""
        fields = (id_of(person), item["paper"], value)
        base = installation.settings.public_url
        return links.url(base, installation.signer, Purpose.VOTE, issued, *fields)

    return Entry(
        id=f"{_tag(digest.message_id, digest.local_date)}/{item['paper']}",
        title=shorten(readable(paper.title), LONGEST_TITLE),
        authors=_authors(paper),
        abstract=shorten(readable(paper.abstract), LONGEST_ABSTRACT),
        categories=tuple(paper.categories),
        link=letters.web_address(installation.settings, paper),
        reasons=tuple(item["reasons"]),
        explored=item.get("explored", False),
        day=digest.local_date,
        updated=digest.composed_at,
        more_url=vote_url(1),
        less_url=vote_url(-1),
    )


def _authors(paper: Paper) -> tuple[str, ...]:
    """The first ones; some papers have thousands."""
    more = len(paper.authors) - MOST_AUTHORS
    first = tuple(map(readable, paper.authors[:MOST_AUTHORS]))
    return first if more <= 0 else (*first, f"and {more} more")


def _tag(message_id: str, day: date) -> str:
    """A Message-ID as a tag URI (RFC 4151), which stays what it is when addresses change."""
    code, _, domain = message_id.strip("<>").partition("@")
    return f"tag:{domain},{day}:{code}"
