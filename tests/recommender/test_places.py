"""Where papers are in the space, also new ones; what is nearest; two rankings as one."""

import numpy as np
from two_topics import is_protein, model, papers, today

from recommender.model import Model
from recommender.places import Places, fused


def test_new_papers_are_found_beside_those_of_the_training() -> None:
    places = Places(model()).with_more(today()[:12]).with_more(today()[12:])
    assert places.ids == model().paper_ids + tuple(paper.id for paper in today())
    factors = model().batch([today()[0]]).factors[0]
    nearest = places.nearest(factors, 30)
    ids = [places.ids[place] for place, _ in nearest]
    assert "new/0" in ids
    assert any(one.startswith("paper/") for one in ids)
    assert all(map(is_protein, ids))
    cosines = [cosine for _, cosine in nearest]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[0] <= 1.0001


def test_words_mean_papers_of_their_topic() -> None:
    places = Places(model()).with_more(today())
    meaning = places.meaning("walking robots on rough terrain")
    assert meaning is not None
    ids = [places.ids[place] for place, _ in places.nearest(meaning, 10)]
    assert not any(map(is_protein, ids))


def test_words_that_the_model_does_not_know_have_no_meaning() -> None:
    places = Places(model())
    for text in ("zxqv", "", "the of and", "+ - *"):
        assert places.meaning(text) is None


def test_what_does_not_count_is_left_out() -> None:
    places = Places(model()).with_more(today())
    meaning = places.meaning("protein folding")
    assert meaning is not None
    robots = np.array([not is_protein(one) for one in places.ids])
    found = places.nearest(meaning, 500, robots)
    assert len(found) == robots.sum() == 50
    assert not any(is_protein(places.ids[place]) for place, _ in found)
    assert places.nearest(meaning, 5, np.zeros_like(robots)) == []


def test_a_model_of_nothing_has_no_places() -> None:
    empty = Places(Model.fit([], []))
    assert empty.meaning("protein") is None
    factors = empty.model.space.paper_factors.shape[1]
    assert empty.nearest(np.zeros(factors, dtype=np.float32), 5) == []


def test_a_ranking_by_two_puts_first_what_stands_high_in_both() -> None:
    assert fused([(1.0, ["a", "b", "c"]), (1.0, ["b", "d"])]) == ["b", "a", "d", "c"]
    # 1/61 + 1/62 for b, as in the paper; a heavier ranking goes first.
    assert fused([(1.0, ["a"]), (2.0, ["d"])]) == ["d", "a"]
    assert fused([(1.0, list[str]())]) == []


def test_a_trained_paper_is_where_it_was_put() -> None:
    known = papers(80)[7]
    factors = model().batch([known]).factors[0]
    place, cosine = Places(model()).nearest(factors, 1)[0]
    assert model().paper_ids[place] == known.id
    assert cosine > 0.999
