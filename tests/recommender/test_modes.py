from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from recommender.blend import count_the_best_mode
from recommender.factors import FactorSettings
from recommender.matrices import Floats, unit_rows
from recommender.model import Model, ModelSettings
from recommender.modes import FEWEST_LIKES, MOST_MODES, find_modes
from recommender.profile import Interests, Reader, Vote
from recommender.rank import Ranked, rank
from recommender.text import Paper

TOPICS = [tuple(f"{letter}word{number}" for number in range(12)) for letter in "abcdefghij"]


def corpus(count: int, seed: int, prefix: str) -> tuple[Paper, ...]:
    """Papers of ten subjects in turn."""
    rng = np.random.default_rng(seed)
    return tuple(
        Paper(f"{prefix}/{number}", "", " ".join(rng.choice(TOPICS[number % 10], 15)))
        for number in range(count)
    )


LIBRARY = corpus(400, 1, "old")
TODAY = corpus(100, 2, "new")


@lru_cache
def model() -> Model:
    return Model.fit(LIBRARY, [], settings=ModelSettings(spaces=(FactorSettings(factors=12),)))


def topic(paper_id: str) -> int:
    return int(paper_id.rsplit("/", 1)[1]) % 10


def two_minds(first: int, second: int) -> Reader:
    """So many votes up on papers of the first subject and of the second."""
    liked = [f"old/{10 * n}" for n in range(first)] + [f"old/{10 * n + 1}" for n in range(second)]
    return Reader("two minds", votes=tuple(Vote(paper_id, 1) for paper_id in liked))


def ranked(*readers: Reader, limit: int = 10) -> list[list[Ranked]]:
    profiles = model().profiles(readers, model().batch(LIBRARY))
    return rank(profiles, model().batch(TODAY), limit=limit)


def around(*directions: int, likes: int, noise: float = 0.05) -> Floats:
    """So many unit vectors near each of some axes of ten."""
    rng = np.random.default_rng(4)
    axes = np.repeat(np.eye(10, dtype=np.float32)[list(directions)], likes, axis=0)
    return unit_rows(axes + noise * rng.standard_normal(axes.shape, dtype=np.float32))


def test_likes_in_two_directions_are_two_modes() -> None:
    shares = find_modes(around(0, 1, likes=6))
    assert shares.shape == (2, 12)
    assert (shares.max(axis=0) == 1).all()
    assert sorted(shares.argmax(axis=0).tolist()) == [0] * 6 + [1] * 6


def test_likes_in_one_direction_are_one_interest() -> None:
    assert len(find_modes(around(0, likes=20))) == 0


def test_few_likes_are_one_interest_however_far_apart() -> None:
    assert len(find_modes(around(0, 1, likes=FEWEST_LIKES // 2)[: FEWEST_LIKES - 1])) == 0


def test_a_stray_like_makes_no_mode_of_its_own() -> None:
    shares = find_modes(np.vstack([around(0, 1, likes=8), around(2, likes=1)]))
    assert shares.shape == (2, 17)
    assert (shares.max(axis=0) == 1).all()


def test_there_are_never_more_modes_than_the_most() -> None:
    shares = find_modes(around(*range(10), likes=4, noise=0.01))
    assert len(shares) == MOST_MODES


def test_no_likes_are_no_modes() -> None:
    assert find_modes(np.zeros((0, 10), dtype=np.float32)).shape == (0, 0)
    assert len(find_modes(np.zeros((9, 10), dtype=np.float32))) == 0


def test_a_reader_with_two_interests_gets_papers_of_both() -> None:
    found = [topic(one.paper_id) for one in ranked(two_minds(10, 10))[0]]
    assert min(found.count(0), found.count(1)) >= 3


def test_the_lesser_interest_gets_more_places_than_the_whole_reader_gives_it() -> None:
    rng = np.random.default_rng(6)
    is_lesser, is_greater = np.arange(400) % 10 == 0, np.arange(400) % 10 == 1
    noise = rng.standard_normal((3, 400), dtype=np.float32)
    whole = {"words": (noise[:1] + 2 * is_greater + 1 * is_lesser).astype(np.float32)}
    modes = {"words": (noise[1:] + 3 * np.stack([is_greater, is_lesser])).astype(np.float32)}
    before = is_lesser[np.argsort(-whole["words"][0])[:20]].sum()
    count_the_best_mode(whole, modes, np.array([0, 0]), np.ones((1, 400), dtype=np.bool_))
    after = is_lesser[np.argsort(-sum(whole.values())[0])[:20]].sum()
    assert before <= 5
    assert after >= 8


def test_the_parts_of_a_score_of_several_interests_add_up() -> None:
    for one in ranked(two_minds(10, 10), limit=100)[0]:
        assert "interest" in one.parts
        assert one.score == pytest.approx(sum(one.parts.values()), abs=1e-3)


def test_a_reader_with_one_interest_is_ranked_the_same_beside_one_with_two() -> None:
    one = two_minds(12, 0)
    (alone,), (_, beside) = ranked(one, limit=50), ranked(two_minds(9, 9), one, limit=50)
    assert [r.paper_id for r in alone] == [r.paper_id for r in beside]
    assert [r.score for r in alone] == pytest.approx([r.score for r in beside], abs=1e-3)


def test_each_explicit_keyword_has_a_place_in_the_digest_whatever_the_votes_say() -> None:
    """Many likes elsewhere, and dislikes of the keyword's own subject."""
    down = tuple(Vote(f"old/{10 * n + 5}", -1) for n in range(30))
    for keywords in (("fword3",), ("fword3", "gword1")):
        reader = replace(
            two_minds(20, 0),
            interests=Interests(keywords=keywords),
            votes=two_minds(20, 0).votes + down,
        )
        found = [one.paper_id for one in ranked(reader, limit=10)[0]]
        for keyword in keywords:
            assert any(keyword in paper.abstract for paper in TODAY if paper.id in found)


def test_an_empty_day_is_no_trouble_for_several_interests() -> None:
    profiles = model().profiles([two_minds(10, 10)], model().batch(LIBRARY))
    assert rank(profiles, model().batch(()), limit=10) == [[]]


def test_several_interests_are_ranked_among_what_is_allowed() -> None:
    allowed = np.array([[topic(paper.id) == 1 for paper in TODAY]])
    profiles = model().profiles([two_minds(10, 10)], model().batch(LIBRARY))
    batch = model().batch(TODAY)
    found = rank(profiles, batch, limit=100, allowed=allowed)[0]
    assert [topic(one.paper_id) for one in found] == [1] * 10
    assert rank(profiles, batch, limit=100, allowed=np.zeros_like(allowed)) == [[]]
