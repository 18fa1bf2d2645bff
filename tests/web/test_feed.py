"""The Atom feed of one's own list."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import feedparser
import httpx
import pytest
from doors import DAY, Doors
from invented import Clock, Invented, arrival, fill

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, leaving, subscribe
from paperpost.service.links import Purpose
from paperpost.service.wishes import Wishes
from paperpost.store.intake import put_all

pytest_plugins = ["site_on_stage"]

ATOM = "{http://www.w3.org/2005/Atom}"


def address(doors: Doors, client: httpx.Client) -> str:
    """Where the preferences page says that the feed is."""
    page = client.get(doors.path(Purpose.PREFERENCES)).text
    (found,) = re.findall(r'href="([^"]+/feed/[^"]+\.xml)"', page)
    return str(urlsplit(found).path)


@pytest.fixture
def mailed(doors: Doors) -> Doors:
    """Ada has a digest of ten papers."""
    compose_all_of(doors.installation, DAY)
    return doors


def text_of(parent: Element, name: str) -> str:
    return str(parent.findtext(ATOM + name))


def test_the_feed_is_what_rfc_4287_asks_for(mailed: Doors, client: httpx.Client) -> None:
    answer = client.get(address(mailed, client))
    assert answer.headers["content-type"] == "application/atom+xml"
    feed = defusedxml.ElementTree.fromstring(answer.content)
    assert feed.tag == f"{ATOM}feed"
    # Section 4.1.1: exactly one id, title and updated, and a link to itself.
    for name in ("id", "title", "updated"):
        assert len(feed.findall(ATOM + name)) == 1
    (itself,) = [link for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"]
    assert urlsplit(itself.get("href") or "").path == answer.request.url.path
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:  # section 4.1.2
        for name in ("id", "title", "updated", "content"):
            assert len(entry.findall(ATOM + name)) == 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text_of(entry, "updated"))
        assert re.fullmatch(r"tag:[a-z.]+,\d{4}-\d\d-\d\d:[\w.]+/\d+", text_of(entry, "id"))
        assert entry.find(f"{ATOM}author") is not None
        assert entry.find(f"{ATOM}link") is not None
    assert len({text_of(entry, "id") for entry in entries}) == len(entries)


def test_a_feed_reader_shows_the_digests_newest_first(mailed: Doors, client: httpx.Client) -> None:
    fill(mailed.installation, [DAY + timedelta(days=1)])
    compose_all_of(mailed.installation, DAY + timedelta(days=1))
    read = feedparser.parse(client.get(address(mailed, client)).content)
    assert not read.bozo
    digests = account.export(mailed.installation, mailed.email)["digests"]
    wanted = [paper for digest in reversed(digests) for paper in digest["papers"]]
    assert [entry.link.rpartition("/")[2] for entry in read.entries] == wanted
    first = read.entries[0]
    assert first.title.startswith("Graph")
    assert [author.name for author in first.authors] == ["Emmy Noether", "Sofia Kovalevskaya"]
    content = first.content[0].value
    assert "Because: " in content
    assert "We show how" in content
    more, less = re.findall(r'href="([^"]+/vote/[^"]+)"', content)
    assert "More like this" in client.get(urlsplit(more).path).text
    assert client.get(urlsplit(less).path).status_code == 200


def test_what_has_not_changed_is_not_sent_again(
    mailed: Doors, client: httpx.Client, clock: Clock
) -> None:
    path = address(mailed, client)
    first = client.get(path)
    clock.turn(hours=1)
    by_tag = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    by_time = {"If-Modified-Since": first.headers["last-modified"]}
    for told in (by_tag, by_time):
        answer = client.get(path, headers=told)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == first.headers["etag"]
        assert answer.headers["cache-control"] == "private, no-cache"
    for told in (
        {"If-None-Match": '"other"'} | by_time,
        {"If-Modified-Since": "Mon, 06 Apr 2026 09:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
        {"If-Modified-Since": "Tue, 07 Apr 2026 09:00:00 -0000"},
    ):
        assert client.get(path, headers=told).status_code == 200
    clock.turn(days=2)
    fill(mailed.installation, [clock().date()])
    compose_all_of(mailed.installation, clock().date())
    assert client.get(path, headers=by_tag | by_time).status_code == 200


def test_a_feed_without_a_digest_is_empty_and_valid(doors: Doors, client: httpx.Client) -> None:
    read = feedparser.parse(client.get(address(doors, client)).content)
    assert not read.bozo
    assert (read.entries, read.feed.updated) == ([], "2026-04-07T09:00:00Z")


def test_a_feed_has_forty_entries_at_most(doors: Doors, client: httpx.Client) -> None:
    subscribe.by_command(doors.installation, doors.email, Wishes(size=50), confirmed=True)
    for days in (1, 2):
        day = DAY + timedelta(days=days)
        fill(doors.installation, [day], each=14)
        compose_all_of(doors.installation, day)
    assert len(feedparser.parse(client.get(address(doors, client)).content).entries) == 40


def test_a_feed_of_long_papers_stays_small(doors: Doors, client: httpx.Client) -> None:
    with doors.installation.database.writing() as session:
        for number in range(60):
            record = arrival(Invented(f"2604.08{number:03}", "graph", DAY))
            abstract = "We show how graph networks & more can be grown. " * 40
            authors = tuple(f"Author {n} of Many" for n in range(3000))
            long = replace(
                record, title=f"Part {number} of a long " * 20, abstract=abstract, authors=authors
            )
            put_all(session, [long], doors.installation.clock())
    subscribe.by_command(doors.installation, doors.email, Wishes(size=50), confirmed=True)
    compose_all_of(doors.installation, DAY)
    answer = client.get(address(doors, client))
    assert len(answer.content) < 100_000
    entries = feedparser.parse(answer.content).entries
    assert len(entries) == 40
    assert sum(entry.authors[-1].name == "and 2990 more" for entry in entries) > 30


def test_links_that_have_ended_are_left_out(
    mailed: Doors, client: httpx.Client, clock: Clock
) -> None:
    path = address(mailed, client)
    clock.turn(days=179)
    assert client.get(path).text.count("/vote/") == 20
    clock.turn(days=2)
    answer = client.get(path)
    assert len(feedparser.parse(answer.content).entries) == 10
    assert "/vote/" not in answer.text


def test_texts_from_outside_break_no_feed(doors: Doors, client: httpx.Client) -> None:
    hostile = 'Graph <script>alert(1)</script> & "b" ]]> \x08\x1f\ufffe\uffff \U0001f4a5'
    record = arrival(Invented("2604.09999", "graph", DAY))
    record = replace(record, title=hostile, abstract=hostile, authors=(hostile,))
    with doors.installation.database.writing() as session:
        put_all(session, [record], doors.installation.clock())
    wanted = Wishes(keywords=("script",), size=50)
    subscribe.by_command(doors.installation, doors.email, wanted, confirmed=True)
    compose_all_of(doors.installation, DAY)
    answer = client.get(address(doors, client))
    read = feedparser.parse(answer.content)
    assert not read.bozo
    (found,) = [entry for entry in read.entries if entry.link.endswith("2604.09999")]
    assert found.title.startswith("Graph <script>alert(1)")
    assert found.author.startswith("Graph <script>alert(1)")
    assert b"<script" not in answer.content


def test_looking_at_a_feed_changes_nothing(
    mailed: Doors, client: httpx.Client, dump: Callable[[], list[str]]
) -> None:
    path = address(mailed, client)
    before = dump()
    assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200
    assert dump() == before


@pytest.mark.parametrize("action", ["pause", "leave"])
def test_the_feed_is_there_for_somebody_who_is_mailed_nothing(
    mailed: Doors, client: httpx.Client, action: str
) -> None:
    if action == "pause":
        account.pause(mailed.installation, mailed.subscriber_id, "2026-05-01")
    else:
        leaving.leave(mailed.installation, mailed.token(Purpose.UNSUBSCRIBE))
    assert len(feedparser.parse(client.get(address(mailed, client)).content).entries) == 10


def test_the_address_of_a_feed_stays_until_links_are_renewed(
    mailed: Doors, client: httpx.Client, clock: Clock
) -> None:
    path = address(mailed, client)
    ids = [entry.id for entry in feedparser.parse(client.get(path).content).entries]
    clock.turn(hours=24 * 300)
    assert address(mailed, client) == path
    client.post(f"{mailed.path(Purpose.ACCESS)}/renew", data={"confirm": "yes"})
    assert client.get(path).status_code == 410
    renewed = address(mailed, client)
    assert renewed != path
    read = feedparser.parse(client.get(renewed).content)
    assert [entry.id for entry in read.entries] == ids
    more = re.findall(r'href="([^"]+/vote/[^"]+)"', read.entries[0].content[0].value)[0]
    assert client.get(urlsplit(more).path).status_code == 200
