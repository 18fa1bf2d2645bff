"""The page of one's votes: what holds, taking it back, and undoing that."""

import re
from datetime import datetime, timedelta

import httpx
import pytest
from doors import DAY, Doors, Form, forms
from invented import Clock, Invented, fill, join

from paperpost.service import account, library, rate, vote
from paperpost.service.links import Purpose
from paperpost.store import votes
from paperpost.store.tables import Vote
from paperpost.web.forms import TAKE_BACK
from paperpost.web.own_votes import PLACES

pytest_plugins = ["site_on_stage"]


def path(doors: Doors) -> str:
    return f"{doors.path(Purpose.PREFERENCES)}/votes"


def form(page: httpx.Response, button: str) -> Form:
    return next(found for found in forms(page) if found.button == button)


def text(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def standing(doors: Doors) -> list[int]:
    here = doors.installation
    with here.database.reading() as session:
        own = votes.counted(session, here.clock(), [doors.subscriber_id])[doors.subscriber_id]
    return [own[number].value for number in sorted(own)]


def held_to_be(doors: Doors) -> list[tuple[int, str, datetime, int]]:
    """The votes that hold: paper, origin, when cast, value."""
    here = doors.installation
    with here.database.reading() as session:
        own = votes.counted(session, here.clock(), [doors.subscriber_id])
    return sorted(
        (act.paper_number, act.origin, act.cast_at, act.value)
        for act in own.get(doors.subscriber_id, {}).values()
    )


def taking_back(found: Form, paper_number: int) -> Form:
    found.tick(f"{TAKE_BACK}{paper_number}")
    return found


@pytest.fixture
def voted(doors: Doors, papers: list[Invented]) -> Doors:
    """Ada liked two papers, one of them by mail, and disliked one."""
    for paper, value in zip(papers[1:4], ("up", "down", "up"), strict=True):
        vote.cast_by_command(doors.installation, doors.email, paper.id, value)
    return doors


def test_votes_are_listed_newest_first_with_where_they_were_cast(
    client: httpx.Client, voted: Doors, clock: Clock
) -> None:
    clock.turn(minutes=1)
    client.post(voted.path(Purpose.VOTE), data={"value": "up"})
    clock.turn(hours=1)
    shown = text(client.get(path(voted)))
    assert "3 for more like it, 1 for less" in shown
    told = re.findall(r"(More|Less) like this · \w+, 7 April 2026, ([^.]+?) (?=[A-Z])", shown)
    assert told[0] == ("More", "by mail")
    assert told[1:] == [(one, PLACES["command"]) for one in ("More", "Less", "More")]


def test_only_one_kind_is_shown_if_asked_for(client: httpx.Client, voted: Doors) -> None:
    shown = text(client.get(f"{path(voted)}?only=down"))
    assert (shown.count("Less like this ·"), shown.count("More like this ·")) == (1, 0)
    for wrong in ("?only=sideways", "?page=0", "?page=2", "?page=x"):
        assert client.get(path(voted) + wrong).status_code == 404


def test_a_vote_is_taken_back_and_put_back(client: httpx.Client, voted: Doors) -> None:
    taking = form(client.get(path(voted)), "Take back what is ticked")
    taking.tick(list(taking.boxes)[1])
    answer = taking.post(client)
    assert "Taken back: Graph study 2604 07002." in text(answer)
    assert standing(voted) == [1, 1]
    undone = form(answer, "Undo").post(client)
    assert "1 vote put back." in undone.text
    assert standing(voted) == [1, -1, 1]
    assert "0 votes put back." in form(answer, "Undo").post(client).text


def test_a_vote_that_is_put_back_is_the_one_that_was_cast(
    client: httpx.Client, voted: Doors, papers: list[Invented], clock: Clock
) -> None:
    rate.answer(voted.installation, voted.subscriber_id, {papers[5].id: "up"})
    work = f"@misc{{a, eprint = {{{papers[6].id}}}}}".encode()
    library.take_in(voted.installation, voted.subscriber_id, library.read(work, "a.bib"))
    before = held_to_be(voted)
    assert {origin for _, origin, _, _ in before} == {"command", "rating", "library"}
    clock.turn(hours=30)
    taking = form(client.get(path(voted)), "Take back what is ticked")
    taking.tick()
    answer = taking.post(client)
    assert held_to_be(voted) == []
    clock.turn(hours=1)
    assert "5 votes put back." in form(answer, "Undo").post(client).text
    assert held_to_be(voted) == before
    shown = client.get(path(voted))
    assert PLACES["rating"] in shown.text
    assert "ignored" not in text(shown)
    assert library.take_back(voted.installation, voted.subscriber_id) == 1
    assert {origin for _, origin, _, _ in held_to_be(voted)} == {"command", "rating"}


def test_a_vote_that_still_waited_when_it_was_taken_back_waits_again(
    client: httpx.Client, voted: Doors, papers: list[Invented]
) -> None:
    vote.cast_by_command(voted.installation, voted.email, papers[0].id, "up")
    client.post(voted.path(Purpose.VOTE, -1), data={"value": "down"})
    taking = form(client.get(path(voted)), "Take back what is ticked")
    answer = taking_back(taking, voted.paper_number).post(client)
    assert "Votes that wait to count" not in answer.text
    form(answer, "Undo").post(client)
    assert "Votes that wait to count" in client.get(path(voted)).text


def test_the_button_pressed_as_it_stands_takes_nothing_back(
    client: httpx.Client, voted: Doors
) -> None:
    answer = form(client.get(path(voted)), "Take back what is ticked").post(client)
    assert answer.status_code == 400
    assert "tick the votes" in answer.text
    assert standing(voted) == [1, -1, 1]


def test_a_post_of_rubbish_changes_nothing(client: httpx.Client, voted: Doors) -> None:
    for number in ("", "x", "-1", "9" * 5000, "'; --", "0", "٣"):
        for action in ("take-back", "put-back", "restore", "", "sing"):
            posted = {"action": action, f"back-{number}": "yes", f"mine-{number}": "yes"}
            assert client.post(path(voted), data=posted).status_code in (200, 400)
    assert standing(voted) == [1, -1, 1]


def test_nobody_undoes_or_learns_what_is_somebody_elses(
    client: httpx.Client, voted: Doors, papers: list[Invented]
) -> None:
    join(voted.installation, "ben", "speech")
    ben = Doors(voted.installation, "ben@example.org", papers[0].id)
    taking = form(client.get(path(voted)), "Take back what is ticked")
    taking.tick()
    for action in ("take-back", "put-back"):
        answer = client.post(path(ben), data=taking.fields | {"action": action})
        assert "Study" not in answer.text
    assert standing(ben) == []
    assert standing(voted) == [1, -1, 1]


def test_fifty_votes_are_a_page_and_the_last_one_of_a_page_may_go(
    client: httpx.Client, doors: Doors
) -> None:
    found = fill(doors.installation, [DAY + timedelta(days=1)], each=17)
    for one in found:
        vote.cast_by_command(doors.installation, doors.email, one.id, "up")
    first, second = (client.get(f"{path(doors)}?page={page}") for page in (1, 2))
    assert [page.text.count('name="back-') for page in (first, second)] == [50, 1]
    taking = form(second, "Take back what is ticked")
    taking.tick()
    answer = taking.post(client)
    assert answer.text.count('id="vote-') == 50
    assert "Undo" in answer.text


def test_a_work_of_ones_own_library_has_no_page_to_lead_to(
    client: httpx.Client, doors: Doors
) -> None:
    entries = library.read(b"@article{a, title={A Paper Nobody Else Has}, doi={10.1/x}}", "a.bib")
    library.take_in(doors.installation, doors.subscriber_id, entries)
    page = client.get(path(doors))
    assert "A Paper Nobody Else Has" in page.text
    assert "from your library" in page.text
    assert "/paper/" not in page.text


def test_no_page_of_ones_own_names_the_address_but_behind_a_fresh_link(
    client: httpx.Client, voted: Doors
) -> None:
    for name in ("", "/votes", "/digests", "/record", "/library"):
        page = client.get(voted.path(Purpose.PREFERENCES) + name)
        assert page.status_code == 200
        assert voted.email not in page.text


def test_every_origin_of_a_vote_has_words(
    client: httpx.Client, voted: Doors, papers: list[Invented]
) -> None:
    with voted.installation.database.writing() as session:
        for origin in PLACES:
            act = Vote(
                subscriber_id=voted.subscriber_id,
                paper_number=voted.paper_number,
                value=1 if origin != "command" else -1,
                origin=origin,
                cast_at=voted.installation.clock(),
                counts_at=voted.installation.clock(),
            )
            session.add(act)
            session.flush()
    history = account.export(voted.installation, voted.email)["vote_history"]
    assert {one["origin"] for one in history} == set(PLACES)
