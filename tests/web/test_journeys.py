"""What readers do, as they do it: by the site's pages in a real browser and by the links of mails
that a real mail server took, on a desktop and on a phone, with and without scripts."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from browser import DESKTOP, PHONE, Readers
from furnished import ADA, Furnished
from invented import Clock
from playwright.sync_api import expect
from reader import Reader, address
from smtp_server import Postbox

from paperpost.engine.runs import compose_all_due
from paperpost.service.links import Purpose
from paperpost.store import subscribers, votes
from paperpost.store.tables import InterestKind

pytest_plugins = ["furnished_on_stage"]

ZOE = "zoe@example.org"
VIEWS = [
    pytest.param((screen, script), id=screen.name if script else f"{screen.name}-without-scripts")
    for screen in (DESKTOP, PHONE)
    for script in (True, False)
]


@pytest.fixture
def site(furnish_site: Callable[..., Furnished], postbox: Postbox) -> Furnished:
    """The furnished site, which mails through a mail server."""
    return furnish_site(smtp_url=postbox.url)


@pytest.fixture(params=VIEWS)
def reader(
    request: pytest.FixtureRequest, site: Furnished, readers: Readers, postbox: Postbox
) -> Reader:
    """One at a time: on a desktop, on a phone, and each again without scripts."""
    screen, script = request.param
    return Reader(site, readers.tab(screen, script=script), postbox, script=script)


@pytest.fixture
def clock(site: Furnished) -> Clock:
    """The site's."""
    clock = site.installation.clock
    assert isinstance(clock, Clock)
    return clock


def next_morning(site: Furnished, clock: Clock) -> None:
    """Go on to the next digests."""
    clock.turn(hours=2)
    assert compose_all_due(site.installation, Event())["queued"]


def state(site: Furnished, email: str) -> str | None:
    """What somebody is now; None: nothing is stored about them."""
    with site.installation.database.reading() as session:
        person = subscribers.by_email(session, email)
        return None if person is None else str(person.state)


def counted(site: Furnished) -> list[int]:
    """The values of Ada's votes that count now."""
    number = site.doors().subscriber_id
    with site.installation.database.reading() as session:
        own = votes.counted(session, site.installation.clock(), [number])[number]
    return sorted(vote.value for vote in own.values())


def terms(site: Furnished, kind: InterestKind) -> list[str]:
    """What Ada asked for."""
    number = site.doors().subscriber_id
    with site.installation.database.reading() as session:
        own = subscribers.interests(session, [number])[number]
    return own.get(kind, [])


def test_from_the_front_page_to_the_first_digest(
    reader: Reader, site: Furnished, clock: Clock
) -> None:
    reader.go("/")
    reader.type("What you read about", "speech recognition, translation")
    reader.type("E-mail address", ZOE)
    reader.press("Subscribe")
    reader.sees("Look into your mailbox")
    reader.tab.goto(address(reader.mail(ZOE), r"(https?://\S+/confirm/\S+)"))
    assert state(site, ZOE) == "pending"
    reader.press("Confirm my subscription")
    reader.sees("You are subscribed")
    assert state(site, ZOE) == "active"
    next_morning(site, clock)
    assert reader.mail(ZOE).count("More like this: ") == 10


def test_the_preview_follows_what_is_typed_and_pressed(reader: Reader, site: Furnished) -> None:
    reader.go("/subscribe")
    reader.type("What you read about", "speech recognition")
    reader.type("E-mail address", ZOE)
    if not reader.script:
        reader.press("Preview")
    preview = reader.tab.locator("#preview")
    expect(preview.get_by_role("heading", level=3).first).to_contain_text("Speech")
    added = preview.get_by_role("button", name=re.compile("^\\+ ")).first
    word = added.inner_text().removeprefix("+ ")
    added.click()
    keywords = reader.tab.get_by_label("What you read about")
    expect(keywords).to_have_value(f"speech recognition, {word}")
    preview.get_by_text("Mute").first.click()
    preview.get_by_role("button", name="Mute cs.").first.click()
    expect(reader.tab.get_by_label("Never papers with")).to_have_value(re.compile(r"^cs\.\w+$"))
    assert state(site, ZOE) is None
    reader.tab.get_by_label("E-mail address").fill(ZOE)
    reader.press("Subscribe")
    reader.sees("Look into your mailbox")
    assert state(site, ZOE) == "pending"


def test_a_thumb_of_a_mail_votes_and_is_taken_back(
    reader: Reader, site: Furnished, clock: Clock
) -> None:
    next_morning(site, clock)
    mail = reader.mail()
    before = counted(site)
    clock.turn(hours=1)
    reader.follow(mail, "Less like this")
    reader.sees("You have not voted yet")
    reader.press("Less like this")
    reader.sees("You said: less like this")
    clock.turn(minutes=11)
    assert sum(counted(site)) == sum(before) - 1
    reader.press("Take it back")
    reader.sees("Your vote is taken back")
    clock.turn(minutes=11)
    assert counted(site) == before


