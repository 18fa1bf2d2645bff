"""Somebody who is signed in on a browser, and pages of other sites that would use it."""

import re
from datetime import timedelta

import httpx
import pytest
from doors import DAY, Doors, forms
from invented import Clock, Invented

from paperpost.engine.runs import compose_all_of
from paperpost.service import links
from paperpost.service.deliver import send
from paperpost.service.links import Purpose
from paperpost.web.guards.bodies import LARGEST_BODY
from paperpost.web.visitor import COOKIE

pytest_plugins = ["site_on_stage"]

PLACES = (
    "",
    "/interests",
    "/likes",
    "/votes",
    "/digests",
    f"/digests/{DAY}",
    f"/digests/{DAY}/mail",
    "/record",
    "/library",
    "/rate",
)


def cookie(doors: Doors, purpose: Purpose = Purpose.SESSION) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={doors.token(purpose)}"}


def test_a_visitor_has_a_way_to_their_own_pages_on_every_page(
    doors: Doors, client: httpx.Client
) -> None:
    page = client.get("/", headers=cookie(doors))
    assert "My Paperpost" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "My Paperpost" not in client.get("/").text


def test_what_a_visitor_sees_has_no_token_in_any_address(
    doors: Doors, client: httpx.Client, papers: list[Invented]
) -> None:
    compose_all_of(doors.installation, DAY)
    send(doors.installation)
    kept = cookie(doors)
    for path in ("/", f"/paper/{papers[0].id}", "/trending", "/search?q=graph"):
        page = client.get(path, headers=kept)
        assert 'href="/me/mine' in page.text
        assert not re.search(r'"[^"]*/(me|access)/(?!mine\b)', page.text)
    followed = client.post("/search/follow", data={"q": "speech"}, headers=kept)
    assert 'href="/me/mine/interests"' in followed.text


@pytest.mark.parametrize("place", PLACES)
def test_a_visitors_own_pages_open_without_a_token(
    doors: Doors, client: httpx.Client, place: str
) -> None:
    compose_all_of(doors.installation, DAY)
    page = client.get(f"/me/mine{place}", headers=cookie(doors))
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex"
    assert 'href="/me/mine' in page.text or place.endswith("/mail")
    assert doors.email not in page.text


def test_a_visitor_changes_what_a_link_of_a_mail_may_change(
    doors: Doors, client: httpx.Client
) -> None:
    kept = cookie(doors)
    pause = next(
        one
        for one in forms(client.get("/me/mine", headers=kept))
        if one.fields.get("action") == "pause"
    )
    assert pause.action == "/me/mine"
    until = str(doors.installation.clock().date() + timedelta(days=5))
    client.post(pause.action, data=pause.fields | {"until": until}, headers=kept)
    assert str(doors.subscriber().paused_until) == until
    for path in ("export", "export.bib", "api", "delete", "renew"):
        for door in ("me", "access"):
            assert client.get(f"/{door}/mine/{path}", headers=kept).status_code in (404, 405)
            answer = client.post(f"/{door}/mine/{path}", data={"confirm": "yes"}, headers=kept)
            assert answer.status_code in (404, 405)


def test_a_visitor_hands_in_a_library_as_large_as_by_a_link(
    doors: Doors, client: httpx.Client, papers: list[Invented]
) -> None:
    works = f"{papers[0].id}\n" + "\n" * 2 * LARGEST_BODY
    posted = {"action": "bring", "works": works}
    answer = client.post("/me/mine/library", data=posted, headers=cookie(doors))
    assert "1 work recognised" in answer.text


def test_who_is_signed_in_does_not_stay_so_any_longer_by_asking(
    doors: Doors, client: httpx.Client
) -> None:
    kept = cookie(doors)
    assert "Keep me signed in" not in client.get("/me/mine", headers=kept).text
    answer = client.post("/me/mine", data={"action": "sign-in"}, headers=kept)
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


def test_after_signing_out_their_own_pages_show_nothing(doors: Doors, client: httpx.Client) -> None:
    client.post(doors.path(Purpose.PREFERENCES), data={"action": "sign-in"})
    assert "Your preferences" in client.get("/me/mine").text
    client.post("/sign-out")
    for place in PLACES:
        answer = client.get(f"/me/mine{place}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/link")
    until = str(doors.installation.clock().date() + timedelta(days=5))
    answer = client.post("/me/mine", data={"action": "pause", "until": until})
    assert answer.status_code == 403
    assert doors.subscriber().paused_until is None


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
    told |= cookie(doors)
    for place in ("", "/votes", "/interests", "/likes", "/library", "/rate"):
        assert client.post(f"/me/mine{place}", data=form, headers=told).status_code == 403
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
