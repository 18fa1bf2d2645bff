from dataclasses import replace

import numpy as np
import pytest
from two_topics import is_protein, model, papers, today

from recommender.matrices import entries
from recommender.profile import Interests, Reader, Vote


def test_a_vote_is_up_or_down() -> None:
    with pytest.raises(ValueError, match="a vote is 1 or -1"):
        Vote("paper/1", 0)


def test_a_reader_without_votes_and_interests_has_an_empty_profile() -> None:
    profiles = model().profiles([Reader("ben")], model().batch([]))
    assert not profiles.whole.centroids.any()
    assert not profiles.whole.folded.any()
    assert entries(profiles.whole.tfidf, 0)[0].size == 0


def test_votes_on_papers_outside_the_library_are_left_out() -> None:
    ada = Reader("ada", votes=(Vote("gone/1", 1),))
    profiles = model().profiles([ada], model().batch(papers(2)))
    assert profiles.whole.likes.tolist() == [0]
    assert not profiles.whole.centroids.any()


def test_a_keyword_enters_as_a_paper_made_of_it() -> None:
    ada = Reader("ada", Interests(keywords=("protein folding",)))
    batch = model().batch(today())
    cosines = (model().profiles([ada], model().batch([])).whole.centroids @ batch.factors.T)[0]
    proteins = np.array([is_protein(paper.id) for paper in today()])
    assert cosines[proteins].min() > cosines[~proteins].max()


def test_a_keyword_that_is_named_like_a_trained_paper_is_still_only_a_keyword() -> None:
    ada = Reader("ada", Interests(keywords=("paper/0",)))
    assert not model().profiles([ada], model().batch([])).whole.centroids.any()


def test_a_vote_on_a_paper_newer_than_the_model_counts() -> None:
    library = model().batch(today()[:1])
    ada = Reader("ada", votes=(Vote(today()[0].id, 1),))
    profiles = model().profiles([ada], library)
    assert np.allclose(profiles.whole.centroids, library.factors, atol=1e-6)


def test_the_later_of_two_votes_on_a_paper_counts() -> None:
    library = model().batch(papers(1))
    changed = Reader("ada", votes=(Vote("paper/0", 1), Vote("paper/0", -1)))
    profiles = model().profiles([changed], library)
    assert np.allclose(profiles.whole.centroids, -library.factors, atol=1e-6)


def test_many_votes_down_never_outweigh_the_votes_up() -> None:
    library = model().batch(papers(40))
    votes = (Vote("paper/0", 1), *(Vote(f"paper/{number}", -1) for number in range(1, 40, 2)))
    profiles = model().profiles([Reader("ada", votes=votes)], library)
    assert (profiles.whole.centroids @ library.factors[0])[0] > 0.9


def test_readers_do_not_influence_each_other() -> None:
    library = model().batch(papers(4))
    ada = Reader("ada", Interests(keywords=("robot gait",)), (Vote("paper/0", 1),))
    ben = Reader("ben", Interests(keywords=("enzyme",)), (Vote("paper/1", -1),))
    together = model().profiles([ben, ada], library)
    alone = model().profiles([ada], library)
    assert np.allclose(together.whole.folded[1], alone.whole.folded[0], atol=1e-6)
    assert np.allclose(together.whole.centroids[1], alone.whole.centroids[0], atol=1e-6)


def test_a_keyword_is_the_same_to_the_bit_in_whichever_company() -> None:
    several = model().seeds(("robot gait", "enzyme", "protein folding", "enzyme"))
    for place, keyword in enumerate(("robot gait", "enzyme", "protein folding", "enzyme")):
        alone = replace(model()).seeds((keyword,))
        assert several.papers[place].title == keyword
        assert (several.factors[place] == alone.factors[0]).all()
        assert entries(several.tfidf, place)[1].tolist() == entries(alone.tfidf, 0)[1].tolist()


def test_keywords_stay_known_while_no_new_ones_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.model._MOST_SEEDS", 3)
    fresh, keywords = replace(model()), ("robot gait", "enzyme", "protein folding")
    first = fresh.seeds(keywords)
    fresh.seeds(keywords[:1])
    again = fresh.seeds(keywords)
    assert all(one is other for one, other in zip(first.papers, again.papers, strict=True))
