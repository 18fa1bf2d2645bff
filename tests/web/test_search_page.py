"""The search page: for everybody, and for somebody who is signed in."""

import html
import re
from datetime import timedelta

import httpx
import pytest
from doors import DAY, Doors, forms
from invented import Invented, fill

from paperpost.service.account import show
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.train import train
from paperpost.service.wishes import MOST_TERMS
from paperpost.web.visitor import COOKIE

pytest_plugins = ["site_on_stage"]


def titles(page: httpx.Response) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'<h2><a href="[^"]*">(.*?)</a>', page.text)]


def keywords(doors: Doors) -> list[str]:
    return show(doors.installation, doors.subscriber_id).interests["keyword"]


@pytest.fixture
def signed_in(doors: Doors) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={doors.token(Purpose.SESSION)}"}


def test_papers_are_found_by_words_and_by_meaning(
    installation: Installation, client: httpx.Client, papers: list[Invented]
) -> None:
    train(installation)
    page = client.get("/search", params={"q": "speech recognition"})
    assert page.status_code == 200
    assert "4 papers have these words" in page.text
    assert all(title.startswith("Speech study") for title in titles(page))
    assert "has your words" in page.text
    assert "near in meaning" in page.text
    for address in re.findall(r'<h2><a href="([^"]*)"', page.text):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("q", ["", "  ", "\0", None])
def test_without_words_the_page_explains_itself(client: httpx.Client, q: str | None) -> None:
    page = client.get("/search", params={} if q is None else {"q": q})
    assert page.status_code == 200
    assert "In quotes" in page.text


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"q": "zxqv"}, "No paper here has any of these words. Another spelling may help"),
        ({"q": "zxqv", "category": "cs.LG"}, "No paper here has any of these words."),
        (
            {"q": "speech", "category": "math"},
            "No paper here has all of these words, in that category and those days. Another",
        ),
        ({"q": "speech zxqv"}, "No paper has all of these words; 4 listed that have some of them."),
        ({"q": "arXiv:1601.00001v2"}, "No paper here has this id."),
        (
            {"q": "speech", "since": "2026-04-08", "until": "2026-04-07"},
            "That did not work: the first day is after the last.",
        ),
        ({"q": "-speech"}, "That did not work: something to look for is missing"),
    ],
)
def test_where_nothing_is_found_the_page_says_why(
    client: httpx.Client, papers: list[Invented], asked: dict[str, str], told: str
) -> None:
    page = client.get("/search", params=asked)
    assert page.status_code == (400 if "did not work" in told else 200)
    assert told in " ".join(re.sub("<[^>]*>", " ", page.text).split())


def test_an_id_brings_its_paper_and_nothing_to_follow(
    client: httpx.Client, papers: list[Invented]
) -> None:
    page = client.get("/search", params={"q": f"https://arxiv.org/abs/{papers[0].id}v2"})
    assert "The paper with this id." in page.text
    assert len(titles(page)) == 1
    assert "Get such papers by mail" not in page.text


def test_pages_and_order_keep_what_was_asked_for(
    installation: Installation, client: httpx.Client
) -> None:
    fill(installation, [DAY - timedelta(days=1), DAY], each=15)
    asked = {"q": "speech & <i>", "category": "cs", "since": "2026-04-01"}
    first = client.get("/search", params={**asked, "q": "speech recognition", "order": "newest"})
    addresses = {html.unescape(one) for one in re.findall(r'href="(/search\?[^"]*)"', first.text)}
    second = next(one for one in addresses if "page=2" in one)
    assert "category=cs&since=2026-04-01" in second
    assert "order=newest" in second
    page = client.get(second)
    assert len(titles(page)) == 10
    assert set(titles(page)).isdisjoint(titles(first))
    assert client.get("/search", params={**asked, "page": "3"}).status_code == 404


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999", "1.0", "\0"])
def test_what_is_no_page_is_not_found(client: httpx.Client, page: str) -> None:
    assert client.get("/search", params={"q": "speech", "page": page}).status_code == 404


