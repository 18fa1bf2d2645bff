"""The page of what Paperpost thinks somebody likes, and taking out what is wrong."""

from collections.abc import Callable
from datetime import date
from re import findall

import httpx
import pytest
from doors import DAY, Doors, Form, forms
from invented import Invented, fill

from paperpost.service import account, explain, interests, likes, vote
from paperpost.service.links import Purpose
from paperpost.service.train import train
from paperpost.store.tables import InterestKind

pytest_plugins = ["site_on_stage"]


def path(doors: Doors) -> str:
    return f"{doors.path(Purpose.PREFERENCES)}/likes"


def having(page: httpx.Response, box: str) -> Form:
    """The form that has boxes of this kind."""
    return next(one for one in forms(page) if any(name.startswith(box) for name in one.boxes))


def box_of(form: Form, value: str) -> str:
    return next(name for name, own in form.boxes.items() if own == value)


@pytest.fixture
def liked(doors: Doors) -> list[Invented]:
    """Papers on graphs that Ada voted for, in an installation that was trained."""
    older = [
        one for one in fill(doors.installation, [date(2026, 4, 3)], each=6) if one.topic == "graph"
    ]
    train(doors.installation)
    for paper in older:
        vote.cast_by_command(doors.installation, doors.email, paper.id, "up")
    return older


def exported(doors: Doors) -> dict[str, list[str]]:
    found: dict[str, list[str]] = account.export(doors.installation, doors.email)["interests"]
    return found


def ranked(doors: Doors) -> list[tuple[str, float]]:
    return [
        (one["title"], one["score"])
        for one in explain.explain(doors.installation, doors.email, DAY, 30)
    ]


