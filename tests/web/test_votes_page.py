"""The page of one's votes: what holds, taking it back, and undoing that."""

import re
from datetime import timedelta

import httpx
import pytest
from doors import DAY, Doors, Form, forms
from invented import Clock, Invented, fill, join

from paperpost.service import account, library, vote
from paperpost.service.links import Purpose
from paperpost.store import votes
from paperpost.store.tables import Vote
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
