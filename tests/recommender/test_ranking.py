from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from two_topics import is_protein, model, papers, today

from recommender.blend import standard_scores
from recommender.errors import SpaceError
from recommender.matrices import Booleans
from recommender.model import Model
from recommender.profile import Interests, Reader, Vote
from recommender.rank import Ranked, best_first, rank
from recommender.text import Paper

NOBODY = Reader("ben")
FOLD = Interests(keywords=("protein folding",))


def ranked(
    reader: Reader, candidates: tuple[Paper, ...] = today(), limit: int = 100
) -> list[Ranked]:
    profiles = model().profiles([reader], model().batch(papers(80)))
    return rank(profiles, model().batch(candidates), limit=limit)[0]


def places(of: list[Ranked]) -> dict[str, int]:
    return {one.paper_id: place for place, one in enumerate(of)}


def proteins_first(of: list[Ranked]) -> bool:
    return all(is_protein(one.paper_id) for one in of[:10])


def test_a_keyword_brings_its_topic_to_the_top() -> None:
    assert proteins_first(ranked(Reader("ada", FOLD)))


def test_a_vote_up_brings_papers_like_it_to_the_top() -> None:
    assert proteins_first(ranked(Reader("ada", votes=(Vote("paper/0", 1),))))


def test_a_vote_down_sends_papers_like_it_to_the_bottom() -> None:
    assert proteins_first(ranked(Reader("ada", votes=(Vote("paper/1", -1),))))


def test_a_vote_down_lowers_papers_like_it_for_a_reader_of_both_topics() -> None:
    both = (Vote("paper/0", 1), Vote("paper/1", 1))
    before = places(ranked(Reader("ada", votes=both)))
    after = places(ranked(Reader("ada", votes=(*both, Vote("paper/3", -1)))))
    robots = [paper.id for paper in today() if not is_protein(paper.id)]
    assert sum(after[robot] for robot in robots) > sum(before[robot] for robot in robots)


def test_the_score_is_the_sum_of_its_parts_and_falls() -> None:
    ada = Reader(
        "ada", Interests(("gait",), ("Author Number2",), ("cs.RO",)), (Vote("paper/0", 1),)
    )
    result = ranked(ada)
    for one in result:
        assert one.score == pytest.approx(sum(one.parts.values()), abs=1e-3)
    scores = [one.score for one in result]
    assert scores == sorted(scores, reverse=True)


def test_a_reader_of_whom_nothing_is_known_gets_the_papers_in_order() -> None:
    result = ranked(NOBODY)
    assert [one.place for one in result] == list(range(20))
    assert {one.score for one in result} == {0.0}


def test_popularity_decides_for_a_reader_of_whom_nothing_is_known() -> None:
    profiles = model().profiles([NOBODY], model().batch([]))
    popularity = np.arange(20, dtype=np.float64)
    result = rank(profiles, model().batch(today()), limit=3, popularity=popularity)[0]
    assert [one.place for one in result] == [19, 18, 17]


def test_popularity_does_not_overrule_a_topic() -> None:
    profiles = model().profiles([Reader("ada", FOLD)], model().batch([]))
    robots = np.array([0.0 if is_protein(paper.id) else 1.0 for paper in today()])
    result = rank(profiles, model().batch(today()), limit=10, popularity=robots)[0]
    assert proteins_first(result)


def test_a_followed_author_comes_first_whatever_was_voted_down() -> None:
    down = tuple(Vote(f"paper/{number}", -1) for number in range(1, 30, 2))
    ada = Reader("ada", Interests(("protein",), authors=("author number7",)), down)
    assert ranked(ada)[0].paper_id == "new/7"


def test_an_explicit_keyword_stays_above_average_whatever_was_voted_down() -> None:
    down = tuple(Vote(f"paper/{number}", -1) for number in range(1, 30, 2))
    result = ranked(Reader("ada", Interests(keywords=("quadruped",)), down))
    named = [one for one in result if one.parts["keyword"] > 0]
    assert named
    assert min(one.score for one in named) >= 3 - 1e-3


