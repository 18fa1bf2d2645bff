"""What mail gateways do to a digest: open every link, run the scripts, submit every form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest
from doors import Doors, forms
from invented import Clock, with_settings
from mailed import Mailed

from paperpost.service.installation import Installation
from paperpost.service.links import Purpose

if TYPE_CHECKING:  # pytest itself is to load it, to rewrite what it asserts
    from chromium import Chromium, Page

pytest_plugins = ["chromium", "site_on_stage"]

USER_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120 OneOutlook/1.2023",
    "BarracudaCentral/1.0",
    "python-requests/2.31",
)


@pytest.fixture
def mailed(
    doors: Doors, client: httpx.Client, browse_site: Callable[[Installation], object]
) -> Mailed:
    """The digest, on the stage."""
    mailed = Mailed(doors, client)
    browse_site(mailed.here)
    return mailed


def fetch_all(mailed: Mailed) -> None:
    """HEAD and GET every link, as gateways do that run no scripts."""
    for agent in USER_AGENTS:
        for link in mailed.links():
            for method in ("HEAD", "GET"):
                answer = mailed.client.request(method, link, headers={"user-agent": agent})
                assert answer.status_code == 200, link


def submit_all(page: Page, mailed: Mailed) -> int:
    """Open every link in a browser that runs scripts, and submit every form of its page, one
    after the other; how many there were."""
    submitted = 0
    for link in mailed.links():
        page.open(link)
        for number in range(page.run("document.forms.length")):
            page.open(link)
            if page.run(f"document.forms.length > {number}"):
                page.submit(number)
                submitted += 1
    return submitted


def test_looking_at_every_link_of_a_mail_writes_nothing(
    mailed: Mailed, dump: Callable[[], list[str]]
) -> None:
    before = dump()
    fetch_all(mailed)
    assert dump() == before


@pytest.mark.parametrize("visits", [[60], [0, 60]])
def test_a_browser_that_submits_every_form_neither_votes_nor_unsubscribes(
    mailed: Mailed, chromium: Chromium, clock: Clock, visits: list[int]
) -> None:
    before = mailed.kept()
    page = chromium.new_page()
    for minutes in visits:
        clock.turn(minutes=minutes)
        fetch_all(mailed)
        assert submit_all(page, mailed) > 2 * len(mailed.more_links())
        assert mailed.kept() == before
    clock.turn(minutes=11)
    assert mailed.counted() == []
    voted = forms(mailed.client.get(mailed.more_links()[0]))[0].post(mailed.client)
    assert "You said: <strong>more like this" in voted.text
    clock.turn(minutes=10)
    assert mailed.counted() == [1]


def test_a_thumb_of_a_digest_that_is_not_new_is_the_vote(
    mailed: Mailed, chromium: Chromium, clock: Clock
) -> None:
    page, link = chromium.new_page(), mailed.more_links()[0]
    clock.turn(minutes=10)
    page.open(link)
    while "You said: more like this" not in page.run("document.body.innerText"):
        page.wait_until_loaded()
    clock.turn(minutes=10)
    assert mailed.counted() == [1]
    page.submit(2)
    page.open(link)
    assert page.run("document.scripts.length") == 0
    assert "You have not voted yet" in page.run("document.body.innerText")


PRESSED = "HTMLFormElement.prototype.requestSubmit = () => { window.pressed = true };"
DRIVEN = "Object.defineProperty(Navigator.prototype, 'webdriver', {get: () => true});"
UNSEEN = "Object.defineProperty(document, 'visibilityState', {get: () => window.seen || 'hidden'});"


@pytest.mark.parametrize(
    ("browser", "minutes", "presses"),
    [("", 10, True), ("", 9, None), (DRIVEN, 60, None), (UNSEEN, 60, None)],
)
def test_a_new_digest_a_driven_browser_and_a_page_unseen_do_not_vote_by_themselves(
    mailed: Mailed,
    chromium: Chromium,
    clock: Clock,
    browser: str,
    minutes: int,
    presses: bool | None,
) -> None:
    page = chromium.new_page()
    page.before_each_page(PRESSED + browser)
    clock.turn(minutes=minutes)
    page.open(mailed.more_links()[0])
    assert page.run("window.pressed") == presses


def test_a_page_votes_by_itself_when_it_comes_into_sight(
    mailed: Mailed, chromium: Chromium, clock: Clock
) -> None:
    page = chromium.new_page()
    page.before_each_page(PRESSED + UNSEEN)
    clock.turn(hours=1)
    page.open(mailed.more_links()[0])
    page.run("window.seen = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    assert page.run("window.pressed") is True


def test_the_operator_may_have_every_vote_asked_for(
    mailed: Mailed, clock: Clock, browse_site: Callable[[Installation], httpx.Client]
) -> None:
    clock.turn(hours=1)
    link = mailed.more_links()[0]
    assert "<script" in mailed.client.get(link).text
    assert "script-src 'self'" in mailed.client.get(link).headers["content-security-policy"]
    client = browse_site(with_settings(mailed.here, vote_one_tap=False))
    assert "<script" not in client.get(link).text
    assert "script-src" not in client.get(link).headers["content-security-policy"]


def test_no_page_but_that_of_a_vote_has_a_script(mailed: Mailed, clock: Clock) -> None:
    clock.turn(hours=1)
    for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.ACCESS, Purpose.CONFIRM):
        page = mailed.client.get(mailed.doors.path(purpose))
        assert "<script" not in page.text
        assert "script-src" not in page.headers["content-security-policy"]
