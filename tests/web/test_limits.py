"""How often the site may be asked, and by whom it is counted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from itertools import islice

import httpx
import pytest
from doors import Doors
from invented import Clock, join
from limits import RateLimitItemPerMinute

from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.train import train
from paperpost.service.turns import MOST_WAITING
from paperpost.web.guards import limits
from paperpost.web.visitor import COOKIE

pytest_plugins = ["site_on_stage"]

Limit = Callable[[str, int], None]
PREVIEW = "/subscribe?keywords=speech"


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Lowers a limit, before the first request."""
    return lambda name, most: monkeypatch.setattr(limits, name, RateLimitItemPerMinute(most))


def cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={token}"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_preview_by_the_address_of_the_form_counts_as_one_and_the_form_does_not(
    client: httpx.Client, limit: Limit
) -> None:
    limit("PER_PREVIEW", 4)
    path = f"/subscribe?keywords={'x' * 200}"
    asked = [client.get(path), client.head(path), client.post("/subscribe/preview")]
    asked += [client.post("/api/preview"), client.get(path)]
    assert [answer.status_code for answer in asked] == [400, 400, 200, 415, 429]
    assert asked[-1].headers["retry-after"] == "60"
    assert client.get("/subscribe").status_code == 200


def test_searches_by_the_page_and_by_the_api_are_one_count(
    client: httpx.Client, limit: Limit
) -> None:
    limit("PER_SEARCH", 2)
    asked = [client.get(path) for path in ("/search", "/api/search", "/search?q=x", "/api/search")]
    assert [answer.status_code for answer in asked] == [200, 422, 429, 429]
    elsewhere = {"x-forwarded-for": "203.0.113.7"}
    assert client.get("/search", headers=elsewhere).status_code == 200


def test_all_that_opens_somebodys_own_pages_is_one_count(
    installation: Installation, client: httpx.Client, doors: Doors, limit: Limit, clock: Clock
) -> None:
    limit("PER_PERSON", 5)
    earlier = doors.path(Purpose.PREFERENCES)
    clock.now += timedelta(seconds=1)
    mine = cookie(doors.token(Purpose.SESSION))
    asked = [
        client.get(earlier),
        client.get(doors.path(Purpose.PREFERENCES)),
        client.get(doors.path(Purpose.ACCESS)),
        client.get("/api/me", headers=bearer(doors.token(Purpose.API))),
        client.get("/api/me", headers=bearer(doors.token(Purpose.ACCESS))),
        client.get(earlier),
        client.get("/me/mine", headers=mine),
    ]
    assert [answer.status_code for answer in asked] == [200] * 5 + [429] * 2
    assert client.post(earlier).status_code == 400, "posts are counted apart"
    assert client.get(doors.path(Purpose.VOTE)).status_code == 200
    assert client.get(f"{doors.path(Purpose.FEED)}.xml").status_code == 200
    other = Doors(installation, join(installation, "grace"), "2604.07000")
    assert client.get(other.path(Purpose.PREFERENCES)).status_code == 200


def test_each_thumb_of_a_mail_has_its_own_count(
    client: httpx.Client, doors: Doors, limit: Limit
) -> None:
    limit("PER_LINK", 2)
    up, down = doors.path(Purpose.VOTE, 1), doors.path(Purpose.VOTE, -1)
    statuses = [client.get(path).status_code for path in (up, up, up, down)]
    assert statuses == [200, 200, 429, 200]


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.FEED, Purpose.CONFIRM])
def test_links_made_again_and_again_are_one_count(
    client: httpx.Client, doors: Doors, limit: Limit, clock: Clock, purpose: Purpose
) -> None:
    limit("PER_LINK", 2)
    ending = ".xml" if purpose == Purpose.FEED else ""
    statuses = []
    for _ in range(3):
        clock.now += timedelta(seconds=1)
        statuses.append(client.get(doors.path(purpose) + ending).status_code)
    assert statuses[2] == 429
    assert 429 not in statuses[:2]


def test_tokens_that_are_none_are_counted_for_who_shows_them(
    client: httpx.Client, doors: Doors
) -> None:
    fields = {"paper": "2604.07000", "value": "up"}
    asked = [
        client.get(f"/{purpose}/{number:040}").status_code
        for purpose in ("me", "access", "vote", "feed", "operator", "unsubscribe", "confirm")
        for number in range(6)
    ]
    asked += [client.post(f"/unsubscribe/{number:040}").status_code for number in range(6)]
    for number in range(4):
        made_up = f"{number:040}"
        asked.append(client.get("/api/me", headers=bearer(made_up)).status_code)
        asked.append(client.post("/vote", data=fields, headers=cookie(made_up)).status_code)
        asked.append(client.get("/me/mine", headers=cookie(made_up)).status_code)
    assert 429 not in asked
    assert len(asked) == 60
    wrong_door = f"/me/{doors.token(Purpose.VOTE)}"
    assert client.get(wrong_door).status_code == 429
    assert client.get("/api/me", headers=bearer("x")).status_code == 429
    assert client.get(doors.path(Purpose.PREFERENCES)).status_code == 200
    assert client.get("/", headers=cookie("x")).status_code == 200
    assert client.get(wrong_door, headers={"x-forwarded-for": "203.0.113.7"}).status_code == 404


def test_of_many_previews_at_once_a_few_wait_and_the_others_hold_no_page_up(
    installation: Installation, client: httpx.Client, doors: Doors
) -> None:
    train(installation)
    assert "What you would have got" in client.get(PREVIEW).text
    with ThreadPoolExecutor(60) as pool:
        with installation.slot.one_previews:
            asked = [pool.submit(client.get, PREVIEW) for _ in range(60)]
            done = as_completed(asked, timeout=20)
            refused = [one.result() for one in islice(done, 60 - MOST_WAITING)]
            healthy = client.get("/healthz")
            by_api = client.post("/api/preview", json={"keywords": ["speech"]})
            rating = client.get(f"{doors.path(Purpose.PREFERENCES)}/rate")
        waited = [one.result() for one in done]
    assert {answer.status_code for answer in refused} == {503}
    assert {answer.headers["retry-after"] for answer in refused} == {"5"}
    assert 'name="keywords"' in refused[0].text
    assert 'value="speech"' in refused[0].text, "what was typed is not lost"
    assert healthy.status_code == 200
    assert (by_api.status_code, by_api.headers["retry-after"]) == (503, "5")
    assert by_api.json()["detail"].startswith("Too many readers are waiting")
    assert (rating.status_code, rating.headers["retry-after"]) == (503, "5")
    assert [answer.status_code for answer in waited] == [200] * MOST_WAITING
    assert client.get(PREVIEW).status_code == 200
