"""Lists of papers: days, weeks and months, in two orders, by category."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import httpx
import pytest
from doors import DAY
from invented import Invented, arrival, fill, join

from paperpost.service import lists, periods
from paperpost.service.installation import Installation
from paperpost.service.lists import ListView, Order
from paperpost.service.periods import Span
from paperpost.service.vote import cast_by_command
from paperpost.store.intake import put_all

pytest_plugins = ["site_on_stage"]

MONDAY, FRIDAY = date(2026, 4, 6), date(2026, 4, 10)
BEFORE = date(2026, 3, 30)


def ids(shown: ListView) -> list[str]:
    return [one.paper.id for one in shown.papers]


def titles(page: httpx.Response) -> list[str]:
    return re.findall(r'<h2><a href="[^"]*">([^<]*)</a>', page.text)


def links(page: httpx.Response, label: str) -> list[str]:
    """The addresses in the navigation of that label."""
    (found,) = re.findall(rf'<nav [^>]*aria-label="{label}">(.*?)</nav>', page.text, re.DOTALL)
    return [address.replace("&amp;", "&") for address in re.findall(r'href="([^"]*)"', found)]


def store(installation: Installation, day: date, *categories: str) -> str:
    """Store a paper of these categories."""
    one = Invented(
        f"2604.9{day.day:02}{len(categories)}{ord(categories[0][-1]) % 10}", "graph", day
    )
    with installation.database.writing() as session:
        put_all(session, [replace(arrival(one), categories=categories)], installation.clock())
    return one.id


def like(installation: Installation, paper: str, readers: int = 3) -> None:
    for number in range(readers):
        cast_by_command(installation, join(installation, f"{paper}-{number}"), paper, "up")


@pytest.mark.parametrize(
    ("span", "days"), [(Span.DAY, [DAY]), (Span.WEEK, [MONDAY, DAY]), (Span.MONTH, [MONDAY, DAY])]
)
def test_a_period_has_the_papers_of_its_days_the_newest_first(
    any_installation: Installation, span: Span, days: list[date]
) -> None:
    fill(any_installation, [BEFORE, MONDAY, DAY], each=1)
    shown = lists.papers_of(any_installation, periods.around(span, DAY))
    assert [one.paper.announced for one in shown.papers] == sorted(days * 3, reverse=True)
    assert (shown.total, shown.newest, shown.order) == (3 * len(days), DAY, Order.NEWEST)


def test_what_trends_comes_first_unless_the_newest_are_asked_for(
    any_installation: Installation,
) -> None:
    papers = [one.id for one in fill(any_installation, [MONDAY, DAY])]
    like(any_installation, papers[1])
    like(any_installation, papers[2], readers=5)
    week = periods.around(Span.WEEK, DAY)
    shown = lists.papers_of(any_installation, week)
    assert ids(shown)[:2] == [papers[2], papers[1]]
    assert shown.papers[0].counts == ("5 readers voted this up",)
    assert shown.order == Order.TRENDING
    newest = lists.papers_of(any_installation, week, order=Order.NEWEST)
    assert newest.something_trends
    assert {one.paper.announced for one in newest.papers[:12]} == {DAY}
    assert sorted(ids(newest)) == sorted(ids(shown)) == sorted(papers)


def test_a_category_is_matched_as_a_whole(any_installation: Installation) -> None:
    both = store(any_installation, DAY, "cs.CL", "cs.AI")
    store(any_installation, DAY, "cs.CLX")
    odd = store(any_installation, DAY, 'cs."%_\\é')
    day = periods.around(Span.DAY, DAY)

    def of(category: str) -> list[str]:
        return ids(lists.papers_of(any_installation, day, category=category))

    assert of("cs.CL") == of("cs.AI") == [both]
    assert of('cs."%_\\é') == [odd]
    assert of("cs.%") == of("CL") == of("cs._L") == of("nothing") == []
    counted = dict(lists.papers_of(any_installation, day).categories)
    assert counted == {"cs.CL": 1, "cs.AI": 1, "cs.CLX": 1, 'cs."%_\\é': 1}


def test_only_a_category_s_papers_trend_in_it(installation: Installation) -> None:
    store(installation, DAY, "cs.CL")
    liked = store(installation, DAY, "cs.AI", "cs.LG")
    like(installation, liked)
    day = periods.around(Span.DAY, DAY)
    assert lists.papers_of(installation, day, category="cs.CL").order == Order.NEWEST
    assert ids(lists.papers_of(installation, day, category="cs.LG")) == [liked]


def test_where_many_vote_the_order_is_made_behind_the_page(installation: Installation) -> None:
    fill(installation, [DAY], each=1)
    (liked,) = [one.id for one in fill(installation, [MONDAY], each=1)][:1]
    week = periods.around(Span.WEEK, DAY)
    installation.slot.boards.is_cheap = lambda _: False
    assert ids(lists.papers_of(installation, week))[0] != liked
    like(installation, liked)
    assert ids(lists.papers_of(installation, week))[0] != liked
    installation.clock.turn(minutes=2)  # type: ignore[attr-defined]
    lists.papers_of(installation, week)
    installation.slot.boards.close()
    assert ids(lists.papers_of(installation, week))[0] == liked


def test_abstracts_are_cut_without_cutting_a_formula(installation: Installation) -> None:
    long = replace(
        arrival(Invented("2604.99999", "graph", DAY)),
        abstract="word " * 82 + r"of $\mathcal{O}(n \log n)$ steps. " + "word " * 99,
    )
    with installation.database.writing() as session:
        put_all(session, [long], installation.clock())
    (one,) = lists.papers_of(installation, periods.around(Span.DAY, DAY)).papers
    assert len(one.paper.abstract) <= 300
    assert one.paper.abstract.endswith("…")
    assert "$" not in one.paper.abstract
    assert "\\" not in one.paper.abstract


@pytest.mark.parametrize(
    ("path", "title", "earlier", "later"),
    [
        ("/day/2026-04-06", "Monday, 6 April 2026", "/day/2026-03-30", "/day/2026-04-10"),
        ("/week/2026-W15", "Week 15 of 2026", "/week/2026-W14", "/week/2026-W19"),
        ("/month/2026-04", "April 2026", "/month/2026-03", "/month/2026-05"),
    ],
)
def test_each_list_leads_to_the_ones_around_it(
    installation: Installation,
    client: httpx.Client,
    path: str,
    title: str,
    earlier: str,
    later: str,
) -> None:
    fill(installation, [BEFORE, MONDAY, FRIDAY, date(2026, 5, 4)], each=1)
    page = client.get(path)
    assert f">{title}</time></h1>" in page.text
    assert links(page, f"Other {path.split('/')[1]}s") == [earlier, later]


def test_a_week_leads_to_its_last_day_and_its_month(
    installation: Installation, client: httpx.Client
) -> None:
    fill(installation, [MONDAY, FRIDAY], each=1)
    spans = links(client.get("/week/2026-W15?order=newest"), "How many days")
    assert spans == [
        "/day/2026-04-10?order=newest",
        "/week/2026-W15?order=newest",
        "/month/2026-04?order=newest",
    ]


def test_filters_stay_on_the_way_through_the_pages(
    installation: Installation, client: httpx.Client
) -> None:
    fill(installation, [DAY], each=30)
    store(installation, DAY, "cs.CL")
    page = client.get("/month/2026-04?category=cs.LG&order=newest&page=2")
    assert len(titles(page)) == 30
    assert set(links(page, "Pages of this month")) == {
        f"/month/2026-04?order=newest&category=cs.LG{more}" for more in ("", "&page=2", "&page=3")
    }
    categories = links(page, "Category")
    assert "/month/2026-04?order=newest" in categories
    assert "/month/2026-04?order=newest&category=cs.CL" in categories


def test_hundreds_of_pages_are_not_all_listed(
    installation: Installation, client: httpx.Client
) -> None:
    fill(installation, [DAY, MONDAY], each=99)
    shown = re.findall(
        r"\d+", "".join(links(client.get("/month/2026-04?page=10"), "Pages of this month"))
    )
    assert 15 < len(shown) < 40
    numbers = [
        address.rpartition("=")[2]
        for address in links(client.get("/month/2026-04?page=10"), "Pages of this month")
    ]
    assert numbers == ["9", "/month/2026-04", "8", "9", "10", "11", "12", "20", "11"]


@pytest.mark.parametrize(
    "path",
    [
        "/week/2026-W54",
        "/month/2026-13",
        "/week/2026-04-07",
        "/month/2026",
        "/day/2026-04-07?order=best",
        "/day/2026-04-07?category=a%00b",
        "/day/2026-04-07?category=" + "a" * 101,
        "/day/2026-04-07?page=2",
    ],
)
def test_what_is_no_list_is_not_found(
    client: httpx.Client, papers: list[Invented], path: str
) -> None:
    assert client.get(path).status_code == 404


def test_a_list_without_papers_says_so(client: httpx.Client, papers: list[Invented]) -> None:
    assert "There are no papers of this month." in client.get("/month/2020-02").text
    page = client.get("/week/2026-W15?category=%3Cscript%3E")
    assert "There are no papers of &lt;script&gt; here." in page.text
    assert links(page, "Category")[0] == "/week/2026-W15"


def test_below_a_path_every_link_of_a_list_is_below_it(
    installation: Installation, browse_site: Callable[[Installation], httpx.Client]
) -> None:
    fill(installation, [DAY], each=30)
    settings = installation.settings.model_copy(update={"public_url": "https://example.org/post"})
    below = Installation(settings, installation.database, installation.clock)
    page = browse_site(below).get("/week/2026-W15").text
    assert all(one.startswith("/post/") for one in re.findall(r'(?:href|action)="(/[^"]*)"', page))