def test_of_many_votes_the_newest_are_looked_at_and_that_is_said(
    client: httpx.Client, doors: Doors, liked: list[Invented], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "newest" not in client.get(path(doors)).text
    monkeypatch.setattr(likes, "MOST_VOTES", 2)
    page = client.get(path(doors)).text
    assert "Only your newest 2 votes are looked at" in " ".join(page.split())
    assert f"{len(liked)} votes up" in page
    shown = [number for number, one in enumerate(liked) if f"/paper/{one.id}" in page]
    assert shown == [len(liked) - 2, len(liked) - 1]


def test_the_words_and_papers_of_a_profile_are_shown(
    client: httpx.Client, doors: Doors, liked: list[Invented]
) -> None:
    page = client.get(path(doors))
    assert page.status_code == 200
    for keyword in ("graph neural networks", "speech"):
        assert keyword in having(page, "keyword-").boxes.values()
    words = list(having(page, "word-").boxes.values())
    assert "pass messages" in words
    assert "graph neural" not in words  # it stands in a keyword
    assert page.text.count("<circle cx=") == len(liked)
    for paper in liked:
        assert page.text.count(f"/paper/{paper.id}") == 1
    assert len(page.content) < 100_000


def test_a_forgotten_word_lowers_its_papers_and_undone_all_is_as_before(
    client: httpx.Client, doors: Doors, liked: list[Invented]
) -> None:
    assert liked
    client.post(doors.path(Purpose.PREFERENCES), data={"action": "save", "keywords": "auctions"})
    before = ranked(doors)
    page = client.get(path(doors))
    form = having(page, "word-")
    for word in list(form.boxes.values()):
        form.tick(box_of(form, word))
    forgotten = form.fields | {"action": "forget"}
    page = client.post(form.action, data=forgotten)
    assert "Forgotten: " in page.text
    assert exported(doors)["forgotten"] == list(form.boxes.values())
    assert not findall(r'name="word-\d+" type="checkbox" value="pass messages"', page.text)

    def graphs(ranking: list[tuple[str, float]]) -> float:
        scores = dict(ranking)
        return sum(scores[title] for title in scores if title.startswith("Graph"))

    assert graphs(ranked(doors)) < graphs(before)
    reasons = str(explain.explain(doors.installation, doors.email, DAY, 30)).lower()
    assert "pass messages" not in reasons
    back = having(page, "forgotten-")
    back.tick()
    page = back.post(client)
    assert "Counts again: " in page.text
    assert exported(doors)["forgotten"] == []
    assert ranked(doors) == before


def test_a_muted_word_keeps_its_papers_out(
    client: httpx.Client, doors: Doors, liked: list[Invented]
) -> None:
    assert liked
    form = having(client.get(path(doors)), "word-")
    form.tick(box_of(form, "pass messages"))
    client.post(form.action, data=form.fields | {"action": "mute"})
    assert exported(doors)["muted"] == ["pass messages"]
    assert not any(title.startswith("Graph") for title, _ in ranked(doors))


def test_a_keyword_is_taken_out(client: httpx.Client, doors: Doors, liked: list[Invented]) -> None:
    assert liked
    form = having(client.get(path(doors)), "keyword-")
    form.tick(box_of(form, "speech"))
    assert "Taken out: speech." in form.post(client).text
    assert exported(doors)["keywords"] == ["graph neural networks"]


@pytest.mark.parametrize(
    ("box", "value", "action", "undone"),
    [
        ("word-", "pass messages", "forget", "Counts again: pass messages."),
        ("word-", "pass messages", "mute", "Not muted any more: pass messages."),
        ("keyword-", "speech", "drop", "There again: speech."),
        ("keyword-", "graph neural networks", "drop", "There again: graph neural networks."),
    ],
)
def test_what_was_taken_out_comes_back_where_it_was(
    client: httpx.Client,
    doors: Doors,
    liked: list[Invented],
    box: str,
    value: str,
    action: str,
    undone: str,
) -> None:
    assert liked
    wanted = {InterestKind.KEYWORD: ["graph neural networks"]}
    interests.add(doors.installation, doors.subscriber_id, "Thesis", 50, wanted)
    before = exported(doors)
    form = having(client.get(path(doors)), box)
    form.tick(box_of(form, value))
    page = client.post(form.action, data=form.fields | {"action": action})
    assert exported(doors) != before
    undo = next(one for one in forms(page) if one.button == "Undo")
    assert undone in undo.post(client).text
    assert {kind: set(map(str, own)) for kind, own in exported(doors).items()} == {
        kind: set(map(str, own)) for kind, own in before.items()
    }
    named = interests.interests(doors.installation, doors.subscriber_id).named
    assert [one.terms.get(InterestKind.KEYWORD) for one in named] == [["graph neural networks"]]


def test_a_hostile_undo_changes_no_more_than_its_owner_could(
    client: httpx.Client, doors: Doors, liked: list[Invented]
) -> None:
    assert liked
    posted = {"action": "restore", "keyword-1-999": "a", "keyword-2-x": "b", "keyword-": "c"}
    assert "There again: a, b, c." in client.post(path(doors), data=posted).text
    assert client.post(path(doors), data={"action": "unmute"}).status_code == 400
    assert client.post(path(doors), data={"action": "restore"}).status_code == 400


def test_a_vote_is_taken_back_and_put_back(
    client: httpx.Client, doors: Doors, liked: list[Invented]
) -> None:
    before = ranked(doors)
    form = having(client.get(path(doors)), "back-")
    form.tick(next(iter(form.boxes)))
    page = form.post(client)
    assert "Taken back: Graph study" in page.text
    assert page.text.count("<circle cx=") == len(liked) - 1
    undo = next(one for one in forms(page) if one.fields.get("action") == "put-back")
    assert "1 vote put back." in undo.post(client).text
    assert dict(ranked(doors)) == pytest.approx(dict(before), abs=1e-3)


def test_a_program_that_submits_the_forms_as_they_stand_changes_nothing(
    client: httpx.Client, doors: Doors, liked: list[Invented], dump: Callable[[], list[str]]
) -> None:
    assert liked
    client.post(path(doors), data={"action": "forget", "word-1": "toy"})
    before = dump()
    found = [one for one in forms(client.get(path(doors))) if one.method == "post"]
    assert len(found) == 4
    for one in found:
        assert one.post(client).status_code == 400
        for action in ("forget", "mute"):
            client.post(one.action, data=one.fields | {"action": action})
    assert dump() == before


def test_interests_that_are_kept_apart_are_told_apart(
    client: httpx.Client, doors: Doors, liked: list[Invented]
) -> None:
    speech = next(
        one for one in fill(doors.installation, [date(2026, 4, 2)], 1) if one.topic == "speech"
    )
    vote.cast_by_command(doors.installation, doors.email, speech.id, "up")
    wanted = {InterestKind.KEYWORD: ["graph neural networks"]}
    interests.add(doors.installation, doors.subscriber_id, "The<sis", 50, wanted)
    page = client.get(path(doors)).text
    assert findall(r"</svg> (\S+)</h3>", page) == ["The&lt;sis", "General"]
    assert page.count("<circle cx=") == len(liked) + 1


def test_somebody_unknown_is_told_why_there_is_nothing(
    client: httpx.Client, doors: Doors, liked: list[Invented]
) -> None:
    assert liked
    for paper in liked:
        vote.cast_by_command(doors.installation, doors.email, paper.id, "none")
    client.post(doors.path(Purpose.PREFERENCES), data={"action": "save", "keywords": ""})
    page = client.get(path(doors))
    assert "Nothing is known of you yet" in page.text
    assert not [one for one in forms(page) if one.method == "post"]


def test_before_the_first_training_the_page_says_so_and_trains_nothing(
    client: httpx.Client, doors: Doors, dump: Callable[[], list[str]]
) -> None:
    before = dump()
    page = client.get(path(doors))
    assert page.status_code == 200
    assert "Nothing has been learnt here yet" in page.text
    assert dump() == before
