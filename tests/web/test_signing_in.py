"""Staying signed in on a browser, and what the preferences page says of the state of things."""

import re

import httpx
import pytest
from doors import Doors, Form, forms
from invented import Clock, Invented, join

from paperpost.service import leaving, library, vote
from paperpost.service.links import Purpose
from paperpost.web.visitor import COOKIE

pytest_plugins = ["site_on_stage"]


def button(page: httpx.Response, label: str) -> Form:
    return next(form for form in forms(page) if form.button == label)


def text(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def signed_in(doors: Doors, client: httpx.Client) -> dict[str, str]:
    """The cookie that a browser has after the button was pressed."""
    page = client.get(doors.path(Purpose.PREFERENCES))
    answer = button(page, "Keep me signed in on this browser").post(client)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/me/mine?signed_in=1"
    told = 'role="status">You are signed in on this browser.'
    assert told in client.get(answer.headers["location"]).text
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    client.cookies.clear()
    assert told not in client.get(f"{doors.path(Purpose.PREFERENCES)}?signed_in=1").text
    return {"Cookie": cookie.partition(";")[0]}


def test_a_subscriber_stays_signed_in_until_they_sign_out(
    doors: Doors, client: httpx.Client
) -> None:
    kept = signed_in(doors, client)
    assert "My Paperpost" in client.get("/", headers=kept).text
    page = client.get(doors.path(Purpose.PREFERENCES), headers=kept)
    assert "You are signed in on this browser" in page.text
    assert "Keep me signed in" not in page.text
    answer = client.post(button(page, "Sign out").action, headers=kept)
    assert answer.headers["location"] == "/"
    assert answer.headers["set-cookie"].startswith(f'{COOKIE}="";')
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_the_page_warns_of_browsers_that_are_shared(doors: Doors, client: httpx.Client) -> None:
    assert "Not on a browser that you share" in text(client.get(doors.path(Purpose.PREFERENCES)))


def test_somebody_else_who_is_signed_in_is_told_apart(
    doors: Doors, client: httpx.Client, papers: list[Invented]
) -> None:
    kept = signed_in(doors, client)
    join(doors.installation, "ben", "speech")
    ben = Doors(doors.installation, "ben@example.org", papers[0].id)
    page = client.get(ben.path(Purpose.PREFERENCES), headers=kept)
    assert "Somebody else is signed in on this browser" in page.text
    assert button(page, "Keep me signed in on this browser").fields == {"action": "sign-in"}


def test_another_site_cannot_sign_a_browser_in_or_out(doors: Doors, client: httpx.Client) -> None:
    told = {"Sec-Fetch-Site": "cross-site"}
    own = doors.path(Purpose.PREFERENCES)
    for path, posted in ((own, {"action": "sign-in"}), ("/sign-out", {})):
        answer = client.post(path, data=posted, headers=told)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("timezone", "frequency", "paused_until", "told"),
    [
        ("UTC", "daily", "", "on Wednesday, 8 April 2026, at 08:00 (UTC)"),
        ("America/New_York", "daily", "", "on Tuesday, 7 April 2026, at 08:00 (America/New_York)"),
        ("UTC", "weekly", "", "on Monday, 13 April 2026, at 08:00 (UTC)"),
        ("UTC", "weekly", "2026-04-14", "on Monday, 20 April 2026, at 08:00 (UTC)"),
        ("Asia/Tokyo", "daily", "2026-04-20", "on Monday, 20 April 2026, at 08:00 (Asia/Tokyo)"),
    ],
)
def test_the_page_tells_when_the_next_digest_comes(
    doors: Doors,
    client: httpx.Client,
    timezone: str,
    frequency: str,
    paused_until: str,
    told: str,
) -> None:
    path = doors.path(Purpose.PREFERENCES)
    saving = {"action": "save", "timezone": timezone, "frequency": frequency}
    client.post(path, data=saving)
    if paused_until:
        client.post(path, data={"action": "pause", "until": paused_until})
    assert f"Your next digest comes {told}" in text(client.get(path))


def test_a_digest_that_is_due_is_being_made_and_nobody_else_is_told_of_one(
    doors: Doors, client: httpx.Client, clock: Clock
) -> None:
    path = doors.path(Purpose.PREFERENCES)
    clock.turn(days=1)
    assert "Your next digest is being made." in client.get(path).text
    leaving.leave(doors.installation, doors.token(Purpose.UNSUBSCRIBE))
    assert "Your next digest" not in client.get(path).text


def test_liked_papers_are_taken_along_as_bibtex_behind_a_fresh_link(
    doors: Doors, client: httpx.Client, papers: list[Invented], clock: Clock
) -> None:
    for paper, value in zip(papers[:3], ("up", "down", "up"), strict=True):
        vote.cast_by_command(doors.installation, doors.email, paper.id, value)
        clock.turn(seconds=1)
    access = doors.path(Purpose.ACCESS)
    assert f'href="{access}/export.bib"' in client.get(access).text
    answer = client.get(f"{access}/export.bib")
    assert answer.headers["content-type"] == "application/x-bibtex; charset=utf-8"
    assert 'filename="paperpost-liked.bib"' in answer.headers["content-disposition"]
    ids = re.findall(r"eprint = {([\d.]+)}", answer.text)
    assert ids == [papers[2].id, papers[0].id]
    token = doors.token(Purpose.PREFERENCES)
    assert client.get(f"/me/{token}/export.bib").status_code == 404
    assert "export.bib" not in client.get(f"/me/{token}/votes").text


def test_a_work_of_ones_own_library_is_taken_along_as_what_it_is(
    doors: Doors, client: httpx.Client
) -> None:
    work = b"@misc{a, author={Noether, Emmy}, title={Rings}, doi={10.1234/x}}"
    entries = library.read(work, "a.bib")
    library.take_in(doors.installation, doors.subscriber_id, entries)
    text_of_file = client.get(f"{doors.path(Purpose.ACCESS)}/export.bib").text
    assert "doi = {10.1234/x}" in text_of_file
    assert "@misc{noetherrings," in text_of_file
    assert "year" not in text_of_file
