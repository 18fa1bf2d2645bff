"""One paper outside a subscriber's usual ends their digest, unless they do not want that."""

from datetime import date, timedelta
from typing import Any

import pytest
from invented import fill, join

from paperpost.engine.runs import compose_all_of
from paperpost.service import account, explain
from paperpost.service.installation import Installation
from paperpost.service.vote import cast_by_command

DAY = date(2026, 4, 7)
TOMORROW = DAY + timedelta(days=1)
SIZE = 6


@pytest.fixture
def filled(any_installation: Installation) -> Installation:
    """Twenty-four papers in the window of a first digest."""
    fill(any_installation, [DAY], each=8)
    return any_installation


def marks(ranking: list[dict[str, Any]]) -> list[bool]:
    return [choice["explored"] for choice in ranking]


def mailed(installation: Installation, email: str) -> list[str]:
    digests = account.export(installation, email)["digests"]
    return [paper for digest in digests for paper in digest["papers"]]


def test_the_last_paper_of_a_digest_is_outside_the_usual(filled: Installation) -> None:
    email = join(filled, "ada", "graph neural networks", size=SIZE)
    join(filled, "cleo", "speech recognition", size=9)
    other = join(filled, "ben", "graph neural networks", size=SIZE, explore="no")
    exploring, usual = (explain.explain(filled, one, DAY) for one in (email, other))
    assert marks(exploring) == [False] * (SIZE - 1) + [True]
    assert exploring[:-1] == usual[:-1]
    assert marks(usual) == [False] * SIZE
    assert exploring[-1]["paper"] not in {choice["paper"] for choice in usual}
    assert exploring[-1]["reasons"][0].endswith("in your ranking, here to learn from your vote")
    compose_all_of(filled, DAY)
    assert mailed(filled, email) == [choice["paper"] for choice in exploring]


def test_what_was_mailed_is_not_explored_and_what_was_explored_is_not_mailed_again(
    filled: Installation,
) -> None:
    email = join(filled, "ada", "graph neural networks", size=SIZE)
    compose_all_of(filled, DAY)
    cast_by_command(filled, email, mailed(filled, email)[-1], "up")
    fill(filled, [TOMORROW], each=8)
    assert marks(explain.explain(filled, email, TOMORROW))[-1]
    compose_all_of(filled, TOMORROW)
    assert len(set(mailed(filled, email))) == 2 * SIZE


def test_an_explored_paper_needs_no_threshold_and_is_never_alone(filled: Installation) -> None:
    email = join(filled, "ada", "graph neural networks", size=8)  # as many as there are of them
    everything = explain.explain(filled, email, DAY)
    threshold = everything[2]["probability"]
    with filled.database.writing() as session:
        account.named(session, email).threshold = threshold
    reaching = [choice for choice in everything if choice["probability"] >= threshold]
    assert 2 <= len(reaching) < 8
    assert explain.explain(filled, email, DAY) == [*reaching, everything[-1]]
    join(filled, "ada", "graph neural networks", threshold=99)
    assert explain.explain(filled, email, DAY) == []


def test_a_number_that_is_asked_for_ends_with_an_explored_paper_too(filled: Installation) -> None:
    email = join(filled, "ada", "graph neural networks", size=SIZE)
    assert marks(explain.explain(filled, email, DAY, 8)) == [False] * 7 + [True]
    assert not any(marks(explain.explain(filled, email, DAY, 20)))
