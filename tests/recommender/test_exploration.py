"""The paper that ends a list for what a vote on it would teach: which, for whom, and how marked."""

from dataclasses import replace

import numpy as np
import pytest
from two_topics import is_protein, model, papers

from recommender.explain import sentence
from recommender.explore import (
    SHORTEST_LIST,
    UNCERTAINTY_WEIGHT,
    greatest_bounds,
    uncertainty,
)
from recommender.matrices import Booleans, Floats, unit_rows
from recommender.profile import Interests, Reader, Vote
from recommender.rank import Ranked, best, rank
from recommender.text import Paper

ADA = Reader("ada", Interests(("protein folding",)), (Vote("paper/0", 1), Vote("paper/1", -1)))
NOBODY = Reader("ben")
MANY = papers(60, seed=3, prefix="many")


def ranked(
    reader: Reader,
    length: int,
    candidates: tuple[Paper, ...] = MANY,
    limit: int = 6,
    allowed: Booleans | None = None,
) -> list[Ranked]:
    profiles = model().profiles([NOBODY, reader], model().batch((*papers(80), *candidates)))
    lengths = np.array([0, length], dtype=np.int32)
    batch = model().batch(candidates)
    return rank(profiles, batch, limit=limit, allowed=allowed, explore=lengths)[1]


def ids(of: list[Ranked]) -> list[str]:
    return [one.paper_id for one in of]


def test_the_last_place_goes_to_a_paper_from_outside_the_list_and_no_other_changes() -> None:
    usual, exploring = ranked(ADA, 0, limit=60), ranked(ADA, 6)
    assert ids(exploring)[:5] == ids(usual)[:5]
    assert exploring[:5] == usual[:5]
    assert ids(exploring)[5] in ids(usual)[6:30]
    assert [one.explored for one in exploring] == [False] * 5 + [True]
    assert exploring == ranked(ADA, 6)


def test_an_explored_paper_tells_its_rank_and_keeps_score_and_chance() -> None:
    usual, explored = ranked(ADA, 0, limit=60), ranked(ADA, 6)[-1]
    place = ids(usual).index(explored.paper_id)
    told = (explored.score, explored.parts, explored.probability, explored.place)
    same = usual[place]
    assert told == (same.score, same.parts, same.probability, same.place)
    assert explored.reasons[0].kind == "explored"
    assert explored.reasons[1:] == same.reasons[:2]
    said = f"number {place + 1} in your ranking, here to learn from your vote"
    assert sentence(explored.reasons[0]) == said


def test_a_list_ends_with_the_explored_paper_even_where_others_are_longer() -> None:
    exploring = ranked(ADA, 6, limit=20)
    assert len(exploring) == 6
    assert exploring == ranked(ADA, 6)


@pytest.mark.parametrize(
    ("reader", "length", "candidates"),
    [
        (NOBODY, 6, MANY),
        (Reader("ada", Interests(authors=("Author Number3",))), 6, MANY),
        (ADA, 0, MANY),
        (ADA, SHORTEST_LIST - 1, MANY),
        (ADA, 6, MANY[:17]),
        (ADA, 6, ()),
    ],
    ids=["nothing known", "no words", "unwanted", "short list", "few papers", "no papers"],
)
def test_nothing_is_explored(reader: Reader, length: int, candidates: tuple[Paper, ...]) -> None:
    assert ranked(reader, length, candidates) == ranked(reader, 0, candidates)


def test_a_followed_authors_paper_is_not_given_away() -> None:
    everybody = tuple(f"Author Number{number}" for number in range(6))
    ada = replace(ADA, interests=Interests(("protein folding",), authors=everybody))
    exploring = ranked(ada, 6)
    assert all(one.reasons[0].kind == "author" for one in exploring)
    assert exploring == ranked(ada, 0)


def test_a_reader_whose_words_nobody_uses_is_shown_nothing_unusual() -> None:
    ada = Reader("ada", Interests(("unheardofword",)))
    assert ranked(ada, 6) == ranked(ada, 0)


