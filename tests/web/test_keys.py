"""What scripts add to lists: keys, votes without leaving the page, a button that copies."""

import pytest
from browser import Readers
from doors import Doors
from furnished import Furnished
from playwright.sync_api import Page, expect

from paperpost.service.links import Purpose
from paperpost.store import votes
from paperpost.web.visitor import COOKIE

pytest_plugins = ["furnished_on_stage"]


@pytest.fixture
def tab(furnished: Furnished, readers: Readers) -> Page:
    """The front page, in a browser on which Ada is signed in."""
    return front_page(furnished, readers)


def front_page(furnished: Furnished, readers: Readers, *, watched: bool = True) -> Page:
    page = readers.tab(watched=watched)
    token = furnished.doors().token(Purpose.SESSION)
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": furnished.base}])
    page.goto(f"{furnished.base}/")
    return page


def title(tab: Page, number: int) -> str:
    return tab.locator(".entry h2 a").nth(number).inner_text()


def focused(tab: Page) -> str:
    return str(tab.evaluate("document.activeElement.textContent"))


def press(tab: Page, *keys: str) -> None:
    for key in keys:
        tab.keyboard.press(key)


def up_votes(doors: Doors) -> int:
    here = doors.installation
    with here.database.reading() as session:
        own = votes.counted(session, here.clock(), [doors.subscriber_id])[doors.subscriber_id]
    return sum(vote.value == 1 for vote in own.values())


def test_j_and_k_walk_through_the_papers_and_o_opens_one(tab: Page) -> None:
    press(tab, "j", "j", "j", "k")
    assert focused(tab) == title(tab, 1)
    wanted = title(tab, 1)
    press(tab, "o")
    expect(tab.get_by_role("heading", level=1)).to_have_text(wanted)


def test_u_and_d_vote_without_leaving_the_page(tab: Page, furnished: Furnished) -> None:
    before = up_votes(furnished.doors())
    tab.evaluate("window.stayed = true")
    entry = tab.locator(".entry").nth(4)
    up = entry.get_by_role("button", name="More like this")
    expect(up).to_have_attribute("aria-pressed", "false")
    press(tab, "j", "j", "j", "j", "j", "u")
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(tab.get_by_role("status").last).to_have_text("You said: more like this.")
    assert up_votes(furnished.doors()) == before + 1
    press(tab, "d")
    expect(entry.get_by_role("button", name="Less like this")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(up).to_have_attribute("aria-pressed", "false")
    entry.get_by_role("button", name="Take back").click()
    expect(entry.get_by_role("button", name="Take back")).to_be_hidden()
    assert up_votes(furnished.doors()) == before
    assert tab.evaluate("window.stayed")


def test_a_vote_that_fails_is_told_and_shows_nothing(
    furnished: Furnished, readers: Readers
) -> None:
    tab = front_page(furnished, readers, watched=False)
    tab.context.clear_cookies()
    press(tab, "j", "u")
    expect(tab.get_by_role("status").last).to_have_text(
        "That did not work: your vote was not recorded."
    )
    up = tab.locator(".entry").first.get_by_role("button", name="More like this")
    expect(up).to_have_attribute("aria-pressed", "false")


def test_the_slash_leads_to_the_search_and_letters_typed_there_do_nothing(tab: Page) -> None:
    press(tab, "/")
    field = tab.get_by_label("Search papers")
    expect(field).to_be_focused()
    tab.keyboard.type("just ?/")
    expect(field).to_have_value("just ?/")
    expect(field).to_be_focused()
    assert not tab.get_by_role("dialog").is_visible()


def test_keys_with_others_held_down_stay_the_browsers(tab: Page) -> None:
    press(tab, "Control+j", "Alt+u", "Meta+k")
    assert focused(tab).startswith("Skip") or tab.evaluate(
        "document.activeElement === document.body"
    )


def test_the_question_mark_lists_the_keys_and_they_can_be_turned_off_for_good(tab: Page) -> None:
    press(tab, "?")
    expect(tab.get_by_role("dialog", name="Keys")).to_be_visible()
    tab.get_by_label("Single keys do this").uncheck()
    press(tab, "Escape")
    tab.reload()
    press(tab, "j", "?")
    assert not tab.get_by_role("dialog").is_visible()
    assert tab.evaluate("document.activeElement === document.body")
    tab.get_by_role("button", name="Keys").click()
    tab.get_by_label("Single keys do this").check()
    tab.get_by_role("button", name="Close").click()
    tab.locator("h1").click()
    press(tab, "j")
    assert focused(tab) == title(tab, 0)


def test_bibtex_is_copied(tab: Page, furnished: Furnished) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.goto(f"{furnished.base}/paper/{furnished.paper_id}")
    tab.get_by_text("BibTeX").click()
    tab.get_by_role("button", name="Copy").click()
    expect(tab.get_by_role("status").last).to_have_text("Copied.")
    assert str(tab.evaluate("navigator.clipboard.readText()")).startswith("@misc{")