def test_a_followed_category_lifts_its_papers() -> None:
    result = ranked(Reader("ada", Interests(categories=("q-bio.BM",))))
    assert proteins_first(result)
    assert result[0].parts["category"] > 0


@pytest.mark.parametrize("term", ["robot", "Author Number3", "cs.RO"])
def test_what_is_muted_is_left_out_and_nothing_else(term: str) -> None:
    left = {one.paper_id for one in ranked(Reader("ada", Interests(muted=(term,))))}
    muted = {
        paper.id
        for paper in today()
        if term in (*paper.authors, *paper.categories, *paper.text.replace(".", "").split())
    }
    assert muted
    assert left == {paper.id for paper in today()} - muted


@pytest.mark.parametrize("term", ["", "  ", "!?", "migration"])
def test_a_muted_term_that_no_paper_holds_mutes_nothing(term: str) -> None:
    assert len(ranked(Reader("ada", Interests(muted=(term,))))) == 20


def test_a_paper_that_is_not_allowed_is_left_out_and_does_not_count() -> None:
    profiles = model().profiles([Reader("ada", FOLD), NOBODY], model().batch([]))
    batch = model().batch(today())
    allowed = np.ones((2, 20), dtype=np.bool_)
    allowed[0, :10] = False
    first, second = rank(profiles, batch, limit=20, allowed=allowed)
    assert {one.place for one in first} == set(range(10, 20))
    assert len(second) == 20
    half = rank(profiles, model().batch(today()[10:]), limit=20)[0]
    assert [one.paper_id for one in first] == [one.paper_id for one in half]


@pytest.mark.parametrize("candidates", [(), today()[:1], (Paper("empty", "", ""),)])
def test_days_of_no_paper_one_paper_or_an_empty_one_are_ranked(
    candidates: tuple[Paper, ...],
) -> None:
    result = ranked(Reader("ada", FOLD, (Vote("paper/0", 1),)), candidates)
    assert [one.paper_id for one in result] == [paper.id for paper in candidates]
    assert all(np.isfinite(one.score) for one in result)


def test_a_model_of_nothing_ranks_in_order() -> None:
    for trained in ((), (Paper("only", "A title", ""),), (Paper("blank", "", ""),)):
        empty = Model.fit(trained, [Reader("ada", votes=(Vote("only", 1),))])
        profiles = empty.profiles([Reader("ada", FOLD)], empty.batch(()))
        result = rank(profiles, empty.batch((Paper("a", "x"), Paper("b", "y"))), limit=5)[0]
        assert [one.paper_id for one in result] == ["a", "b"]


def test_votes_teach_the_model_what_words_do_not_say() -> None:
    """Readers who like "alpha" papers like "omega" papers, which share no word with them."""
    words = {"alpha": "alpha beta gamma", "omega": "omega psi chi", "other": "mu nu xi"}
    corpus = [
        Paper(f"{name}/{number}", text) for number in range(12) for name, text in words.items()
    ]
    fans = [
        Reader(fan, votes=tuple(Vote(f"{n}/{i}", 1) for n in ("alpha", "omega") for i in range(12)))
        for fan in range(12)
    ]
    learnt = Model.fit(corpus, fans)
    ada = Reader("ada", votes=(Vote("alpha/0", 1),))
    new = [Paper("new-other", words["other"]), Paper("new-omega", words["omega"])]
    result = rank(learnt.profiles([ada], learnt.batch(corpus[:1])), learnt.batch(new), limit=2)[0]
    assert result[0].paper_id == "new-omega"


def test_profiles_of_one_model_are_not_compared_with_papers_of_another() -> None:
    other = Model.fit(papers(10), [])
    profiles = other.profiles([NOBODY], other.batch([]))
    with pytest.raises(SpaceError):
        rank(profiles, model().batch(today()), limit=1)


