"""A subscriber's own doors: what is told, changed, taken along and deleted."""

from datetime import date, timedelta

import pytest
from invented import Clock, fill, join, with_settings
from sqlalchemy import inspect, text

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, vote
from paperpost.service.account import UnknownSubscriber
from paperpost.service.deliver import send
from paperpost.service.explain import explain
from paperpost.service.installation import Installation
from paperpost.service.links import Purpose, token
from paperpost.store import papers, subscribers

DAY = date(2026, 4, 7)


def vote_token(installation: Installation, email: str, paper_id: str, value: int) -> str:
    with installation.database.reading() as session:
        person = subscribers.by_email(session, email)
        paper = papers.find(session, paper_id)
    assert person is not None
    assert paper is not None
    numbers = (person.id or 0, paper.number or 0, value)
    return token(installation.signer, Purpose.VOTE, installation.clock(), *numbers)


def test_a_held_vote_is_exported_as_such_until_it_counts(
    any_installation: Installation, clock: Clock
) -> None:
    fill(any_installation, [DAY])
    email = join(any_installation, "ada", "graph")
    link = vote_token(any_installation, email, "2604.07000", 1)
    vote.cast_by_link(any_installation, link, "up")
    exported = account.export(any_installation, email)
    assert exported["votes"] == []
    assert [held["paper"] for held in exported["held_votes"]] == ["2604.07000"]
    clock.turn(minutes=10)
    exported = account.export(any_installation, email)
    assert [(v["paper"], v["value"]) for v in exported["votes"]] == [("2604.07000", 1)]
    assert exported["held_votes"] == []


def test_a_vote_on_a_paper_newer_than_the_training_moves_the_next_ranking(
    any_installation: Installation,
) -> None:
    later = DAY + timedelta(days=1)
    fill(any_installation, [DAY])
    email = join(any_installation, "ada", "graph neural networks", size=12)
    explain(any_installation, email, DAY)  # trains on the first day
    fill(any_installation, [later])
    before = [choice["paper"] for choice in explain(any_installation, email, later, 100)]
    hasty = with_settings(any_installation, vote_hold_seconds=0)
    speech = f"{later:%y%m}.{later.day:02}100"
    vote.cast_by_link(hasty, vote_token(hasty, email, speech, 1), "up")
    after = [choice["paper"] for choice in explain(hasty, email, later, 100)]
    others = [paper for paper in before if paper[5:8] == speech[5:8] and paper != speech]
    assert len(others) == 3
    assert all(after.index(paper) <= before.index(paper) for paper in others)
    assert sum(map(after.index, others)) < sum(map(before.index, others))


def test_deleting_leaves_no_row_behind(any_installation: Installation) -> None:
    fill(any_installation, [DAY])
    email = join(any_installation, "ada", "graph")
    compose_all_of(any_installation, DAY)
    send(any_installation)
    vote.cast_by_command(any_installation, email, "2604.07000", "up")
    account.delete(any_installation, email)
    with any_installation.database.engine.connect() as connection:
        for table in ("subscriber", "interest", "vote", "digest", "delivery"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
    assert "paper" in inspect(any_installation.database.engine).get_table_names()
    with pytest.raises(UnknownSubscriber):
        account.export(any_installation, email)


def test_the_number_of_someone_deleted_is_never_given_again(
    any_installation: Installation,
) -> None:
    numbers = []
    for name in ("ada", "ben"):
        email = join(any_installation, name, "graph")
        with any_installation.database.reading() as session:
            numbers.append(account.named(session, email).id)
        account.delete(any_installation, email)
    assert numbers[0] != numbers[1]


def test_a_mail_to_someone_deleted_in_between_is_not_sent(any_installation: Installation) -> None:
    fill(any_installation, [DAY])
    email = join(any_installation, "ada", "graph")
    compose_all_of(any_installation, DAY)
    account.delete(any_installation, email)
    assert send(any_installation).sent == 0


def test_votes_of_few_do_not_call_a_paper_popular(any_installation: Installation) -> None:
    fill(any_installation, [DAY])
    reader = join(any_installation, "reader", "graph")
    for count, name in enumerate(("ada", "ben", "cleo"), start=1):
        email = join(any_installation, name, "speech")
        vote.cast_by_command(any_installation, email, "2604.07000", "up")
        (told,) = [
            c for c in explain(any_installation, reader, DAY, 50) if c["paper"] == "2604.07000"
        ]
        assert ("3 readers voted this up" in told["reasons"]) == (count == 3)
