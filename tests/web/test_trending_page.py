"""The page of what trends."""

import re
from dataclasses import replace

import httpx
import pytest
from doors import DAY
from invented import Invented, arrival, fill, join

from paperpost.service.installation import Installation
from paperpost.service.vote import cast_by_command
from paperpost.store.intake import put_all

pytest_plugins = ["site_on_stage"]


def titles(page: httpx.Response) -> list[str]:
    return re.findall(r'<h2><a href="[^"]*">([^<]*)</a>', page.text)


def give(installation: Installation, papers: list[Invented], upvotes: int) -> None:
    told = [replace(arrival(one), upvotes=upvotes) for one in papers]
    with installation.database.writing() as session:
        put_all(session, told, installation.clock())


def test_what_trends_is_shown_with_what_was_counted(
    installation: Installation, client: httpx.Client, papers: list[Invented]
) -> None:
    give(installation, papers[3:4], 87)
    for name in ("ada", "ben", "cleo", "dora"):
        cast_by_command(installation, join(installation, name), papers[5].id, "up")
    page = client.get("/trending")
    assert page.status_code == 200
    assert [title.split()[-1] for title in titles(page)] == [
        papers[3].id.split(".")[1],
        papers[5].id.split(".")[1],
    ]
    assert "87 upvotes on Hugging Face" in page.text
    assert "4 readers voted this up" in page.text
    own = client.get(f"/paper/{papers[5].id}").text
    assert "4 readers voted this up" in own
    assert "+4" not in own


def test_a_single_vote_is_not_told(
    installation: Installation, client: httpx.Client, papers: list[Invented]
) -> None:
    give(installation, papers[:1], 87)
    cast_by_command(installation, join(installation, "ada"), papers[0].id, "up")
    page = client.get("/trending").text
    assert "+1" not in page
    assert "readers voted" not in page


@pytest.mark.parametrize(
    ("window", "days"),
    [
        ("day", "Tuesday, 7 April 2026"),
        ("week", "Wednesday, 1 April 2026"),
        ("month", "Monday, 9 March 2026"),
    ],
)
def test_a_window_can_be_chosen_and_names_its_days(
    client: httpx.Client, papers: list[Invented], window: str, days: str
) -> None:
    page = client.get("/trending", params={"window": window}).text
    assert f"Papers of {days}" in re.sub(r"<[^>]*>", "", page)
    assert f'window={window}" aria-current="page"' in page


def test_a_week_is_what_is_shown_unasked(client: httpx.Client, papers: list[Invented]) -> None:
    assert client.get("/trending").text == client.get("/trending?window=week").text


@pytest.mark.parametrize("query", ["window=year", "window=", "page=0", "page=2", "page=x"])
def test_a_window_or_page_that_is_none_is_not_found(
    client: httpx.Client, papers: list[Invented], query: str
) -> None:
    assert client.get(f"/trending?{query}").status_code == 404


def test_where_nothing_trends_the_page_says_so(
    client: httpx.Client, papers: list[Invented]
) -> None:
    page = client.get("/trending")
    assert page.status_code == 200
    assert titles(page) == []
    assert "Nothing trends here" in page.text
    assert "three votes more up than down, or three upvotes\non Hugging Face." in page.text


def test_without_papers_the_page_is_friendly(client: httpx.Client) -> None:
    page = client.get("/trending")
    assert page.status_code == 200
    assert "No papers yet" in page.text


def test_much_that_trends_comes_in_pages_of_its_window(
    installation: Installation, client: httpx.Client
) -> None:
    give(installation, fill(installation, [DAY], each=50), 9)
    first, second = client.get("/trending?window=day"), client.get("/trending?window=day&page=2")
    assert (len(titles(first)), len(titles(second))) == (30, 30)
    assert not set(titles(first)) & set(titles(second))
    assert 'href="/trending?window=day&amp;page=2"' in first.text


@pytest.mark.parametrize("path", ["/", "/trending", "/subscribe", "/link", "/nothing"])
def test_every_page_leads_to_it(client: httpx.Client, papers: list[Invented], path: str) -> None:
    assert re.search(r'<a [^>]*href="/trending"[^>]*>Trending</a>', client.get(path).text)