def test_what_is_no_order_is_not_found(client: httpx.Client) -> None:
    assert client.get("/search", params={"q": "speech", "order": "bogus"}).status_code == 404


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "20260528", "<b>", "\0", "9" * 500])
def test_what_is_no_day_is_said(client: httpx.Client, papers: list[Invented], day: str) -> None:
    page = client.get("/search", params={"q": "speech", "since": day})
    assert page.status_code == 400
    assert "not a day" in page.text
    assert "<b>" not in page.text


@pytest.mark.parametrize(
    "hostile",
    ['"><script>alert(1)</script>', "' OR 1=1 --", "{{ 7*7 }}", "%00%ff", "\u202e", "a" * 5_000],
)
def test_whatever_is_typed_comes_back_as_text(
    client: httpx.Client, papers: list[Invented], hostile: str
) -> None:
    for name in ("q", "category"):
        page = client.get("/search", params={"q": "speech", name: hostile})
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert len(page.content) < 100_000
    page = client.get("/search", params={"q": "speech", "order": hostile})
    assert page.status_code == 404
    assert "<script>alert" not in page.text


def test_everybody_may_get_such_papers_by_mail(
    client: httpx.Client, papers: list[Invented]
) -> None:
    page = client.get("/search", params={"q": 'speech & "words of speakers" -graph'})
    found = re.search(r'href="(/subscribe\?keywords=[^"]*)"', page.text)
    assert found is not None
    form = client.get(html.unescape(found[1]))
    assert 'value="words of speakers, speech"' in form.text
    assert "/search/follow" not in page.text


def test_a_visitor_follows_what_they_searched_for(
    doors: Doors, client: httpx.Client, signed_in: dict[str, str]
) -> None:
    page = client.get("/search", params={"q": "Audio recording"}, headers=signed_in)
    (form,) = [one for one in forms(page) if one.action.endswith("/search/follow")]
    before = keywords(doors)
    done = client.post(form.action, data=form.fields, headers=signed_in)
    assert done.status_code == 200
    assert "You follow “Audio recording” now" in done.text
    assert 'href="/me/mine/interests"' in done.text
    assert keywords(doors) == [*before, "Audio recording"]
    again = client.post(form.action, data=form.fields, headers=signed_in)
    assert "follow this already" in again.text
    assert keywords(doors) == [*before, "Audio recording"]


def test_looking_follows_nothing(
    doors: Doors, client: httpx.Client, signed_in: dict[str, str]
) -> None:
    before = keywords(doors)
    client.get("/search", params={"q": "speech"}, headers=signed_in)
    assert client.get("/search/follow", params={"q": "speech"}, headers=signed_in).status_code > 400
    assert keywords(doors) == before


def test_nobody_follows_for_somebody_else(
    doors: Doors, client: httpx.Client, signed_in: dict[str, str]
) -> None:
    before = keywords(doors)
    assert client.post("/search/follow", data={"q": "speech"}).status_code == 403
    elsewhere = signed_in | {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/search/follow", data={"q": "x"}, headers=elsewhere).status_code == 403
    assert keywords(doors) == before


@pytest.mark.parametrize("q", ["", "\0", "-speech", "a" * 150])
def test_what_cannot_be_followed_changes_nothing(
    doors: Doors, client: httpx.Client, signed_in: dict[str, str], q: str
) -> None:
    before = keywords(doors)
    done = client.post("/search/follow", data={"q": q}, headers=signed_in)
    assert done.status_code == (400 if q.startswith("a") else 200)
    assert "counts from your next digest" not in done.text
    assert keywords(doors) == before


def test_there_is_an_end_to_what_one_may_follow(
    doors: Doors, client: httpx.Client, signed_in: dict[str, str]
) -> None:
    many = ",".join(f"word{number}" for number in range(MOST_TERMS - len(keywords(doors))))
    for part in (many[:200], many[200:]):
        client.post("/search/follow", data={"q": part}, headers=signed_in)
    while len(keywords(doors)) < MOST_TERMS:
        client.post("/search/follow", data={"q": f"more{len(keywords(doors))}"}, headers=signed_in)
    done = client.post("/search/follow", data={"q": "one too many"}, headers=signed_in)
    assert done.status_code == 400
    assert "at most 50" in done.text
    assert len(keywords(doors)) == MOST_TERMS
