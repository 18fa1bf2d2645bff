"""What mail gateways do to a digest: open every link, run the scripts, submit every form."""

import json
from collections.abc import Callable
from itertools import product

import httpx
import pytest
from browser import Readers
from doors import Doors, forms
from invented import Clock, with_settings
from mailed import Mailed
from playwright.sync_api import Page

from paperpost.service import subscribe
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.wishes import Wishes

pytest_plugins = ["site_on_stage"]

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


def fetch_all(mailed: Mailed, *more: str) -> None:
    """HEAD and GET every link, as gateways do that run no scripts."""
    for agent in USER_AGENTS:
        for link in (*mailed.links(), *more):
            for method in ("HEAD", "GET"):
                answer = mailed.client.request(method, link, headers={"user-agent": agent})
                assert answer.status_code == 200, link


Found = tuple[str, tuple[tuple[str, str], ...]]

FORMS = """Array.from(document.forms).map(form => [
    new URL(form.getAttribute("action"), document.URL).href,
    Array.from(new FormData(form).entries()),
])"""
SUBMIT = """(([action, fields]) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = action;
    for (const [name, value] of fields) {
        const field = document.createElement("textarea");
        field.name = name;
        field.value = value;
        form.append(field);
    }
    document.body.append(form);
    HTMLFormElement.prototype.submit.call(form);
})(%s)"""


class Scanner:
    """A program with a browser that opens every link of a mail, runs the scripts, and submits
    every form as it stands, if it `follows` those of the answers too; each page takes it
    `seconds`."""

    def __init__(self, page: Page, clock: Clock, seconds: float, *, follows: bool) -> None:
        self._page, self._clock, self._seconds, self._follows = page, clock, seconds, follows
        self._done: set[Found] = set()

    def page_by_page(self, links: list[str]) -> int:
        """Each page, then its forms; how many forms there were."""
        for link in links:
            for form in self._open(link):
                self._submit(form)
        return len(self._done)

    def pages_then_forms(self, links: list[str]) -> int:
        """All pages, then all forms; how many there were."""
        for form in [form for link in links for form in self._open(link)]:
            self._submit(form)
        return len(self._done)

    def _open(self, link: str) -> list[Found]:
        self._clock.turn(seconds=self._seconds)
        self._page.goto(link)
        return self._forms()

    def _forms(self) -> list[Found]:
        return [
            (action, tuple(map(tuple, fields))) for action, fields in self._page.evaluate(FORMS)
        ]

    def _submit(self, form: Found) -> None:
        if form in self._done:
            return
        self._done.add(form)
        self._clock.turn(seconds=self._seconds)
        with self._page.expect_navigation():
            self._page.evaluate(SUBMIT % json.dumps(form))
        for following in self._forms() if self._follows else ():
            self._submit(following)


def test_looking_at_every_link_of_a_mail_writes_nothing(
    mailed: Mailed, dump: Callable[[], list[str]]
) -> None:
    subscribe.by_form(mailed.here, "ben@example.org", Wishes())
    ben = Doors(mailed.here, "ben@example.org", "2604.07000")
    before = dump()
    fetch_all(mailed, ben.path(Purpose.CONFIRM), ben.path(Purpose.ACCESS))
    assert dump() == before
    assert ben.subscriber().state == "pending"


WAYS = (Scanner.page_by_page, Scanner.pages_then_forms)
# Ways, whether answers are followed, seconds a page takes, minutes after the mail.
VISITS = list(product(WAYS, (False, True), (0, 0.5, 4, 15), (0, 2, 60)))
QUICK = {
    (0, True, 0, 60),
    (1, False, 4, 60),
    (0, False, 15, 2),
    (1, True, 4, 0),
}


@pytest.mark.parametrize(
    ("way", "follows", "seconds", "minutes"),
    [
        pytest.param(
            way, *rest, marks=() if (WAYS.index(way), *rest) in QUICK else pytest.mark.slow
        )
        for way, *rest in VISITS
    ],
)
def test_a_program_that_submits_every_form_neither_votes_nor_unsubscribes(
    mailed: Mailed,
    readers: Readers,
    clock: Clock,
    way: Callable[[Scanner, list[str]], int],
    follows: bool,
    seconds: float,
    minutes: int,
) -> None:
    before = mailed.kept()
    clock.turn(minutes=minutes)
    fetch_all(mailed)
    assert way(Scanner(readers.tab(), clock, seconds, follows=follows), mailed.links()) > 12
    assert mailed.kept() == before
    clock.turn(minutes=11)
    assert mailed.counted() == []
    clock.turn(minutes=60)
    assert mailed.counted() == []
    voted = forms(mailed.client.get(mailed.more_links()[0]))[0].post(mailed.client)
    assert "You said: <strong>more like this" in voted.text
    clock.turn(minutes=10)
    assert mailed.counted() == [1]
    leave = mailed.doors.path(Purpose.UNSUBSCRIBE)
    assert "You are unsubscribed" in forms(mailed.client.get(leave))[0].post(mailed.client).text
    assert mailed.doors.subscriber().state == "unsubscribed"


def test_a_thumb_of_a_digest_that_is_not_new_is_the_vote(
    mailed: Mailed, readers: Readers, clock: Clock
) -> None:
    page, link = readers.tab(), mailed.more_links()[0]
    clock.turn(minutes=10)
    page.goto(link)
    page.get_by_text("You said: more like this").wait_for()
    clock.turn(minutes=10)
    assert mailed.counted() == [1]
    page.get_by_role("button", name="Take it back").click()
    page.goto(link)
    assert page.locator("script").count() == 0
    assert page.get_by_text("You have not voted yet").is_visible()


PRESSED = "HTMLFormElement.prototype.requestSubmit = () => { window.pressed = true };"
DRIVEN = "Object.defineProperty(Navigator.prototype, 'webdriver', {get: () => true});"
UNSEEN = "Object.defineProperty(document, 'visibilityState', {get: () => window.seen || 'hidden'});"


@pytest.mark.parametrize(
    ("browser", "minutes", "presses"),
    [("", 10, True), ("", 9, None), (DRIVEN, 60, None), (UNSEEN, 60, None)],
)
def test_a_new_digest_a_driven_browser_and_a_page_unseen_do_not_vote_by_themselves(
    mailed: Mailed,
    readers: Readers,
    clock: Clock,
    browser: str,
    minutes: int,
    presses: bool | None,
) -> None:
    page = readers.tab()
    page.add_init_script(PRESSED + browser)
    clock.turn(minutes=minutes)
    page.goto(mailed.more_links()[0])
    assert page.evaluate("window.pressed") == presses


def test_a_page_votes_by_itself_when_it_comes_into_sight(
    mailed: Mailed, readers: Readers, clock: Clock
) -> None:
    page = readers.tab()
    page.add_init_script(PRESSED + UNSEEN)
    clock.turn(hours=1)
    page.goto(mailed.more_links()[0])
    page.evaluate("window.seen = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("window.pressed") is True


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


def test_no_script_runs_where_one_is_unsubscribed(mailed: Mailed, clock: Clock) -> None:
    clock.turn(hours=1)
    page = mailed.client.get(mailed.doors.path(Purpose.UNSUBSCRIBE))
    assert "<script" not in page.text
    assert "script-src" not in page.headers["content-security-policy"]
