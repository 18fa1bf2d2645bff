"""Which papers a reader is asked about: unsure ones, of several topics, each once."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from two_topics import is_protein, model, papers

from recommender.elicitation import questions
from recommender.matrices import Booleans
from recommender.profile import Interests, Reader, Vote
from recommender.rank import rank
from recommender.text import Paper

MANY = papers(60, seed=3, prefix="many")
BOTH = Reader("ada", Interests(("protein folding", "robot locomotion")))
PROTEINS = Reader("ada", Interests(("protein folding",)))
NOBODY = Reader("ben")


def asked(
    reader: Reader,
    count: int = 6,
    candidates: tuple[Paper, ...] = MANY,
    allowed: Booleans | None = None,
) -> list[str]:
    profiles = model().profiles([reader], model().batch((*papers(80), *candidates)))
    batch = model().batch(candidates)
    (places,) = questions(profiles, batch, count=count, allowed=allowed)
    return [candidates[place].id for place in places]


@pytest.mark.parametrize("reader", [BOTH, NOBODY], ids=["two keywords", "nothing known"])
def test_both_topics_are_asked_about(reader: Reader) -> None:
    assert 2 <= sum(map(is_protein, asked(reader))) <= 4


def test_a_topic_that_many_votes_tell_of_is_left_for_the_other_one() -> None:
    votes = tuple(Vote(f"paper/{number}", 1) for number in range(0, 80, 2))
    both = asked(replace(BOTH, votes=()), count=2)
    known = asked(replace(BOTH, votes=votes), count=2)
    assert sum(map(is_protein, both)) == 1
    assert not any(map(is_protein, known))


def test_a_reader_of_one_topic_is_asked_about_that_one() -> None:
    assert sum(map(is_protein, asked(PROTEINS))) >= 5


def test_the_same_is_asked_again_and_a_shorter_list_is_the_beginning_of_a_longer_one() -> None:
    assert asked(BOTH) == asked(BOTH)
    assert asked(BOTH, count=3) == asked(BOTH)[:3]


def test_nothing_is_asked_that_is_muted_voted_on_or_not_allowed() -> None:
    muted = Reader("ada", Interests(("protein folding",), muted=("cs.RO",)))
    assert all(map(is_protein, asked(muted, count=60)))
    voted = replace(
        BOTH,
        votes=tuple(Vote(one.id, value) for one, value in zip(MANY, (1, -1) * 30, strict=True)),
    )
    assert asked(voted) == []
    allowed = np.zeros((1, len(MANY)), dtype=np.bool_)
    allowed[0, [4, 7]] = True
    assert set(asked(BOTH, allowed=allowed)) == {"many/4", "many/7"}


def test_of_the_copies_of_a_work_one_is_asked_about_and_none_of_a_voted_one() -> None:
    works = [
        replace(paper, title=f"{paper.title} case {n}", authors=(f"Ada Lovelace{n}", f"Li Wei{n}"))
        for n, paper in enumerate(MANY[:10])
    ]
    twice = (*works, *(replace(work, id=f"copy/{work.id}") for work in works))
    titles = {work.id: work.title for work in twice}
    assert len({titles[name] for name in asked(BOTH, 20, twice)}) == 10
    voted = replace(BOTH, votes=(Vote(works[0].id, 1),))
    left = {titles[name] for name in asked(voted, 20, twice)}
    assert left == {work.title for work in works[1:]}


@pytest.mark.parametrize("reader", [BOTH, NOBODY])
def test_where_there_are_no_papers_nothing_is_asked(reader: Reader) -> None:
    assert asked(reader, candidates=()) == []
    assert asked(reader, count=0) == []
    assert len(asked(reader, count=10, candidates=MANY[:3])) == 3


def test_the_first_question_leaves_the_least_doubt_about_what_may_be_liked() -> None:
    """Against ridge regression with explicit inverses, and probabilities as they are told."""
    library, batch = model().batch(papers(80)), model().batch(MANY)
    profiles = model().profiles([BOTH], library)
    told = {one.place: one.probability for one in rank(profiles, batch, limit=60)[0]}
    likely = np.array([told[place] for place in range(60)])
    rows = batch.factors.astype(np.float64)
    known = profiles.evidence.factors[len(library) :].astype(np.float64)

    def doubt(seen: npt.NDArray[np.float64]) -> float:
        covariance = np.linalg.inv(np.eye(rows.shape[1]) + seen.T @ seen)
        return float(likely @ np.einsum("ij,jk,ik->i", rows, covariance, rows))

    gains = [likely[one] * (doubt(known) - doubt(np.vstack([known, rows[one]]))) for one in told]
    best = list(told)[int(np.argmax(gains))]
    assert asked(BOTH, count=1) == [MANY[best].id]
