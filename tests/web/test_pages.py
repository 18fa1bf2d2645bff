"""Browsing: days of papers, and a paper."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from doors import DAY, forms
from invented import Clock, Invented, arrival, fill, join, with_settings

from paperpost.service.ingest import import_files
from paperpost.service.installation import Installation
from paperpost.service.vote import cast_by_command
from paperpost.store import days, requests
from paperpost.store.intake import put_all

pytest_plugins = ["site_on_stage"]

SHOUT = '<script>alert("1")</script>'


def titles(page: httpx.Response) -> list[str]:
    return re.findall(r'<h2><a href="[^"]*">([^<]*)</a>', page.text)


def test_the_front_page_shows_the_newest_day_and_the_subscribe_form(
    installation: Installation, client: httpx.Client
) -> None:
    fill(installation, [date(2026, 4, 3), DAY])
    page = client.get("/")
    assert page.status_code == 200
    assert "Tuesday, 7 April 2026" in page.text
    assert len(titles(page)) == 12
    assert {"email", "keywords"} <= forms(page)[0].fields.keys()


def test_the_front_page_tells_why_there_is_nothing_newer(
    installation: Installation, client: httpx.Client, clock: Clock
) -> None:
    source = installation.settings.sources[0]
    fill(installation, [DAY - timedelta(days=1)])
    with installation.database.writing() as session:
        requests.record_run(session, source, "failed", "HTTP 503", clock.now)
        days.keep(session, days.Stand(source, DAY, "refused", "rss.arxiv.org: HTTP 503"), clock.now)
    sentence = f"{source} refused to answer: rss.arxiv.org: HTTP 503."
    assert sentence in client.get("/").text
    assert sentence in client.get(f"/day/{DAY}").text
    assert "refused" not in client.get(f"/day/{DAY - timedelta(days=1)}").text
    fill(installation, [DAY])
    with installation.database.writing() as session:
        days.keep(session, days.Stand(source, DAY, "complete", "412 papers"), clock.now)
    assert "refused" not in client.get("/").text


def test_a_front_page_without_papers_is_friendly(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "No papers yet" in page.text
    assert forms(page)[0].action == "/subscribe"


def test_a_day_links_to_the_days_around_it(
    installation: Installation, client: httpx.Client
) -> None:
    fill(installation, [date(2026, 4, 3), date(2026, 4, 6), DAY])
    page = client.get("/day/2026-04-06").text
    assert 'rel="prev" href="/day/2026-04-03"' in page
    assert 'rel="next" href="/day/2026-04-07"' in page


@pytest.mark.parametrize("day", ["2026-04-05", "0001-01-01", "9999-12-31"])
def test_a_day_without_papers_says_so(
    client: httpx.Client, papers: list[Invented], day: str
) -> None:
    page = client.get(f"/day/{day}")
    assert page.status_code == 200
    assert "There are no papers of this day" in page.text


@pytest.mark.parametrize("day", ["tomorrow", "20260407", "2026-W15-2", "2026-02-30", "2026-4-7"])
def test_what_is_no_date_is_not_found(client: httpx.Client, day: str) -> None:
    assert client.get(f"/day/{day}").status_code == 404


def test_a_large_day_comes_in_pages(installation: Installation, client: httpx.Client) -> None:
    fill(installation, [DAY], each=50)
    pages = [client.get("/"), *(client.get(f"/day/2026-04-07?page={n}") for n in range(2, 6))]
    assert [len(titles(page)) for page in pages] == [30] * 5
    assert len({title for page in pages for title in titles(page)}) == 150
    assert 'href="/day/2026-04-07?page=2"' in pages[0].text
    assert '<ol class="entries" start="31">' in pages[1].text


@pytest.mark.parametrize("page", ["0", "-1", "x", "2", "99999999999999999999", "", "٢"])
def test_a_page_that_is_none_is_not_found(
    client: httpx.Client, papers: list[Invented], page: str
) -> None:
    assert client.get("/", params={"page": page}).status_code == 404


def test_a_real_day_stays_a_small_page(
    installation: Installation, client: httpx.Client, data: Path
) -> None:
    import_files(installation, [data / "arxiv" / "2026-04-07.jsonl.gz"])
    page = client.get("/")
    assert len(titles(page)) == 30
    assert len(page.content) < 60_000


def test_what_people_like_comes_first(
    installation: Installation, client: httpx.Client, papers: list[Invented]
) -> None:
    for number in range(3):
        cast_by_command(installation, join(installation, f"ada{number}"), papers[5].id, "up")
    assert papers[5].id.replace(".", " ") in titles(client.get("/"))[0]
    assert "3 readers voted this up" in client.get(f"/paper/{papers[5].id}").text


@pytest.mark.parametrize("value", ["up", "down"])
def test_one_vote_is_not_shown_to_everybody(
    installation: Installation, client: httpx.Client, papers: list[Invented], value: str
) -> None:
    before = client.get("/").text, client.get(f"/paper/{papers[5].id}").text
    cast_by_command(installation, join(installation, "ada"), papers[5].id, value)
    assert (client.get("/").text, client.get(f"/paper/{papers[5].id}").text) == before


def store(installation: Installation, **changes: object) -> None:
    """Store one paper that differs from an ordinary one."""
    odd = replace(arrival(Invented("2604.99999", "graph", DAY)), **changes)  # type: ignore[arg-type]
    with installation.database.writing() as session:
        put_all(session, [odd], installation.clock())


def test_a_paper_has_its_page_by_an_id_with_slashes(
    installation: Installation, client: httpx.Client
) -> None:
    store(installation, name="doi:10.1000/a b/c?d#e", title="The odd one")
    address = re.findall(r'<h2><a href="([^"]*)"', client.get("/").text)[0]
    page = client.get(address)
    assert page.status_code == 200
    assert "<h1>The odd one</h1>" in page.text
    assert "pass messages along the edges" in page.text
    assert re.findall(r"q=%22(\w+)\+", page.text) == ["Emmy", "Sofia"]
    assert 'href="https://arxiv.org/abs/2604.99999"' in page.text


@pytest.mark.parametrize("name", ["2604.11111", "nothing%00here", "%FF%FE", "..%2f..", "a" * 5000])
def test_a_paper_that_is_not_stored_is_not_found(client: httpx.Client, name: str) -> None:
    page = client.get(f"/paper/{name}")
    assert page.status_code == 404
    assert "No such paper" in page.text


def test_what_a_source_wrote_is_shown_and_never_run(
    installation: Installation, client: httpx.Client
) -> None:
    store(
        installation,
        title=f"A title {SHOUT}",
        abstract=f"An abstract {SHOUT}",
        authors=(f"An author {SHOUT}",),
        categories=(f"cs {SHOUT}",),
        comment=f"A comment {SHOUT}",
        url="javascript:alert(1)",
    )
    for page in (client.get("/").text, client.get("/paper/2604.99999").text):
        assert "A title &lt;script&gt;" in page
        assert "<script>" not in page
        assert "javascript:" not in page


def test_every_link_has_the_path_of_the_public_address(
    installation: Installation, browse_site: Callable[[Installation], httpx.Client]
) -> None:
    fill(installation, [DAY])
    below = with_settings(installation, public_url="https://example.org/post")
    page = browse_site(below).get("/").text
    addresses = re.findall(r'(?:href|action)="(/[^"]*)"', page)
    assert addresses
    assert all(address.startswith("/post/") for address in addresses)


def test_a_static_file_is_kept_for_as_long_as_its_address_is_its_own(
    client: httpx.Client, papers: list[Invented]
) -> None:
    page = client.get("/").text
    addresses = re.findall(r'"(/static/[^"]*)"', page)
    assert len(addresses) >= 3
    for address in addresses:
        current = client.get(address)
        assert current.headers["cache-control"] == "public, max-age=31536000, immutable"
        again = client.get(address, headers={"If-None-Match": current.headers["etag"]})
        assert (again.status_code, again.headers["cache-control"][-9:]) == (304, "immutable")
        bare = address.partition("?")[0]
        for other in (bare, f"{bare}?v=", f"{bare}?v=0123456789"):
            assert client.get(other).headers["cache-control"] == "public, max-age=300"


def test_the_style_is_our_own_and_nothing_else_is_loaded(
    client: httpx.Client, papers: list[Invented]
) -> None:
    page = client.get("/").text
    address = re.findall(r'<link rel="stylesheet" href="([^"]*)">', page)[0]
    style = client.get(address)
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text
    assert all(one.startswith("/static/") for one in re.findall(r' src="([^"]*)"', page))
    assert client.get("/static/../render.py").status_code == 404
    assert client.get("/static/%2e%2e/render.py").status_code == 404
