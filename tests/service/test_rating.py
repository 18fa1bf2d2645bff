"""What subscribers are asked about, and what becomes of their answers."""

from datetime import date, timedelta

import pytest
from invented import Clock, Invented, fill, join
from sqlmodel import select

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, library, own_votes, rate
from paperpost.service.installation import Installation
from paperpost.service.ranking import rank_block
from paperpost.service.rate import ASKED, LEADING, answer, leading, questions_for
from paperpost.service.train import train
from paperpost.service.vote import cast_by_command
from paperpost.store import subscribers
from paperpost.store.subscribers import id_of
from paperpost.store.tables import NEVER_ANNOUNCED, Paper, Subscriber

DAY = date(2026, 4, 7)
TOPICS = {"Graph", "Speech", "Game"}


def furnished(installation: Installation) -> str:
    """36 papers of a day in a model, and Ada, who reads about graph networks."""
    fill(installation, [DAY], each=12)
    train(installation)
    return join(installation, "ada", "graph neural networks")


@pytest.fixture
def email(installation: Installation) -> str:
    """Ada's address."""
    return furnished(installation)


def person(installation: Installation, email: str) -> Subscriber:
    with installation.database.reading() as session:
        found = subscribers.by_email(session, email)
    assert found is not None
    return found


def asked(installation: Installation, email: str, without: tuple[str, ...] = ()) -> list[str]:
    return [one.id for one in questions_for(installation, person(installation, email), without)]


def answered(installation: Installation, email: str, answers: dict[str, str]) -> int:
    return answer(installation, id_of(person(installation, email)), answers)


def voted(installation: Installation, email: str) -> dict[str, int]:
    exported = account.export(installation, email)
    return {vote["paper"]: vote["value"] for vote in exported["votes"]}


def test_ten_papers_are_asked_about_and_the_same_ones_until_something_changes(
    installation: Installation, email: str
) -> None:
    first = asked(installation, email)
    assert len(set(first)) == ASKED
    assert asked(installation, email) == first


def test_somebody_of_whom_nothing_is_known_is_asked_about_every_topic(
    installation: Installation, email: str
) -> None:
    nobody = join(installation, "ben")
    shown = questions_for(installation, person(installation, nobody))
    assert {one.title.split()[0] for one in shown} == TOPICS


def test_nothing_is_asked_twice_nor_what_was_mailed_voted_on_or_collected(
    any_installation: Installation,
) -> None:
    email = furnished(any_installation)
    first = asked(any_installation, email)
    cast_by_command(any_installation, email, first[0], "down")
    library.take_in(
        any_installation,
        id_of(person(any_installation, email)),
        library.read(first[1].encode(), "mine"),
    )
    compose_all_of(any_installation, DAY)
    (digest,) = account.export(any_installation, email)["digests"]
    assert len(digest["papers"]) == 10
    taken = {first[0], first[1], *digest["papers"], first[2]}
    again = asked(any_installation, email, (first[2],))
    assert len(again) == ASKED
    assert not taken & set(again)


def test_answers_are_votes_that_count_at_once(installation: Installation, email: str) -> None:
    one, two, three, *_ = asked(installation, email)
    assert answered(installation, email, {one: "up", two: "down", three: "skip"}) == 2
    assert voted(installation, email) == {one: 1, two: -1}
    history = account.export(installation, email)["vote_history"]
    assert {act["origin"] for act in history} == {"rating"}
    assert not {one, two} & set(asked(installation, email))


def test_a_changed_mind_is_the_last_answer(installation: Installation, email: str) -> None:
    one = asked(installation, email)[0]
    for said in ("up", "down", "skip"):
        answered(installation, email, {one: said})
    assert voted(installation, email) == {one: -1}


def test_what_was_rated_is_not_mailed(installation: Installation, email: str) -> None:
    ada = person(installation, email)
    (before,) = rank_block(installation, [ada], DAY).values()
    best = before.choices[0].paper.id
    answered(installation, email, {best: "up"})
    (after,) = rank_block(installation, [ada], DAY, limit=50).values()
    assert best not in {choice.paper.id for choice in after.choices}
    assert after.considered == before.considered - 1


