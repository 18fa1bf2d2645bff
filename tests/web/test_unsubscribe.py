"""Leaving, above all as RFC 8058 wants it."""

from collections.abc import Callable

import httpx
import pytest
from doors import DAY, Doors, forms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invented import Clock, with_settings

from paperpost.engine.embedded import compose_all_of
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.store import subscribers

pytest_plugins = ["site_on_stage"]

URLENCODED = "application/x-www-form-urlencoded"
ONE_CLICK = "List-Unsubscribe=One-Click"
MULTIPART = (
    '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ONE_CLICK, URLENCODED),
        (MULTIPART, "multipart/form-data; boundary=b"),
        ("", ""),
        ("", URLENCODED),
        (MULTIPART[:40], "multipart/form-data; boundary=b"),
        ("rubbish", "multipart/form-data; boundary=b"),
        (MULTIPART, "multipart/form-data"),
        (MULTIPART, "multipart/form-data; boundary=b; charset=klingon"),
        ("x=1&" * 200, URLENCODED),
        ("{}", "application/json"),
        ("x" * 1_000_000, URLENCODED),
    ],
)
def test_a_post_unsubscribes_at_once_whatever_its_body(
    client: httpx.Client, doors: Doors, body: str, kind: str, slash: str
) -> None:
    path = doors.path(Purpose.UNSUBSCRIBE) + slash
    page = client.post(path, content=body, headers={"content-type": kind})
    assert page.status_code == 200
    assert "You are unsubscribed" in page.text
    assert doors.subscriber().state == "unsubscribed"
    assert client.post(path, content=body, headers={"content-type": kind}).status_code == 200


@given(
    body=st.binary(max_size=300) | st.text(alphabet='-b\r\n:;="=&%', max_size=300).map(str.encode),
    kind=st.sampled_from(["multipart/form-data; boundary=b", "multipart/form-data", URLENCODED]),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_body_breaks_a_door_or_keeps_anyone_from_leaving(
    client: httpx.Client, doors: Doors, body: bytes, kind: str
) -> None:
    kinds = {"content-type": kind}
    leave, preferences = doors.path(Purpose.UNSUBSCRIBE), doors.path(Purpose.PREFERENCES)
    assert client.post(leave, content=body, headers=kinds).status_code == 200
    assert client.post(preferences, content=body, headers=kinds).status_code == 400


def test_the_page_asks_first_and_offers_the_way_back(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    page = client.get(doors.path(Purpose.UNSUBSCRIBE))
    clock.turn(seconds=3)
    assert doors.subscriber().state == "active"
    left = forms(page)[0].post(client)
    assert doors.subscriber().state == "unsubscribed"
    assert doors.subscriber().next_due_at is None
    back = forms(left)[0].post(client)
    assert "Welcome back" in back.text
    assert doors.subscriber().state == "active"
    assert doors.subscriber().next_due_at is not None


def test_a_button_that_is_pressed_as_fast_as_programs_do_asks_once_more(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    page = forms(client.get(doors.path(Purpose.UNSUBSCRIBE)))[0].post(client)
    assert page.status_code == 200
    assert "please press once more, in 3 seconds or later" in page.text
    assert doors.subscriber().state == "active"
    clock.turn(seconds=2)
    assert "in 1 second or later" in forms(page)[0].post(client).text
    clock.turn(seconds=1)
    assert "You are unsubscribed" in forms(page)[0].post(client).text
    assert doors.subscriber().state == "unsubscribed"


@pytest.mark.parametrize(("minutes", "seconds"), [(0, 10), (9, 10), (10, 3)])
def test_while_a_mail_is_new_the_button_asks_for_a_longer_look(
    client: httpx.Client, doors: Doors, clock: Clock, minutes: int, seconds: int
) -> None:
    compose_all_of(doors.installation, DAY)
    assert send(doors.installation).sent == 1
    clock.turn(minutes=minutes)
    button = forms(client.get(doors.path(Purpose.UNSUBSCRIBE)))[0]
    clock.turn(seconds=seconds - 1)
    button.post(client)
    assert doors.subscriber().state == "active"
    clock.turn(seconds=1)
    button.post(client)
    assert doors.subscriber().state == "unsubscribed"


def test_while_votes_are_posted_the_button_asks_for_a_longer_look(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    client.post(doors.path(Purpose.VOTE), data={"value": "up"})
    button = forms(client.get(doors.path(Purpose.UNSUBSCRIBE)))[0]
    clock.turn(seconds=9)
    assert "press once more" in button.post(client).text
    clock.turn(seconds=1)
    assert "You are unsubscribed" in button.post(client).text


def test_a_program_that_asks_by_the_header_is_obeyed_while_the_mail_is_new(
    client: httpx.Client, doors: Doors
) -> None:
    compose_all_of(doors.installation, DAY)
    send(doors.installation)
    posted = {"List-Unsubscribe": "One-Click", "opened": "1"}
    assert "You are unsubscribed" in client.post(doors.path(Purpose.UNSUBSCRIBE), data=posted).text
    assert doors.subscriber().state == "unsubscribed"


def test_without_a_hold_the_button_acts_at_once(
    doors: Doors, browse_site: Callable[[Installation], httpx.Client]
) -> None:
    client = browse_site(with_settings(doors.installation, vote_hold_seconds=0))
    forms(client.get(doors.path(Purpose.UNSUBSCRIBE)))[0].post(client)
    assert doors.subscriber().state == "unsubscribed"


def test_the_way_back_costs_a_subscriber_no_digest_that_is_due(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    clock.turn(days=1)
    due = doors.subscriber().next_due_at
    client.post(doors.path(Purpose.UNSUBSCRIBE), data={"undo": "1"})
    assert doors.subscriber().next_due_at == due


def test_a_link_unsubscribes_for_ever(client: httpx.Client, doors: Doors, clock: Clock) -> None:
    path = doors.path(Purpose.UNSUBSCRIBE)
    clock.turn(days=3650)
    assert client.get(path).status_code == 200
    assert client.post(path, content=ONE_CLICK).status_code == 200
    assert doors.subscriber().state == "unsubscribed"


def test_somebody_deleted_is_unsubscribed_too(client: httpx.Client, doors: Doors) -> None:
    path = doors.path(Purpose.UNSUBSCRIBE)
    with doors.installation.database.writing() as session:
        subscribers.remove(session, doors.subscriber_id)
    for page in (client.get(path), client.post(path, content=ONE_CLICK)):
        assert page.status_code == 200
        assert "You are unsubscribed" in page.text
    assert forms(client.post(path, data={"undo": "1"}))[0].action == "/subscribe"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("token", ["x", "A" * 40, "%00", "A" * 2000, "é"])
def test_a_token_that_is_not_ours_is_not_found(
    client: httpx.Client, doors: Doors, method: str, token: str
) -> None:
    assert client.request(method, f"/unsubscribe/{token}").status_code == 404
    assert doors.subscriber().state == "active"


def test_opening_the_link_too_often_never_keeps_anyone_from_leaving(
    client: httpx.Client, doors: Doors
) -> None:
    path = doors.path(Purpose.UNSUBSCRIBE)
    served = 0
    while client.head(path).status_code == 200:
        served += 1
    assert served >= 600
    assert client.head(path).status_code == 429
    posted = client.post(path.replace("unsubscribe", "me"))
    assert posted.status_code == 404, "looking and posting are counted apart"
    assert client.post(path, content=ONE_CLICK).status_code == 200
    assert doors.subscriber().state == "unsubscribed"
    assert client.head(doors.path(Purpose.VOTE)).status_code == 200
