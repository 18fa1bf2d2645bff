"""How several interests of one reader share a list."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_topics import is_protein, model, papers, today

from recommender.divided import Divided, Part, rank_by_shares, readers_of
from recommender.explain import sentence
from recommender.profile import Interests, Reader, Vote
from recommender.rank import Ranked, rank
from recommender.shares import in_turns, places
from recommender.text import Paper

PROTEINS, ROBOTS = Interests(("protein folding",)), Interests(("quadruped gait",))
LIBRARY = papers(80)


def divided(first: int, second: int, *, size: int = 10, **changes: object) -> Divided:
    """A reader of proteins and of robots with these shares."""
    parts = (Part("Thesis", first, PROTEINS), Part("Robots", second, ROBOTS))
    words = Interests((*PROTEINS.keywords, *ROBOTS.keywords))
    return replace(Divided(Reader("ada", words), parts, size), **changes)  # type: ignore[arg-type]


def listed(one: Divided, candidates: tuple[Paper, ...] = today()) -> list[Ranked]:
    return rank_by_shares(model(), [one], model().batch(LIBRARY), model().batch(candidates))[
        0
    ].papers


def proteins_in(of: list[Ranked]) -> int:
    return sum(is_protein(one.paper_id) for one in of)


def test_ten_places_at_fifty_thirty_and_twenty_are_five_three_and_two() -> None:
    assert places([50, 30, 20], 10, [0, 0, 0], [50, 50, 50]) == [5, 3, 2]


def test_the_largest_remainders_get_what_whole_places_leave() -> None:
    assert places([1, 1, 1], 10, [0, 0, 0], [9, 9, 9]) == [4, 3, 3]
    assert places([47, 16, 15, 12, 10], 10, [0] * 5, [9] * 5) == [5, 2, 1, 1, 1]


def test_an_interest_without_enough_papers_gives_its_places_by_the_shares_of_the_others() -> None:
    assert places([50, 40, 10], 10, [0, 0, 0], [0, 50, 50]) == [0, 8, 2]
    assert places([50, 30, 20], 10, [0, 0, 0], [1, 1, 1]) == [1, 1, 1]


def test_what_is_asked_for_by_name_takes_places_from_the_others() -> None:
    assert places([90, 10], 5, [0, 3], [50, 50]) == [2, 3]
    assert places([90, 10], 2, [1, 3], [50, 50]) == [1, 1]


@given(
    st.lists(
        st.tuples(st.integers(1, 100), st.integers(0, 9), st.integers(0, 9)),
        min_size=1,
        max_size=9,
    ),
    st.integers(1, 50),
)
def test_no_place_is_lost_and_none_is_made(parts: list[tuple[int, int, int]], size: int) -> None:
    shares, most = [one[0] for one in parts], [max(one[1:]) for one in parts]
    given = places(shares, size, [min(one[1:]) for one in parts], most)
    assert sum(given) == min(size, sum(most))
    assert all(0 <= number <= bound for number, bound in zip(given, most, strict=True))


def test_lists_are_taken_in_turns() -> None:
    assert in_turns(["abc", "x", ""]) == ["a", "x", "b", "c"]
    assert in_turns([]) == []


def test_a_digest_is_divided_by_the_shares_and_the_best_of_each_come_first() -> None:
    found = listed(divided(30, 70))
    assert [one.interest for one in found[:6]] == ["Robots", "Thesis"] * 3
    assert proteins_in(found) == 3
    assert [one.interest == "Thesis" for one in found] == [
        is_protein(one.paper_id) for one in found
    ]
    assert proteins_in(listed(divided(80, 20))) == 8


def test_each_paper_says_which_interest_it_is_for() -> None:
    first = listed(divided(50, 50))[0]
    assert sentence(first.reasons[0]) == "for your interest “Thesis”"
    assert 2 <= len(first.reasons) <= 3


def test_what_belongs_to_no_named_interest_is_not_named() -> None:
    one = divided(50, 50)
    rest = replace(one, parts=(one.parts[0], replace(one.parts[1], name="")))
    found = listed(rest)
    assert {one.interest for one in found} == {"Thesis", ""}
    assert not any(
        reason.kind == "interest" for one in found if not one.interest for reason in one.reasons
    )


def test_a_vote_belongs_to_the_interest_that_it_is_nearest_to() -> None:
    votes = tuple(Vote(f"paper/{number}", -1 if number > 7 else 1) for number in range(10))
    one = divided(50, 50)
    first, second = readers_of(
        model(), replace(one, reader=replace(one.reader, votes=votes)), model().batch(LIBRARY)
    )
    assert all(is_protein(vote.paper_id) for vote in first.votes)
    assert len(first.votes) == len(second.votes) == 5


def test_an_interest_without_keywords_has_the_votes_by_its_authors_and_in_its_categories() -> None:
    library = (*LIBRARY, *(replace(paper, id=f"x{paper.id}") for paper in today()))
    parts = (
        Part("Thesis", 1, Interests(authors=("Author Number0",))),
        Part("Robots", 1, Interests(categories=("cs.RO",))),
    )
    reader = Reader("ada", votes=(Vote("paper/2", 1), Vote("paper/3", 1)))
    batch = model().batch(library)
    first, second = readers_of(model(), Divided(reader, parts, 10), batch)
    assert [vote.paper_id for vote in (*first.votes, *second.votes)] == ["paper/2", "paper/3"]


def test_a_vote_that_is_near_no_interest_counts_for_all() -> None:
    parts = (Part("a", 1, Interests(authors=("X",))), Part("b", 1, Interests(authors=("Y",))))
    one = Divided(Reader("ada", votes=(Vote("paper/2", 1),)), parts, 10)
    assert [len(part.votes) for part in readers_of(model(), one, model().batch(LIBRARY))] == [1, 1]


def test_a_followed_author_is_there_whatever_the_shares() -> None:
    one = divided(99, 1, size=3)
    authors = tuple(f"Author Number{number}" for number in (1, 5))
    robots = replace(one.parts[1], interests=replace(ROBOTS, authors=authors))
    found = listed(replace(one, parts=(one.parts[0], robots)))
    assert {"new/1", "new/5"} < {one.paper_id for one in found}
    assert len(found) == 3


def test_the_muted_and_the_forgotten_are_the_whole_readers() -> None:
    one = divided(50, 50)
    muted = Interests(muted=("Author Number0", "Author Number1"), forgotten=("helix",))
    parts = readers_of(
        model(), replace(one, reader=replace(one.reader, interests=muted)), model().batch(())
    )
    assert all(part.interests.muted == muted.muted for part in parts)
    assert all(part.interests.forgotten == ("helix",) for part in parts)


def test_two_copies_of_a_work_have_one_place() -> None:
    """Each interest may find another copy the better one."""
    text = " ".join([*("protein folding structure residue helix",) * 3, *("robot gait",) * 3])
    words = [f"{word} {place}" for place, word in enumerate(text.split())]
    copies = tuple(
        Paper(f"copy/{n}", "Folding proteins by walking robots", ". ".join(words)) for n in (1, 2)
    )
    batch = model().batch((*today(), *copies))
    assert batch.duplicates
    found = listed(divided(50, 50), (*today(), *copies))
    assert sum(one.paper_id.startswith("copy") for one in found) <= 1


def test_papers_below_the_threshold_are_left_out_and_counted() -> None:
    batch, library = model().batch(today()), model().batch(LIBRARY)
    full = rank_by_shares(model(), [divided(50, 50)], library, batch)[0]
    least = sorted(one.probability for one in full.papers)[4]
    one = rank_by_shares(model(), [divided(50, 50, threshold=least)], library, batch)[0]
    assert all(paper.probability >= least for paper in one.papers)
    assert len(one.papers) + one.below == len(full.papers)
    assert one.below > 0
    assert not rank_by_shares(model(), [divided(50, 50, threshold=1.0)], library, batch)[0].papers


def test_the_paper_from_outside_the_usual_ends_the_list_once() -> None:
    one = divided(50, 50, size=5)
    profiles = model().profiles([one.reader], model().batch(LIBRARY))
    whole = rank(profiles, model().batch(today()), limit=5, explore=np.array([5], dtype=np.int32))[
        0
    ]
    assert whole[-1].explored
    found = listed(replace(one, outside=whole[-1]))
    ids = [paper.paper_id for paper in found]
    assert len(ids) == len(set(ids)) == 5
    assert found[-1].explored != (whole[-1].paper_id in ids[:-1])
    there = whole[-1]._replace(paper_id=ids[0], place=found[0].place)
    assert not any(paper.explored for paper in listed(replace(one, outside=there)))


def test_a_paper_with_a_keyword_of_any_interest_is_not_outside_the_usual() -> None:
    profiles = model().profiles([divided(50, 50).reader], model().batch(LIBRARY))
    whole = rank(profiles, model().batch(today()), limit=20)[0]
    robots = [paper for paper in whole if not is_protein(paper.paper_id)]
    outside = robots[-1]._replace(explored=True)
    one = divided(99, 1, size=5, outside=outside)
    assert listed(one)[-1].paper_id == outside.paper_id
    title = Interests((today()[outside.place].title,))
    asked_for = replace(one, parts=(one.parts[0], replace(one.parts[1], interests=title)))
    assert not any(paper.explored for paper in listed(asked_for))


@pytest.mark.parametrize("candidates", [(), today()[:1], today()[:3]])
def test_days_of_few_papers_are_divided_too(candidates: tuple[Paper, ...]) -> None:
    assert len(listed(divided(50, 50), candidates)) == len(candidates)


def test_readers_are_divided_side_by_side_as_alone() -> None:
    batch, library = model().batch(today()), model().batch(LIBRARY)
    some = [divided(50, 50), divided(20, 80, size=4)]
    allowed = np.ones((2, 20), dtype=np.bool_)
    allowed[1, :6] = False
    beside = rank_by_shares(model(), some, library, batch, allowed=allowed)
    alone = [
        rank_by_shares(model(), [one], library, batch, allowed=allowed[[row]])[0]
        for row, one in enumerate(some)
    ]
    assert [[p.paper_id for p in one.papers] for one in beside] == [
        [p.paper_id for p in one.papers] for one in alone
    ]
    assert rank_by_shares(model(), [], library, batch) == []