@given(
    arrays.arrays(np.float32, (3, 7), elements=st.floats(-1, 1, width=32, allow_subnormal=False)),
    arrays.arrays(np.bool_, (3, 7)),
)
def test_standard_scores_have_mean_zero_and_spread_one_among_the_candidates(
    values: np.ndarray[tuple[int, int], np.dtype[np.float32]], candidates: Booleans
) -> None:
    scores = standard_scores(values, candidates)
    assert np.isfinite(scores).all()
    for row, chosen in zip(scores, candidates, strict=True):
        among = row[chosen]
        if among.any():
            assert abs(among.mean()) < 1e-2
            assert among.std() == pytest.approx(1, abs=1e-2)


@given(st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]), max_size=12), st.integers(0, 14))
def test_the_best_come_first_and_equals_in_order(values: list[float], limit: int) -> None:
    possible = [place for place, value in enumerate(values) if value > -np.inf]
    expected = sorted(possible, key=lambda place: (-values[place], place))[:limit]
    totals = np.array([values, values[::-1]], dtype=np.float64).reshape(2, len(values))
    assert [place for place in best_first(totals, limit)[0] if place >= 0] == expected


def test_what_hardly_anybody_may_get_changes_nothing_for_the_others() -> None:
    candidates = model().batch(papers(160, seed=3, prefix="new"))
    of_both_topics = tuple(Vote(f"paper/{number}", 1) for number in range(10))
    votes = ((Vote("paper/0", 1),), (Vote("paper/1", 1),), (Vote("paper/2", -1),), of_both_topics)
    many = [Reader(number, votes=votes[number % 4]) for number in range(60)]
    allowed = np.random.default_rng(1).random((60, 160)) < 0.8
    allowed[:, ::2] = False
    library = model().batch(papers(80))

    def ranked_by(some: slice) -> list[list[Ranked]]:
        profiles = model().profiles(many[some], library)
        lengths = np.full(len(profiles), 5, dtype=np.int32)
        return rank(profiles, candidates, limit=5, allowed=allowed[some], explore=lengths)

    assert model().profiles(many, library).mode_ends[-1]  # some have two interests
    together = [one for own in ranked_by(slice(0, 60)) for one in own]
    alone = [one for number in range(60) for one in ranked_by(slice(number, number + 1))[0]]
    assert [(one.place, one.explored) for one in together] == [
        (one.place, one.explored) for one in alone
    ]
    assert [one.score for one in together] == pytest.approx([one.score for one in alone], abs=1e-3)
    assert all(candidates.papers[one.place].id == one.paper_id for one in together)


def test_a_part_of_a_batch_keeps_what_all_its_papers_tell() -> None:
    works = [
        replace(one, title=f"Folding{place} of residue{place} and helix{place} explained")
        for place, one in enumerate(papers(20, seed=4, prefix="new"))
    ]
    copies = [replace(one, id=one.id.replace("new", "again")) for one in works]
    whole = model().batch([*works, *copies])
    columns = np.ones(40, dtype=np.bool_)
    columns[:10] = False
    part = whole.part(columns)
    assert part is whole.part(columns.copy())
    assert part.crowding.tolist() == whole.crowding[columns].tolist()
    # Ten works have lost one of their two copies.
    assert [[part.papers[one].id for one in group] for group in part.duplicates] == [
        [f"new/{number}", f"again/{number}"] for number in range(10, 20)
    ]
    assert part.place(0) == 10
    assert part.telling_terms(0) is whole.telling_terms(10)


def test_the_last_few_parts_of_a_batch_are_kept() -> None:
    whole = model().batch(papers(20, seed=5, prefix="new"))
    columns = [np.arange(20) != place for place in range(6)]
    found = [whole.part(one) for one in columns]
    assert whole.part(columns[-1]) is found[-1]
    assert whole.part(columns[0]) is not found[0]
