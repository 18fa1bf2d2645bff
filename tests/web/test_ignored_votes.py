"""Votes taken for a program's: where they are told, and the button that says "it was me"."""

import re
from datetime import timedelta

import httpx
import pytest
from doors import Doors, Form, forms
from invented import Clock, Invented, join

from paperpost.service import links
from paperpost.service.links import Purpose
from paperpost.store import papers, votes
from paperpost.store.papers import number_of

pytest_plugins = ["site_on_stage"]


@pytest.fixture
def burst(doors: Doors, client: httpx.Client, papers: list[Invented]) -> httpx.Response:
    """Five thumbs up within a moment; the answer to the last one."""
    return [client.post(vote_path(doors, one.id), data={"value": "up"}) for one in papers[:5]].pop()


def vote_path(doors: Doors, paper_id: str) -> str:
    here = doors.installation
    with here.database.reading() as session:
        paper = papers.find(session, paper_id)
    assert paper is not None
    issued = here.clock().replace(minute=0, second=0) - timedelta(hours=1)
    fields = (doors.subscriber_id, number_of(paper), 1)
    return f"/vote/{links.token(here.signer, Purpose.VOTE, issued, *fields)}"


def votes_page(doors: Doors) -> str:
    return f"{doors.path(Purpose.PREFERENCES)}/votes"


def counted(doors: Doors) -> int:
    here = doors.installation
    with here.database.reading() as session:
        own = votes.counted(session, here.clock(), [doors.subscriber_id])
    return len(own[doors.subscriber_id])


def it_was_me(page: httpx.Response) -> Form:
    (found,) = [form for form in forms(page) if form.button == "It was me"]
    return found


def text(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def test_the_page_says_at_once_that_a_vote_is_not_counted(burst: httpx.Response) -> None:
    assert burst.status_code == 200
    assert (
        "5 clicks, one of them on this paper, looked like a program's and are not counted: "
        "more than 3 links clicked within ten seconds."
    ) in text(burst)
    assert "You have not voted yet" in text(burst)
    assert forms(burst)[0].button == "More like this"


@pytest.mark.usefixtures("burst")
@pytest.mark.parametrize("door", [Purpose.PREFERENCES, Purpose.ACCESS])
def test_both_doors_tell_what_was_ignored_and_take_back_what_is_ticked(
    client: httpx.Client, doors: Doors, clock: Clock, door: Purpose
) -> None:
    clock.turn(minutes=20)
    assert "5 automatic clicks ignored" in client.get(doors.path(door)).text
    page = client.get(f"{doors.path(door)}/votes")
    assert "5 automatic clicks ignored" in page.text
    assert "More than 3 links clicked within ten seconds, at 09:00 UTC." in text(page)
    assert text(page).count(": more like this") == 5
    own = it_was_me(page)
    own.tick(*list(own.boxes)[:2])
    some = own.post(client)
    assert "They count now." in some.text
    assert "3 automatic clicks ignored" in some.text
    assert counted(doors) == 2
    rest = it_was_me(some)
    rest.tick()
    assert "ignored" not in rest.post(client).text
    assert counted(doors) == 5


def test_the_page_of_a_vote_takes_back_what_is_ticked(
    client: httpx.Client, doors: Doors, papers: list[Invented], burst: httpx.Response
) -> None:
    own = it_was_me(burst)
    assert len(own.boxes) == 5
    own.tick(list(own.boxes)[-1])
    page = own.post(client)
    assert "You said: more like this ." in text(page)
    assert counted(doors) == 1
    assert len(it_was_me(client.get(vote_path(doors, papers[0].id))).boxes) == 4


def test_the_button_pressed_as_it_stands_restores_nothing(
    client: httpx.Client, doors: Doors, burst: httpx.Response, clock: Clock
) -> None:
    for visit in range(2):
        clock.turn(hours=visit)
        for page in (burst, client.get(votes_page(doors))):
            answer = it_was_me(page).post(client)
            assert answer.status_code == 400
            assert "tick the papers on which it was you" in answer.text
    assert counted(doors) == 0


def test_what_was_restored_is_not_voided_again(
    client: httpx.Client,
    doors: Doors,
    papers: list[Invented],
    burst: httpx.Response,
    clock: Clock,
) -> None:
    clock.turn(minutes=1)
    own = it_was_me(burst)
    own.tick()
    own.post(client)
    clock.turn(seconds=1)
    for one in papers[:5]:
        client.post(vote_path(doors, one.id), data={"value": "down"})
    clock.turn(minutes=20)
    assert counted(doors) == 5


def test_a_vote_after_it_takes_a_click_off_the_list(
    client: httpx.Client,
    doors: Doors,
    papers: list[Invented],
    burst: httpx.Response,
    clock: Clock,
) -> None:
    clock.turn(minutes=1)
    client.post(vote_path(doors, papers[0].id), data={"value": "down"})
    assert "4 automatic clicks ignored" in client.get(votes_page(doors)).text
    clock.turn(minutes=10)
    own = it_was_me(burst)
    own.tick(next(iter(own.boxes)))
    assert "not ignored any more" in own.post(client).text
    clock.turn(days=8)
    assert "ignored" not in client.get(votes_page(doors)).text


@pytest.mark.usefixtures("burst")
@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 400, "'; --", "0", "٣"])
def test_a_restoring_post_of_rubbish_restores_nothing(
    client: httpx.Client, doors: Doors, number: str
) -> None:
    posted = {"action": "restore", f"mine-{number}": "yes"}
    assert client.post(votes_page(doors), data=posted).status_code == 400
    assert counted(doors) == 0


def test_nobody_restores_somebody_elses_votes(
    client: httpx.Client, doors: Doors, burst: httpx.Response
) -> None:
    join(doors.installation, "ben", "speech")
    ben = Doors(doors.installation, "ben@example.org", "2604.07000")
    own = it_was_me(burst)
    own.tick()
    answer = client.post(votes_page(ben), data=own.fields)
    assert "not ignored any more" in answer.text
    assert counted(doors) == counted(ben) == 0


def test_held_votes_are_listed_with_the_time_they_begin_to_count(
    client: httpx.Client, doors: Doors, clock: Clock
) -> None:
    client.post(doors.path(Purpose.VOTE), data={"value": "up"})
    page = client.get(votes_page(doors))
    assert "more like this, from 09:10 UTC on" in text(page)
    clock.turn(minutes=10)
    assert "Votes that wait" not in client.get(votes_page(doors)).text