@pytest.mark.parametrize("taken_back", ["on the page of votes", "and undone", "where it stands"])
def test_what_was_rated_is_not_mailed_either_after_the_vote_was_taken_back(
    installation: Installation, email: str, taken_back: str
) -> None:
    ada = person(installation, email)
    (before,) = rank_block(installation, [ada], DAY).values()
    best = before.choices[0].paper
    answered(installation, email, {best.id: "up"})
    if taken_back == "where it stands":
        cast_by_command(installation, email, best.id, "none")
    else:
        own_votes.take_back(installation, id_of(ada), [str(best.number)])
    if taken_back == "and undone":
        assert own_votes.put_back(installation, id_of(ada), [str(best.number)]) == 1
    assert voted(installation, email) == ({best.id: 1} if "undone" in taken_back else {})
    (after,) = rank_block(installation, [ada], DAY, limit=50).values()
    assert best.id not in {choice.paper.id for choice in after.choices}
    assert best.id not in asked(installation, email)


def test_answers_change_which_papers_lead(installation: Installation, email: str) -> None:
    nobody = join(installation, "ben")
    shown = questions_for(installation, person(installation, nobody))
    speech = {one.id: "up" for one in shown if one.title.startswith("Speech")}
    answered(installation, nobody, speech)
    best = leading(installation, person(installation, nobody))
    assert len(best) == LEADING
    assert all(one.title.startswith("Speech") for one in best)
    assert not speech.keys() & {one.id for one in best}


def test_a_hostile_form_votes_on_no_more_than_ten_papers_and_on_public_ones_alone(
    any_installation: Installation,
) -> None:
    email = furnished(any_installation)
    ben = join(any_installation, "ben")
    private = "@article{a, title = {A Work that Nobody has Told of}}"
    number = id_of(person(any_installation, ben))
    library.take_in(any_installation, number, library.read(private.encode(), "mine.bib"))
    with any_installation.database.reading() as session:
        stored = session.exec(select(Paper).where(Paper.announced == NEVER_ANNOUNCED)).one()
    known = asked(any_installation, email)[0]
    strange = ["nothing", "", "\0", "2604\n", "x" * 10_000, "'; DROP TABLE vote", stored.id]
    sent = dict.fromkeys(strange, "up") | {known: "five"}
    assert answered(any_installation, email, sent) == 0
    assert voted(any_installation, email) == {}
    everything = [one.id for one in fill(any_installation, [DAY + timedelta(days=1)], each=100)]
    many = {f"none-{n}": "up" for n in range(5)} | dict.fromkeys(everything, "up")
    assert answered(any_installation, email, many) == ASKED - 5
    assert len(voted(any_installation, email)) == ASKED - 5


def test_taking_a_library_back_leaves_ratings(installation: Installation, email: str) -> None:
    one = asked(installation, email)[0]
    answered(installation, email, {one: "up"})
    library.take_back(installation, id_of(person(installation, email)))
    assert voted(installation, email) == {one: 1}


def test_without_papers_or_a_model_nothing_is_asked(installation: Installation) -> None:
    ada = join(installation, "ada", "graph neural networks")
    assert asked(installation, ada) == []
    fill(installation, [DAY])
    assert asked(installation, ada) == []
    assert leading(installation, person(installation, ada)) == ()


def test_only_the_newest_days_are_asked_about(
    installation: Installation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate, "ENOUGH", 10)
    old, newest = DAY - timedelta(days=1), DAY
    invented: list[Invented] = fill(installation, [old, newest], each=4)
    train(installation)
    ada = join(installation, "ada", "graph neural networks")
    of_day = {one.id for one in invented if one.day == newest}
    assert set(asked(installation, ada)) < of_day
    answered(installation, ada, dict.fromkeys(list(of_day)[:10], "down"))
    assert set(asked(installation, ada)) < of_day