def test_votes_are_cast_and_undone_where_papers_stand(reader: Reader, site: Furnished) -> None:
    before = counted(site)
    reader.go(site.path(Purpose.PREFERENCES))
    reader.press("Keep me signed in on this browser")
    reader.sees("You are signed in on this browser")
    reader.go("/")
    entry = reader.tab.locator(".entry").nth(3)
    more = entry.get_by_role("button", name="More like this")
    more.click()
    expect(more).to_have_attribute("aria-pressed", "true")
    assert sum(counted(site)) == sum(before) + 1
    entry.get_by_role("button", name="Take back").click()
    expect(more).to_have_attribute("aria-pressed", "false")
    assert counted(site) == before
    reader.tab.get_by_role("link", name="My Paperpost").click()
    reader.press("Sign out")
    reader.go("/")
    reader.sees("My link")


def test_the_page_of_votes_takes_back_and_puts_back(reader: Reader, site: Furnished) -> None:
    before = counted(site)
    reader.go(site.path(Purpose.PREFERENCES))
    reader.tab.get_by_role("link", name="Votes", exact=True).click()
    reader.tab.locator(".cast input").first.check()
    reader.press("Take back what is ticked")
    reader.sees("Taken back")
    assert len(counted(site)) == len(before) - 1
    reader.press("Undo")
    expect(reader.tab.get_by_text("Taken back")).to_have_count(0)
    assert counted(site) == before
    reader.sees("5 automatic clicks ignored")
    reader.tab.locator("#ignored input[type=checkbox]").first.check()
    reader.press("It was me")
    reader.sees("4 automatic clicks ignored")
    assert len(counted(site)) == len(before) + 1


def test_ratings_are_votes_and_what_they_teach_can_be_forgotten(
    reader: Reader, site: Furnished
) -> None:
    before = counted(site)
    reader.go(site.path(Purpose.PREFERENCES))
    reader.tab.get_by_role("link", name="Rate ten papers").click()
    papers = reader.tab.get_by_role("group")
    for place in range(3):  # all of them at once would be those of whatever page is there
        papers.nth(place).get_by_label("I would read it").check()
    reader.press("Save")
    reader.sees("3 papers rated")
    assert sum(counted(site)) == sum(before) + 3
    reader.tab.get_by_role("link", name="What I like").click()
    word = reader.tab.locator("form[aria-labelledby=learnt] .check").first
    name = word.locator("label").inner_text()
    word.locator("input").check()
    reader.press("Forget what is ticked")
    expect(reader.tab.locator("form[aria-labelledby=learnt]")).not_to_contain_text(f"{name} ")
    assert name in terms(site, InterestKind.FORGOTTEN)


def test_preferences_are_changed_and_mail_is_paused(
    reader: Reader, site: Furnished, clock: Clock
) -> None:
    next_morning(site, clock)
    reader.follow(reader.mail(), "Preferences")
    reader.type("Hour of the day", "17")
    reader.type("Keywords", "graph neural networks\nmolecular dynamics")
    reader.press("Save")
    reader.sees("Saved.")
    assert site.doors().subscriber().hour == 17
    reader.type("First day with mail again", "2026-04-20")
    reader.press("Pause")
    reader.sees("Nothing is mailed before Monday, 20 April 2026")
    assert str(site.doors().subscriber().paused_until) == "2026-04-20"
    reader.press("End the pause now")
    reader.sees("Mail comes again.")
    assert site.doors().subscriber().paused_until is None


def test_leaving_takes_a_link_and_a_button_and_so_does_coming_back(
    reader: Reader, site: Furnished, clock: Clock
) -> None:
    next_morning(site, clock)
    mail = reader.mail()
    clock.turn(hours=1)
    reader.follow(mail, "Unsubscribe")
    assert state(site, ADA) == "active"
    reader.press("Unsubscribe")
    reader.sees("You are unsubscribed")
    assert state(site, ADA) == "unsubscribed"
    reader.press("That was a mistake: subscribe again")
    reader.sees("Welcome back")
    assert state(site, ADA) == "active"


def test_everything_is_taken_along_and_deleted_by_a_link_mailed_fresh(
    reader: Reader, site: Furnished, tmp_path: Path
) -> None:
    reader.go("/link")
    reader.type("Your e-mail address", ADA)
    reader.press("Send me my link")
    reader.sees("Look into your mailbox")
    fresh = address(reader.mail(), r"(https?://\S+/access/\S+)")
    reader.tab.goto(fresh)
    export = json.loads(reader.download("all that is stored about you", tmp_path))
    assert export["email"] == ADA
    assert len(export["votes"]) == len(counted(site))
    assert "@" in reader.download("the papers you like", tmp_path)
    reader.tab.get_by_label("Yes, delete everything").check()
    reader.press("Delete everything")
    reader.sees("Everything is deleted")
    assert state(site, ADA) is None
    reader.tab.goto(fresh)
    reader.sees("This link opens nothing")


def test_search_finds_papers_and_its_words_become_an_interest(
    reader: Reader, site: Furnished
) -> None:
    reader.go(site.path(Purpose.PREFERENCES))
    reader.press("Keep me signed in on this browser")
    reader.go("/")
    if not reader.tab.get_by_role("searchbox").first.is_visible():
        reader.tab.get_by_role("link", name="Search").click()
    reader.tab.get_by_role("searchbox").first.fill("gaussian splatting")
    reader.tab.get_by_role("searchbox").first.press("Enter")
    expect(reader.tab.locator(".entry h2").first).to_contain_text("Gaussian")
    reader.press("Follow “gaussian splatting”")
    reader.sees(re.compile("^You follow"))
    assert "gaussian splatting" in terms(site, InterestKind.KEYWORD)