def test_votes_down_alone_are_enough_to_explore() -> None:
    assert ranked(Reader("ada", votes=(Vote("paper/1", -1),)), 6)[-1].explored


def test_what_is_muted_not_allowed_or_voted_on_is_never_explored() -> None:
    allowed = np.ones((2, len(MANY)), dtype=np.bool_)
    for _ in range(20):
        explored = ranked(ADA, 6, allowed=allowed)[-1]
        assert explored.explored
        assert allowed[1, explored.place]
        allowed[1, explored.place] = False
    muted = Reader("ada", Interests(("protein folding",), muted=("cs.RO",)))
    assert all(is_protein(paper_id) for paper_id in ids(ranked(muted, 6)))
    voted = tuple(Vote(paper.id, 1) for paper in MANY[:58])
    assert ranked(Reader("ada", votes=voted), 5)[-1].paper_id in {paper.id for paper in MANY[58:]}


def test_a_copy_of_what_is_listed_is_never_explored() -> None:
    works = [
        replace(paper, title=f"{paper.title} case {n}", authors=(f"Ada Lovelace{n}", f"Li Wei{n}"))
        for n, paper in enumerate(MANY[:20])
    ]
    twice = (*works, *(replace(work, id=f"copy/{work.id}") for work in works))
    exploring = ranked(ADA, 6, twice)
    assert exploring[-1].explored
    assert len({twice[one.place].title for one in exploring}) == 6
    assert [len(one.also) for one in exploring] == [1] * 6


def test_readers_of_one_block_and_of_many_explore_alike() -> None:
    profiles = model().profiles([ADA, NOBODY] * 150, model().batch(papers(80)))
    batch = model().batch(MANY)
    lengths = np.array([6, 6] * 150, dtype=np.int32)
    found = best(profiles, batch, limit=6, explore=lengths)
    assert found.explored.tolist() == [found.explored[0], 0] * 150
    assert found.explored[0] > 6
    assert {row.tobytes() for row in found.positions[::2]} == {found.positions[0].tobytes()}


def some_rows(count: int, seed: int) -> Floats:
    rows = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    return np.asarray(unit_rows(rows), dtype=np.float32)


@pytest.mark.parametrize("count", [1, 5, 40])
def test_uncertainty_is_the_spread_of_the_ridge_posterior(count: int) -> None:
    seen, asked = some_rows(count, 1), some_rows(3, 2)
    precision = np.eye(8) + seen.T @ seen
    expected = np.sqrt(np.einsum("ij,jk,ik->i", asked, np.linalg.inv(precision), asked))
    assert uncertainty(asked, seen) == pytest.approx(expected, abs=1e-4)


def test_a_vote_leaves_less_uncertain_most_of_all_what_is_like_it() -> None:
    seen, asked = some_rows(3, 1), some_rows(6, 2)
    before = uncertainty(asked, seen)
    after = uncertainty(asked, np.vstack([seen, asked[:1]]))
    assert (after <= before + 1e-6).all()
    assert (before - after).argmax() == 0
    nothing = np.zeros((0, 8), dtype=np.float32)
    assert uncertainty(asked, nothing) == pytest.approx(np.ones(6), abs=1e-5)
    assert uncertainty(np.zeros((1, 8), dtype=np.float32), seen).tolist() == [0]


@pytest.mark.parametrize("spread", [0.0, 0.02, 0.2, 2.0])
def test_papers_are_left_out_only_if_they_cannot_have_the_greatest_bound(spread: float) -> None:
    asked, seen = some_rows(7 * 40, 1).reshape(7, 40, 8), some_rows(7 * 3, 2).reshape(7, 3, 8)
    fits = spread * np.random.default_rng(5).standard_normal((7, 40), dtype=np.float32)
    fits[0, 5:] = -np.inf  # a pool with fewer papers
    every = fits + UNCERTAINTY_WEIGHT * uncertainty(asked, seen)
    places = np.arange(7 * 40, dtype=np.int32).reshape(7, 40)
    found = greatest_bounds(fits, places, asked.reshape(-1, 8), seen)
    assert found == every.argmax(axis=1).tolist()
