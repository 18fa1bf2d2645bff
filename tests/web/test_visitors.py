"""Somebody who is signed in on a browser, and pages of other sites that would use it."""

from datetime import timedelta

import httpx
import pytest
from doors import Doors, forms
from invented import Clock

from paperpost.service import links
from paperpost.service.links import Purpose
from paperpost.web.visitor import COOKIE

pytest_plugins = ["site_on_stage"]


def cookie(doors: Doors, purpose: Purpose = Purpose.SESSION) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={doors.token(purpose)}"}


def test_a_visitor_has_a_way_to_their_own_pages_on_every_page(
    doors: Doors, client: httpx.Client
) -> None:
    page = client.get("/", headers=cookie(doors))
    assert "My Paperpost" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "My Paperpost" not in client.get("/").text


@pytest.mark.parametrize("purpose", [one for one in Purpose if one != Purpose.SESSION])
def test_no_other_link_signs_in(doors: Doors, client: httpx.Client, purpose: Purpose) -> None:
    assert "My Paperpost" not in client.get("/", headers=cookie(doors, purpose)).text


@pytest.mark.parametrize("value", ["", "x", "\u00fc", "a" * 5000])
def test_a_cookie_that_opens_nothing_is_left_alone(client: httpx.Client, value: str) -> None:
    page = client.get("/", headers={b"Cookie": f"{COOKIE}={value}".encode()})
    assert page.status_code == 200
    assert "My Paperpost" not in page.text


def test_a_visitor_is_signed_out_after_half_a_year(
    doors: Doors, client: httpx.Client, clock: Clock
) -> None:
    kept = cookie(doors)
    clock.turn(hours=24 * 181)
    assert "My Paperpost" not in client.get("/", headers=kept).text


def test_links_made_before_they_were_renewed_open_nothing(
    doors: Doors, client: httpx.Client, clock: Clock
) -> None:
    purposes = (Purpose.SESSION, Purpose.PREFERENCES, Purpose.VOTE, Purpose.UNSUBSCRIBE)
    old = {purpose: doors.token(purpose) for purpose in purposes}
    clock.turn(hours=1)
    with doors.installation.database.writing() as session:
        person = doors.subscriber()
        person.links_from = clock()
        session.add(person)
    assert (
        "My Paperpost"
        not in client.get("/", headers={"Cookie": f"{COOKIE}={old[Purpose.SESSION]}"}).text
    )
    assert client.get(f"/me/{old[Purpose.PREFERENCES]}").status_code == 410
    assert client.get(f"/vote/{old[Purpose.VOTE]}").status_code == 410
    assert client.get(f"/unsubscribe/{old[Purpose.UNSUBSCRIBE]}").status_code == 200
    made_now = links.token(
        doors.installation.signer, Purpose.PREFERENCES, clock(), doors.subscriber_id
    )
    assert client.get(f"/me/{made_now}").status_code == 200


OWN = "http://127.0.0.1:8000"
CROSS_SITE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": OWN},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": f"{OWN}.evil.example"},
]


@pytest.mark.parametrize("told", CROSS_SITE)
def test_what_another_site_has_a_browser_post_is_refused(
    doors: Doors, client: httpx.Client, told: dict[str, str]
) -> None:
    path = doors.path(Purpose.PREFERENCES)
    form = {"action": "pause", "until": "2026-04-20"}
    assert client.post(path, data=form, headers=told).status_code == 403
    assert (
        client.post("/subscribe", data={"email": "a@example.org"}, headers=told).status_code == 403
    )
    assert doors.subscriber().paused_until is None


@pytest.mark.parametrize(
    "told", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": OWN}]
)
def test_what_our_own_pages_post_is_taken(
    doors: Doors, client: httpx.Client, told: dict[str, str]
) -> None:
    path = doors.path(Purpose.PREFERENCES)
    (form, *_) = [one for one in forms(client.get(path)) if one.fields.get("action") == "pause"]
    fields = form.fields | {"until": str(doors.installation.clock().date() + timedelta(days=5))}
    assert client.post(path, data=fields, headers=told).status_code == 200
    assert doors.subscriber().paused_until is not None


def test_a_mail_program_unsubscribes_from_wherever_it_is(
    doors: Doors, client: httpx.Client
) -> None:
    body = {"List-Unsubscribe": "One-Click"}
    path = doors.path(Purpose.UNSUBSCRIBE)
    told = {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"}
    assert client.post(path, data=body, headers=told).status_code == 200
    assert doors.subscriber().state == "unsubscribed"
