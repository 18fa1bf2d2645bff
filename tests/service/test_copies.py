"""A work that comes again under another id is not mailed again."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from invented import Clock, Invented, arrival, fill, join
from sqlmodel import Session

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, block
from paperpost.service.explain import explain
from paperpost.service.installation import Installation
from paperpost.service.train import train
from paperpost.service.vote import cast_by_command
from paperpost.store import digests, papers, subscribers
from paperpost.store.intake import put_all
from paperpost.store.papers import Heading, number_of
from paperpost.store.subscribers import id_of

DAY = date(2026, 4, 6)
ABSTRACT = (
    "Graph neural networks pass messages along the edges of a molecule. We let the messages wait "
    "until their senders have heard from all of their own neighbours, and find that half as many "
    "rounds give the same forces on every atom."
)


def post(installation: Installation, paper_id: str, title: str, day: date, author: str = "") -> str:
    """Store a telling of the one work these tests are about, by the usual authors or this one."""
    usual = arrival(Invented(paper_id, "graph", day))
    authors = (author,) if author else usual.authors
    told = replace(usual, title=title, abstract=ABSTRACT, authors=authors)
    with installation.database.writing() as session:
        put_all(session, [told], installation.clock())
    return paper_id


def preprint(installation: Installation, day: date = DAY) -> str:
    return post(installation, "2604.90001", "Patient Messages on Molecular Graphs", day)


def journal_version(installation: Installation, day: date) -> str:
    return post(installation, "doi:10.1000/patient", "Patient message passing", day)


def candidates(installation: Installation, email: str, on: date) -> set[str]:
    shown = explain(installation, email, on, 50)
    return {paper for choice in shown for paper in (choice["paper"], *choice["also"])}


def test_two_tellings_on_one_day_are_one_place_in_the_digest(
    any_installation: Installation,
) -> None:
    fill(any_installation, [DAY])
    both = {preprint(any_installation), journal_version(any_installation, DAY)}
    email = join(any_installation, "ada", "graph neural networks", size=14)
    shown = explain(any_installation, email, DAY)
    (choice,) = [choice for choice in shown if choice["paper"] in both]
    assert {choice["paper"], *choice["also"]} == both
    assert len(shown) == 13
    compose_all_of(any_installation, DAY)
    mailed = account.export(any_installation, email)["digests"][0]["papers"]
    assert mailed == [choice["paper"] for choice in shown]


@pytest.mark.parametrize("days", [0, 1, 30])
def test_what_was_mailed_does_not_come_again_under_another_id(
    any_installation: Installation, days: int
) -> None:
    """Neither late on the day it was mailed, nor on the next, nor after weeks of other digests."""
    later = DAY + timedelta(days=max(days, 1))
    preprint(any_installation)
    ada = join(any_installation, "ada", "graph neural networks")
    compose_all_of(any_installation, DAY)
    if days > 1:
        fill(any_installation, [later - timedelta(days=1)], each=1)
        compose_all_of(any_installation, later - timedelta(days=1))
    fill(any_installation, [later])
    again = journal_version(any_installation, DAY + timedelta(days=days))
    ben = join(any_installation, "ben", "graph neural networks")
    assert again not in candidates(any_installation, ada, later)
    assert len(candidates(any_installation, ada, later)) == 12
    assert again in candidates(any_installation, ben, later)


@pytest.mark.parametrize("days", [10, 300])
def test_what_was_voted_on_does_not_come_again_under_another_id(
    installation: Installation, days: int
) -> None:
    seen = preprint(installation, DAY - timedelta(days=days))
    fill(installation, [DAY])
    ada, ben = (join(installation, name, "graph neural networks") for name in ("ada", "ben"))
    again = journal_version(installation, DAY)
    assert again in candidates(installation, ada, DAY)
    cast_by_command(installation, ada, seen, "down")
    assert again not in candidates(installation, ada, DAY)
    assert again in candidates(installation, ben, DAY)


def test_a_vote_too_old_for_the_profile_still_tells_of_a_copy(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = preprint(any_installation, DAY - timedelta(days=300))
    newer = fill(any_installation, [DAY - timedelta(days=100), DAY])
    ada = join(any_installation, "ada", "graph neural networks")
    again = journal_version(any_installation, DAY)
    cast_by_command(any_installation, ada, seen, "up")
    cast_by_command(any_installation, ada, newer[0].id, "up")
    monkeypatch.setattr(block, "MOST_VOTES", 1)
    assert again not in candidates(any_installation, ada, DAY)
    assert candidates(any_installation, ada, DAY)


def test_a_folded_copy_counts_as_mailed(installation: Installation) -> None:
    both = [preprint(installation), journal_version(installation, DAY)]
    ada = join(installation, "ada", "graph neural networks")
    compose_all_of(installation, DAY)
    with installation.database.reading() as session:
        person = subscribers.by_email(session, ada)
        assert person is not None
        mailed = digests.mailed(session, [id_of(person)], DAY)[id_of(person)]
        assert mailed == {number_of(paper) for paper in papers.named(session, both)}


def test_the_first_days_of_the_calendar_can_be_asked_for(installation: Installation) -> None:
    first = date.min + timedelta(days=1)
    seen = preprint(installation)
    fill(installation, [first])
    ada = join(installation, "ada", "graph neural networks")
    cast_by_command(installation, ada, seen, "up")
    assert len(candidates(installation, ada, first)) == 12


def test_a_paper_that_is_told_anew_after_the_training_is_compared_as_it_is_now(
    any_installation: Installation,
) -> None:
    earlier, later = DAY + timedelta(days=8), DAY + timedelta(days=9)
    post(any_installation, "2604.90001", "Something else entirely", DAY, "Ada Lovelace")
    ada = join(any_installation, "ada", "graph neural networks", size=20)
    compose_all_of(any_installation, DAY)
    fill(any_installation, [earlier], each=1)
    compose_all_of(any_installation, earlier)
    train(any_installation)
    preprint(any_installation)
    again = post(
        any_installation, "doi:10.1000/patient", "Patient Messages on Molecular Graphs", later
    )
    assert again not in candidates(any_installation, ada, later)


def test_of_papers_that_the_model_knows_only_those_are_read_that_may_be_copies(
    any_installation: Installation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier, later = DAY + timedelta(days=8), DAY + timedelta(days=9)
    mailed = preprint(any_installation)
    other = post(any_installation, "2604.90002", "Something else entirely", DAY, "Ada Lovelace")
    ada, ben = (join(any_installation, name, "graph neural networks") for name in ("ada", "ben"))
    compose_all_of(any_installation, DAY, ada)
    fill(any_installation, [earlier], each=1)
    compose_all_of(any_installation, earlier, ada)
    clock.turn(minutes=5)
    train(any_installation)
    clock.turn(minutes=5)
    fill(any_installation, [later])
    again = journal_version(any_installation, later)
    asked: set[int] = set()

    def headings(session: Session, numbers: Collection[int]) -> Iterator[list[Heading]]:
        asked.update(numbers)
        return read_headings(session, numbers)

    read_headings = papers.headings
    monkeypatch.setattr(papers, "headings", headings)
    assert again not in candidates(any_installation, ada, later)
    assert again in candidates(any_installation, ben, later)
    with any_installation.database.reading() as session:
        by_id = {paper.id: number_of(paper) for paper in papers.named(session, [mailed, other])}
    assert asked & {*by_id.values()} == {by_id[mailed]}
