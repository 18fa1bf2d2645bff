"""Leaving, above all as RFC 8058 wants it."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from doors import DAY, Doors, forms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invented import Clock, with_settings

from paperpost.engine.runs import compose_all_of
from paperpost.service.deliver import send
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.service.subscribe import deactivate
from paperpost.store import outbox, subscribers

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


def test_the_page_asks_first_and_offers_the_way_back(client: httpx.Client, doors: Doors) -> None:
    page = client.get(doors.path(Purpose.UNSUBSCRIBE))
    assert doors.subscriber().state == "active"
    left = forms(page)[0].post(client)
    assert doors.subscriber().state == "unsubscribed"
    assert doors.subscriber().next_due_at is None
    back = forms(left)[0].post(client)
    assert "Welcome back" in back.text
    assert doors.subscriber().state == "active"
    assert doors.subscriber().next_due_at is not None


def press(client: httpx.Client, doors: Doors) -> str:
    """Press the page's button; what the page says after it."""
    page = forms(client.get(doors.path(Purpose.UNSUBSCRIBE)))[0].post(client)
    assert page.status_code == 200
    return " ".join(page.text.split())


def mail(doors: Doors) -> None:
    """Have today's digest arrive now."""
    compose_all_of(doors.installation, DAY)
    assert send(doors.installation).sent == 1


def test_the_button_sleeps_for_a_mails_first_minute_then_acts_at_once(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    mail(doors)
    for seconds in (0, 59, 1):
        clock.turn(seconds=seconds)
        assert "press its buttons within the first minute" in press(client, doors)
        assert doors.subscriber().state == "active"
    clock.turn(seconds=1)
    assert "You are unsubscribed" in press(client, doors)
    assert doors.subscriber().state == "unsubscribed"


def test_an_older_mail_unsubscribes_at_once_though_another_has_just_come(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    mail(doors)
    of_the_digest = doors.path(Purpose.UNSUBSCRIBE)
    clock.turn(hours=1)
    client.post(doors.path(Purpose.PREFERENCES), data={"action": "mail-link"})
    assert send(doors.installation).sent == 1
    assert "press its buttons within the first minute" in press(client, doors)
    left = forms(client.get(of_the_digest))[0].post(client)
    assert "You are unsubscribed" in left.text


def test_a_mail_of_which_no_answer_is_known_arrives_when_it_was_tried(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    mail(doors)
    tried = clock() + timedelta(minutes=5)
    with doors.installation.database.writing() as session:
        (delivery,) = outbox.of_subscriber(session, doors.subscriber_id)
        delivery.state, delivery.sent_at, delivery.tried_at = "unknown", None, tried
        session.add(delivery)
    clock.turn(minutes=6)
    assert "within the first minute" in press(client, doors)
    clock.turn(seconds=1)
    assert "You are unsubscribed" in press(client, doors)


def test_votes_do_not_keep_a_reader_from_leaving(client: httpx.Client, doors: Doors) -> None:
    client.post(doors.path(Purpose.VOTE), data={"value": "up"})
    assert "You are unsubscribed" in press(client, doors)
    assert doors.subscriber().state == "unsubscribed"


@pytest.mark.parametrize(
    "posted", [{"List-Unsubscribe": "One-Click", "pressed": "1"}, {"undo": "2"}, {}]
)
def test_what_is_not_the_button_is_obeyed_while_the_mail_is_new(
    client: httpx.Client, doors: Doors, posted: dict[str, str]
) -> None:
    mail(doors)
    assert "You are unsubscribed" in client.post(doors.path(Purpose.UNSUBSCRIBE), data=posted).text
    assert doors.subscriber().state == "unsubscribed"


def test_without_a_hold_the_button_acts_at_once(
    doors: Doors, browse_site: Callable[[Installation], httpx.Client]
) -> None:
    client = browse_site(with_settings(doors.installation, vote_hold_seconds=0))
    mail(doors)
    both_thumbs(client, doors)
    assert "You are unsubscribed" in press(client, doors)
    both_thumbs(client, doors)
    assert doors.subscriber().state == "unsubscribed"


def both_thumbs(client: httpx.Client, doors: Doors) -> None:
    """What only a program posts."""
    for value in (1, -1):
        forms(client.get(doors.path(Purpose.VOTE, value)))[0].post(client)


@pytest.mark.parametrize("order", ["votes, then leaves", "leaves, then votes"])
@pytest.mark.parametrize(("seconds", "state"), [(10, "active"), (11, "unsubscribed")])
def test_a_press_among_a_programs_votes_is_undone_and_no_other(
    client: httpx.Client, doors: Doors, clock: Clock, order: str, seconds: int, state: str
) -> None:
    steps = [both_thumbs, press] if order.startswith("votes") else [press, both_thumbs]
    due = doors.subscriber().next_due_at
    steps[0](client, doors)
    clock.turn(seconds=seconds)
    steps[1](client, doors)
    assert doors.subscriber().state == state
    page = client.get(doors.path(Purpose.PREFERENCES)).text
    told = "pressed Unsubscribe on Tuesday, 7 April 2026; it was undone" in " ".join(page.split())
    assert told == (state == "active")
    assert (doors.subscriber().next_due_at == due) == (state == "active")


def test_a_press_that_is_undone_at_once_says_so(client: httpx.Client, doors: Doors) -> None:
    both_thumbs(client, doors)
    said = press(client, doors)
    assert "so it was undone: if it was you, please press once more in ten minutes" in said
    assert "You are unsubscribed" not in said


def test_an_undone_press_costs_no_digest(client: httpx.Client, doors: Doors, clock: Clock) -> None:
    compose_all_of(doors.installation, DAY)
    press(client, doors)
    assert send(doors.installation).sent == 0
    due = doors.subscriber().next_due_at
    assert due is None
    clock.turn(seconds=5)
    both_thumbs(client, doors)
    assert send(doors.installation).sent == 1


def test_a_digest_that_becomes_due_before_the_press_is_undone_is_composed(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    due = doors.subscriber().next_due_at
    assert due is not None
    clock.now = due - timedelta(seconds=5)
    press(client, doors)
    clock.turn(seconds=10)
    both_thumbs(client, doors)
    assert doors.subscriber().next_due_at == due


def test_only_the_press_that_unsubscribed_is_undone(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    press(client, doors)
    client.post(doors.path(Purpose.UNSUBSCRIBE), data={"undo": "1"})
    clock.turn(seconds=1)
    with doors.installation.database.writing() as session:
        ada = doors.subscriber()
        deactivate(ada, clock())  # by a complaint, for one
        session.add(ada)
    both_thumbs(client, doors)
    assert doors.subscriber().state == "unsubscribed"


def test_a_mail_programs_own_button_after_a_programs_press_is_not_undone(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    press(client, doors)
    clock.turn(seconds=2)
    client.post(doors.path(Purpose.UNSUBSCRIBE), content=ONE_CLICK)
    both_thumbs(client, doors)
    assert doors.subscriber().state == "unsubscribed"


def test_who_left_before_the_program_came_has_left(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    press(client, doors)
    clock.turn(hours=1)
    button = {"pressed": "1"}
    for _ in range(2):
        client.post(doors.path(Purpose.UNSUBSCRIBE), data=button)
        both_thumbs(client, doors)
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
