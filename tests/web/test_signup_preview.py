"""The subscribe form's preview, posted by the form itself and followed by a script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest
from browser import PHONE, Readers
from doors import Form, forms
from furnished import Furnished
from invented import with_settings
from playwright.sync_api import Page, Route, expect
from sqlalchemy import text

from paperpost.service.account import export
from paperpost.web.app import create_app

if TYPE_CHECKING:  # pytest itself is to load it, to rewrite what it asserts
    from site_on_stage import Stage

pytest_plugins = ["furnished_on_stage"]

PREVIEW = "/subscribe/preview"
TYPED = {"email": "zoe@example.org", "keywords": "speech recognition, dogs", "muted": "survey"}


@pytest.fixture
def client(stage: Stage, furnished: Furnished) -> httpx.Client:
    """A client of the furnished site."""
    assert furnished.base
    return stage.client


def form_of(page: httpx.Response) -> Form:
    """The subscribe form of a page."""
    return next(form for form in forms(page) if form.action == "/subscribe")


def handles(page: httpx.Response, name: str) -> list[str]:
    """The values of the buttons that add something, or mute it."""
    return re.findall(rf'<button [^>]*name="{name}" value="([^"]+)"', page.text)


def test_a_link_fills_the_form_in_and_shows_what_it_would_bring(client: httpx.Client) -> None:
    query = {"keywords": "speech recognition", "muted": "survey", "email": "zoe@example.org"}
    page = client.get("/subscribe", params=query)
    assert page.status_code == 200
    fields = form_of(page).fields
    assert (fields["keywords"], fields["muted"], fields["email"]) == (
        *("speech recognition", "survey"),
        "",  # an address in a link would stand in the logs of servers
    )
    assert "What you would have got of" in page.text
    assert "matches “speech recognition”" in page.text
    assert len(page.content) < 100_000


def test_the_preview_of_a_form_keeps_what_was_typed_and_stores_nothing(
    client: httpx.Client, furnished: Furnished
) -> None:
    page = client.post(PREVIEW, data={**TYPED, "timezone": "Europe/Berlin", "hour": "7"})
    assert page.status_code == 200
    fields = form_of(page).fields
    assert {name: fields[name] for name in TYPED} == TYPED
    assert (fields["timezone"], fields["hour"]) == ("Europe/Berlin", "7")
    assert "“dogs” is in none" in page.text
    assert "No paper stored here mentions “dogs” yet" in page.text
    with furnished.installation.database.reading() as session:
        found = text("SELECT count(*) FROM subscriber WHERE email LIKE 'zoe%'")
        assert session.connection().execute(found).scalar() == 0


def test_the_buttons_of_a_paper_add_its_words_to_the_form_or_mute_them(
    client: httpx.Client,
) -> None:
    page = client.post(PREVIEW, data=TYPED)
    kinds = {kind: f"{kind}s" for kind in ("keyword", "author")} | {"category": "categories"}
    for kind, field in kinds.items():
        value = next(one for one in handles(page, "add") if one.startswith(f"{kind}:"))
        added = client.post(PREVIEW, data={**TYPED, "add": value})
        term = value.partition(":")[2]
        assert form_of(added).fields[field].split(", ")[-1] == term
        assert value not in handles(added, "add")
        assert form_of(added).fields["email"] == "zoe@example.org"
    first = handles(page, "mute")[0]
    muted = client.post(PREVIEW, data={**TYPED, "mute": first})
    assert form_of(muted).fields["muted"] == f"survey, {first}"
    assert first not in handles(muted, "mute")
    assert form_of(muted).fields["keywords"] == TYPED["keywords"]


def test_enter_in_a_field_presses_no_button_of_a_paper(client: httpx.Client) -> None:
    page = client.post(PREVIEW, data=TYPED).text
    form = page[page.index('action="/subscribe"') :]
    first = re.findall(r"<button[^>]*>[^<]*", form)[0]
    assert first == "<button>Subscribe"  # HTML, section 4.10.21.2: the default button


@pytest.mark.parametrize(
    "posted",
    [
        {"add": "keyword:"},
        {"add": "forgotten:speech"},
        {"add": ""},
        {"mute": ""},
        {"add": "keyword:" + "x" * 200},
        {"keywords": ", ".join(f"word{number}" for number in range(50)), "add": "keyword:one"},
    ],
)
def test_a_button_that_is_not_ours_adds_nothing(
    client: httpx.Client, posted: dict[str, str]
) -> None:
    page = client.post(PREVIEW, data={"muted": "survey", **posted})
    assert page.status_code in (200, 400)
    assert form_of(page).fields["keywords"] == posted.get("keywords", "")
    assert form_of(page).fields["muted"] == "survey"


def test_what_cannot_be_asked_for_is_told_and_comes_back(client: httpx.Client) -> None:
    page = client.get("/subscribe", params={"keywords": "<b>" + "x" * 200})
    assert page.status_code == 400
    assert "at most 100 characters each" in page.text
    assert form_of(page).fields["keywords"].startswith("<b>x")
    assert "<b>x" not in page.text


def test_all_that_the_form_asks_for_is_kept(client: httpx.Client, furnished: Furnished) -> None:
    schedule = {"timezone": "Europe/Berlin", "hour": "7", "frequency": "weekdays"}
    interests = {"authors": "Emmy Noether", "categories": "cs.CL; cs.LG"}
    page = client.post("/subscribe", data={**TYPED, **schedule, **interests})
    assert "Look into your mailbox" in page.text
    zoe = export(furnished.installation, "zoe@example.org")
    kept = {name: zoe["interests"][name] for name in ("keywords", "authors", "categories", "muted")}
    assert kept == {
        "keywords": ["speech recognition", "dogs"],
        "authors": ["Emmy Noether"],
        "categories": ["cs.CL", "cs.LG"],
        "muted": ["survey"],
    }
    assert [zoe[name] for name in ("timezone", "hour", "frequency")] == [
        *("Europe/Berlin", 7),
        "weekdays",
    ]


def test_one_client_cannot_ask_for_previews_without_end(client: httpx.Client) -> None:
    codes = {client.post(PREVIEW, data={"keywords": "x" * 200}).status_code for _ in range(120)}
    assert codes == {400}
    assert client.post(PREVIEW).status_code == 429
    assert client.post("/subscribe").status_code == 400  # its own limit


def test_where_signup_is_closed_there_is_no_form(furnished: Furnished, stage: Stage) -> None:
    stage.app = create_app(with_settings(furnished.installation, signup=("closed",)))
    page = stage.client.get("/subscribe?keywords=speech")
    assert "Subscribing by a form is closed here" in page.text
    assert "/subscribe.js" not in page.text


@pytest.fixture
def tab(readers: Readers, furnished: Furnished) -> Page:
    """The subscribe form in a browser with scripts."""
    tab = readers.tab(PHONE)
    tab.goto(f"{furnished.base}/subscribe")
    return tab


def test_the_preview_follows_what_is_typed_and_the_cursor_stays(tab: Page) -> None:
    field = tab.get_by_label("What you read about")
    field.press_sequentially("speech recognition")
    expect(tab.locator("#preview-told")).to_contain_text("“speech recognition” is in")
    expect(tab.locator(".previewed li")).to_have_count(10)
    expect(field).to_be_focused()
    expect(field).to_have_value("speech recognition")
    assert tab.url.endswith("/subscribe")
    assert tab.locator("#preview").get_by_role("status").count() == 1
    zone = tab.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert tab.locator("#timezone").input_value() == zone


def test_buttons_of_papers_change_the_form_in_place(tab: Page) -> None:
    tab.get_by_label("E-mail address").fill("zoe@example.org")
    tab.get_by_label("What you read about").fill("speech recognition")
    button = tab.locator("button[name=add]").first
    term = (button.get_attribute("value") or "").partition(":")[2]
    button.press("Enter")
    expect(tab.locator("#keywords")).to_have_value(f"speech recognition, {term}")
    expect(tab.locator("#preview-told")).to_contain_text(f"“{term}” is in")
    expect(tab.locator("#preview-title")).to_be_focused()
    tab.locator(".previewed summary").first.click()
    mute = tab.locator("button[name=mute]").first
    muted = mute.get_attribute("value") or ""
    mute.click()
    expect(tab.locator("#muted")).to_have_value(muted)
    expect(tab.locator("#muted")).to_be_visible()
    assert tab.locator("#email").input_value() == "zoe@example.org"
    tab.locator("#email").press("Enter")
    expect(tab.get_by_role("heading", name="Look into your mailbox")).to_be_visible()


def test_an_answer_that_comes_late_is_dropped(tab: Page) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    tab.route("**/subscribe/preview", hold_the_first)
    field = tab.get_by_label("What you read about")
    field.fill("speech")
    with tab.expect_request("**/subscribe/preview"):
        field.press("Enter")
    field.fill("graphs")
    with tab.expect_event("requestfailed") as dropped:
        field.press("Enter")
    told = tab.locator("#preview-told")
    expect(told).to_contain_text("“graphs” is in")
    assert dropped.value == held[0].request
