"""A subscriber's own pages: preferences, and what only a fresh link opens."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from doors import DAY, Doors, Form, forms, last_mail
from invented import Clock, fill

from paperpost.engine.runs import compose_all_of
from paperpost.service.links import Purpose
from paperpost.store import subscribers
from paperpost.store.tables import DeliveryKind, InterestKind
from paperpost.web.own import masked

pytest_plugins = ["site_on_stage"]


def form(page: httpx.Response, action: str) -> Form:
    """The form of a page that does this."""
    return next(found for found in forms(page) if found.fields.get("action") == action)


def interests(doors: Doors) -> dict[InterestKind, list[str]]:
    with doors.installation.database.reading() as session:
        return dict(subscribers.interests(session, [doors.subscriber_id])[doors.subscriber_id])


def test_preferences_are_shown_and_saved(client: httpx.Client, doors: Doors) -> None:
    page = client.get(doors.path(Purpose.PREFERENCES))
    saving = form(page, "save")
    assert saving.fields == {
        "seen": saving.fields["seen"],
        "action": "save",
        "keywords": "graph neural networks\nspeech",
        "authors": "",
        "categories": "",
        "muted": "",
        "frequency": "daily",
        "hour": "8",
        "timezone": "UTC",
        "size": "10",
        "threshold": "",
        "explore": "yes",
        "revisions": "no",
        "quiet_note": "no",
    }
    saving.fields |= {
        "keywords": "auctions\r\n\r\n  fair   division ",
        "authors": "Emmy Noether\r\nNoether, Emmy",
        "muted": "crypto",
        "frequency": "weekly",
        "hour": "19",
        "timezone": "Europe/Berlin",
        "size": "3",
        "threshold": "65",
        "explore": "no",
        "revisions": "yes",
        "quiet_note": "yes",
    }
    saved = saving.post(client)
    assert saved.status_code == 200
    assert "Saved." in saved.text
    person = doors.subscriber()
    assert (person.frequency, person.hour, person.timezone, person.size) == (
        "weekly",
        19,
        "Europe/Berlin",
        3,
    )
    assert (person.threshold, person.explore, person.quiet_note) == (0.65, False, True)
    assert person.revisions
    assert interests(doors)[InterestKind.KEYWORD] == ["auctions", "fair division"]
    assert interests(doors)[InterestKind.MUTED] == ["crypto"]
    assert str(person.next_due_at) == "2026-04-13 17:00:00+00:00"
    assert form(saved, "save").fields["timezone"] == "Europe/Berlin"
    assert form(saved, "save").fields["threshold"] == "65"
    assert form(saved, "save").fields["explore"] == "no"
    assert form(saved, "save").fields["revisions"] == "yes"
    assert form(saved, "save").fields["quiet_note"] == "yes"


def test_what_no_paper_has_is_told_when_it_is_saved(client: httpx.Client, doors: Doors) -> None:
    posted = {"action": "save", "keywords": "graph", "authors": "Ada Lovelace", "muted": "casino"}
    page = client.post(doors.path(Purpose.PREFERENCES), data=posted).text
    assert "No paper stored here has the author “Ada Lovelace” yet" in page
    assert "“graph”" not in page
    assert "“casino”" not in page


def test_the_page_tells_what_a_threshold_does(client: httpx.Client, doors: Doors) -> None:
    path = doors.path(Purpose.PREFERENCES)
    compose_all_of(doors.installation, DAY)
    assert "The papers in your last digest had chances from" in client.get(path).text
    client.post(path, data={"action": "save", "keywords": "cold fusion", "threshold": "99"})
    assert "Of the 10 papers in your last digest" in client.get(path).text
    fill(doors.installation, [DAY + timedelta(days=1)])
    compose_all_of(doors.installation, DAY + timedelta(days=1))
    page = client.get(path).text
    assert "There were no papers for you on Wednesday, 8 April 2026. None of 12 new" in page
    assert "Of the 10 papers in your last digest" in page


def test_an_emptied_threshold_is_none(client: httpx.Client, doors: Doors) -> None:
    path = doors.path(Purpose.PREFERENCES)
    client.post(path, data={"action": "save", "threshold": "30"})
    assert doors.subscriber().threshold == 0.3
    client.post(path, data={"action": "save", "threshold": ""})
    assert doors.subscriber().threshold is None


def test_a_field_that_is_emptied_is_emptied_and_one_that_is_missing_stays(
    client: httpx.Client, doors: Doors, dump: Callable[[], list[str]]
) -> None:
    path = doors.path(Purpose.PREFERENCES)
    before = dump()
    assert client.post(path, data={"action": "save"}).status_code == 200
    assert dump() == before
    client.post(path, data={"action": "save", "keywords": ""})
    assert InterestKind.KEYWORD not in interests(doors)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timezone": "Mars/<b>Olympus"},
        {"hour": "24"},
        {"hour": "٣"},
        {"size": "0"},
        {"size": "9" * 400},
        {"frequency": "hourly"},
        {"threshold": "100"},
        {"threshold": "-1"},
        {"threshold": "0.5"},
        {"explore": "<b>perhaps"},
        {"keywords": "x" * 101},
        {"authors": "\n".join(f"author {n}" for n in range(51))},
        {"action": "pause", "until": "2026-04-07"},
        {"action": "pause", "until": "2030-01-01"},
        {"action": "pause", "until": "soon"},
        {"action": "pause", "until": ""},
        {"action": "pause"},
        {"action": ""},
        {"action": "drop table"},
        {},
    ],
)
def test_what_cannot_be_done_changes_nothing_and_keeps_what_was_typed(
    client: httpx.Client, doors: Doors, dump: Callable[[], list[str]], wrong: dict[str, str]
) -> None:
    before = dump()
    posted = {"action": "save", "muted": "typed <i>before</i>"} | wrong if wrong else {}
    page = client.post(doors.path(Purpose.PREFERENCES), data=posted)
    assert page.status_code == 400
    assert "That did not work" in page.text
    assert dump() == before
    assert not posted or "typed &lt;i&gt;before&lt;/i&gt;" in page.text
    assert "<b>" not in page.text


def test_a_pause_begins_and_ends(client: httpx.Client, doors: Doors) -> None:
    page = client.get(doors.path(Purpose.PREFERENCES))
    pausing = form(page, "pause")
    pausing.fields["until"] = "2026-05-01"
    paused = pausing.post(client)
    assert str(doors.subscriber().paused_until) == "2026-05-01"
    assert "Nothing is mailed before Friday, 1 May 2026" in paused.text
    form(paused, "resume").post(client)
    assert doors.subscriber().paused_until is None


def test_saving_a_moment_before_the_tick_costs_no_digest(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    due = doors.subscriber().next_due_at
    clock.turn(days=1)
    client.post(doors.path(Purpose.PREFERENCES), data={"action": "save", "size": "5"})
    assert doors.subscriber().size == 5
    assert doors.subscriber().next_due_at == due


def test_a_digest_that_is_forwarded_does_not_give_its_owner_away(
    client: httpx.Client, doors: Doors
) -> None:
    page = client.get(doors.path(Purpose.PREFERENCES))
    assert "a***@example.org" in page.text
    assert doors.email not in page.text
    assert "/export" not in page.text
    assert "/delete" not in page.text
    token = doors.token(Purpose.PREFERENCES)
    assert client.get(f"/access/{token}/export").status_code == 404
    assert client.post(f"/access/{token}/delete").status_code == 404
    assert doors.subscriber().state == "active"


@pytest.mark.parametrize(
    ("email", "shown"),
    [("ada@example.org", "a***@example.org"), ("é@x.org", "é***@x.org"), ('"a@b"@x.y', '"***@x.y')],
)
def test_an_address_is_masked(email: str, shown: str) -> None:
    assert masked(email) == shown


def test_a_fresh_link_is_mailed_on_request(client: httpx.Client, doors: Doors) -> None:
    asking = form(client.get(doors.path(Purpose.PREFERENCES)), "mail-link")
    page = asking.post(client)
    assert page.status_code == 200
    assert last_mail(doors.installation, doors.email, DeliveryKind.ACCESS_LINK)
    assert doors.email not in page.text


def test_a_fresh_link_takes_everything_along(client: httpx.Client, doors: Doors) -> None:
    client.post(doors.path(Purpose.VOTE), data={"value": "up"})
    access = doors.path(Purpose.ACCESS)
    page = client.get(access)
    assert doors.email in page.text
    assert f'href="{access}/export"' in page.text
    export = client.get(f"{access}/export")
    assert export.headers["content-disposition"].startswith("attachment")
    assert export.json()["email"] == doors.email
    assert export.json()["interests"]["keywords"] == ["graph neural networks", "speech"]


def test_a_fresh_link_saves_too(client: httpx.Client, doors: Doors) -> None:
    saving = form(client.get(doors.path(Purpose.ACCESS)), "save")
    saving.fields["hour"] = "6"
    assert "Saved." in saving.post(client).text
    assert doors.subscriber().hour == 6


def test_deleting_leaves_nothing_behind(
    client: httpx.Client, doors: Doors, dump: Callable[[], list[str]], clock: Clock
) -> None:
    client.post(doors.path(Purpose.VOTE), data={"value": "up"})
    clock.turn(minutes=2)
    client.post("/link", data={"email": doors.email})
    assert [line for line in dump() if line.startswith("vote ")]
    access, preferences = doors.path(Purpose.ACCESS), doors.path(Purpose.PREFERENCES)
    last = forms(client.get(access))[-1]
    assert last.button == "Delete everything"
    last.tick("confirm")
    page = last.post(client)
    assert "Everything is deleted" in page.text
    assert not [line for line in dump() if doors.email in line]
    assert not [line for line in dump() if line.startswith("vote ")]
    for path in (access, f"{access}/export", preferences):
        assert client.get(path).status_code == 404


def test_a_program_that_submits_every_form_as_it_stands_deletes_nothing(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    button = forms(client.get(doors.path(Purpose.ACCESS)))[-1]
    for minutes in (0, 10):
        clock.turn(minutes=minutes)
        page = button.post(client)
        assert page.status_code == 400
        assert "tick “Yes, delete everything” first" in page.text
        assert doors.subscriber().state == "active"
    button = forms(page)[-1]
    button.tick("confirm")
    assert "Everything is deleted" in button.post(client).text


def test_a_fresh_link_lasts_an_hour(
    client: httpx.Client, doors: Doors, clock: Clock, dump: Callable[[], list[str]]
) -> None:
    access = doors.path(Purpose.ACCESS)
    before = dump()
    clock.turn(minutes=59)
    assert client.get(access).status_code == 200
    clock.turn(minutes=2)
    answers = [
        client.get(access),
        client.post(access, data={"action": "save", "hour": "1"}),
        client.get(f"{access}/export"),
        client.post(f"{access}/delete"),
    ]
    for answer in answers:
        assert answer.status_code == 410
        assert forms(answer)[0].action == "/link"
    assert dump() == before


def test_somebody_who_left_sees_that_nothing_comes(client: httpx.Client, doors: Doors) -> None:
    client.post(doors.path(Purpose.UNSUBSCRIBE))
    page = client.get(doors.path(Purpose.PREFERENCES)).text
    assert "You are unsubscribed, and nothing is mailed." in page
