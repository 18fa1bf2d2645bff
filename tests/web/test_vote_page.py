"""The thumbs of a digest."""

from collections.abc import Callable

import httpx
import pytest
from doors import Doors, forms
from invented import Clock, with_settings

from paperpost.service.installation import Installation
from paperpost.service.links import Purpose
from paperpost.store import subscribers, votes

pytest_plugins = ["site_on_stage"]


def standing(doors: Doors) -> votes.Standing:
    here = doors.installation
    with here.database.reading() as session:
        return votes.standing(session, doors.subscriber_id, doors.paper_number, here.clock())


@pytest.mark.parametrize("value", [1, -1])
@pytest.mark.parametrize("before", ["none", "up", "down"])
def test_the_first_form_posted_just_as_it_stands_is_the_vote_of_the_link(
    client: httpx.Client, doors: Doors, value: int, before: str
) -> None:
    path = doors.path(Purpose.VOTE, value)
    client.post(path, data={"value": before})
    page = forms(client.get(path))[0].post(client)
    assert page.status_code == 200
    assert standing(doors).value == value
    assert "You said: <strong>" + ("more" if value > 0 else "less") in page.text
    again = forms(page)[0].post(client)
    assert standing(doors).value == value
    assert again.text == page.text


def test_the_second_form_is_the_other_thumb_and_the_third_takes_the_vote_back(
    client: httpx.Client, doors: Doors
) -> None:
    path = doors.path(Purpose.VOTE)
    shown = forms(client.get(path))
    assert [form.button for form in shown] == ["More like this", "Less like this"]
    voted = forms(shown[1].post(client))
    assert standing(doors).value == -1
    assert voted[2].button == "Take it back"
    page = voted[2].post(client)
    assert "taken back" in page.text
    assert standing(doors).value == 0
    assert len(forms(page)) == 2


def test_the_same_vote_again_changes_nothing_but_is_known_to_have_been_posted(
    client: httpx.Client, doors: Doors, dump: Callable[[], list[str]]
) -> None:
    path = doors.path(Purpose.VOTE)
    client.post(path, data={"value": "up"})
    before = dump()
    client.post(path, data={"value": "up"})
    (new,) = set(dump()) - set(before)
    assert new.startswith("vote_post ")


def test_a_held_vote_says_from_when_it_counts(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    path = doors.path(Purpose.VOTE)
    page = client.post(path, data={"value": "up"}).text
    assert "It counts from 09:10 UTC unless you take it back." in " ".join(page.split())
    assert standing(doors).counted == 0
    clock.turn(minutes=10)
    assert "It counts from" not in client.get(path).text
    assert standing(doors).counted == 1
    page = client.post(path, data={"value": "none"}).text
    assert "That counts from 09:20 UTC." in page


def test_a_vote_held_past_midnight_names_the_day(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    clock.turn(hours=14, minutes=55)
    page = client.post(doors.path(Purpose.VOTE), data={"value": "up"}).text
    assert "00:05 UTC on 2026-04-08" in page


def test_without_a_hold_a_vote_counts_at_once(
    doors: Doors, browse_site: Callable[[Installation], httpx.Client]
) -> None:
    client = browse_site(with_settings(doors.installation, vote_hold_seconds=0))
    page = client.post(doors.path(Purpose.VOTE), data={"value": "down"}).text
    assert "It counts from" not in page
    assert standing(doors).counted == -1


@pytest.mark.parametrize("posted", [{}, {"value": ""}, {"value": "sideways"}, {"value": "\0"}])
def test_a_post_without_a_vote_gets_the_buttons_again(
    client: httpx.Client, doors: Doors, posted: dict[str, str]
) -> None:
    page = client.post(doors.path(Purpose.VOTE), data=posted)
    assert page.status_code == 400
    assert len(forms(page)) == 2
    assert standing(doors).value == 0


def test_an_old_vote_link_offers_a_fresh_link_to_the_account(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    path = doors.path(Purpose.VOTE)
    clock.turn(days=181)
    for page in (client.get(path), client.post(path, data={"value": "up"})):
        assert page.status_code == 410
        assert forms(page)[0].action == "/link"
    assert standing(doors).value == 0


def test_the_link_of_somebody_deleted_opens_nothing(client: httpx.Client, doors: Doors) -> None:
    path = doors.path(Purpose.VOTE)
    with doors.installation.database.writing() as session:
        subscribers.remove(session, doors.subscriber_id)
    assert client.get(path).status_code == 404
    assert client.post(path, data={"value": "up"}).status_code == 404
