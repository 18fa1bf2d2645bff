"""What scripts add to lists: keys, votes without leaving the page, a button that copies."""

import re
from urllib.parse import parse_qs

import pytest
from browser import PHONE, Readers
from doors import Doors
from furnished import Furnished
from playwright.sync_api import Page, Request, Route, expect

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


def slowed(tab: Page) -> list[str]:
    """Votes that are posted from now on, of which the first is on its way for long."""
    tab.evaluate(
        """() => {
          const real = window.fetch;
          let first = true;
          window.fetch = async (...asked) => {
            if (first) {
              first = false;
              await new Promise((go) => setTimeout(go, 300));
            }
            return real(...asked);
          };
        }"""
    )
    return posted(tab)


def posted(tab: Page) -> list[str]:
    """The values of votes that are posted from now on."""
    seen: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            seen.extend(parse_qs(request.post_data or "")["value"])

    tab.on("request", note)
    return seen


def test_of_quick_presses_on_one_paper_the_last_counts(tab: Page, furnished: Furnished) -> None:
    before = up_votes(furnished.doors())
    seen = slowed(tab)
    entry = tab.locator(".entry").nth(4)
    press(tab, "j", "j", "j", "j", "j", "d", "u")
    expect(tab.get_by_role("status").last).to_have_text("You said: more like this.")
    assert seen == ["down", "up"]
    for name, state in (("More like this", "true"), ("Less like this", "false")):
        expect(entry.get_by_role("button", name=name)).to_have_attribute("aria-pressed", state)
    assert up_votes(furnished.doors()) == before + 1


def test_where_the_last_press_fails_the_one_before_it_shows(
    furnished: Furnished, readers: Readers
) -> None:
    tab = front_page(furnished, readers, watched=False)
    entry = tab.locator(".entry").nth(4)
    slowed(tab)
    press(tab, "j", "j", "j", "j", "j")
    tab.route("**/vote", lambda route: fulfil_but(route, "down"))
    press(tab, "u", "d")
    expect(tab.get_by_role("status").last).to_have_text(
        "That did not work: your vote was not recorded."
    )
    up = entry.get_by_role("button", name="More like this")
    expect(up).to_have_attribute("aria-pressed", "true")


def fulfil_but(route: Route, value: str) -> None:
    """Let votes pass, but those of this value."""
    if f"value={value}" in (route.request.post_data or ""):
        route.abort()
    else:
        route.continue_()


def test_a_key_held_down_and_one_pressed_again_post_one_vote(tab: Page) -> None:
    seen = posted(tab)
    entry = tab.locator(".entry").nth(4)
    press(tab, "j", "j", "j", "j", "j")
    for _ in range(4):
        tab.keyboard.down("u")
    tab.keyboard.up("u")
    up = entry.get_by_role("button", name="More like this")
    expect(up).to_have_attribute("aria-pressed", "true")
    press(tab, "u")
    for _ in range(4):
        tab.keyboard.down("d")
    expect(up).to_have_attribute("aria-pressed", "false")
    assert seen == ["up", "down"]


def test_u_and_d_tell_somebody_who_is_not_signed_in_how_to_vote(
    furnished: Furnished, readers: Readers
) -> None:
    tab = readers.tab()
    for path in ("/", f"/paper/{furnished.paper_id}"):
        for key in ("u", "d"):
            tab.goto(f"{furnished.base}{path}")
            press(tab, key)
            said = tab.get_by_role("status").last
            expect(said).to_have_text("Sign in with your link to vote.")


def test_the_slash_leads_to_the_page_of_search_where_the_header_has_no_field(
    furnished: Furnished, readers: Readers
) -> None:
    tab = readers.tab(PHONE)
    tab.goto(f"{furnished.base}/")
    press(tab, "/")
    expect(tab).to_have_url(re.compile("/search#q$"))
    expect(tab.get_by_label("Words, names, or what it is about")).to_be_focused()


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
