"""A word that a reader had taken out of their profile."""

from dataclasses import replace

import numpy as np
import pytest
from two_topics import model, papers, today

from recommender.explain import sentence
from recommender.forgetting import TermIndex
from recommender.matrices import entries
from recommender.phrases import normal_phrase
from recommender.profile import Interests, Profiles, Reader, Vote
from recommender.rank import Ranked, rank

LIBRARY = papers(80)
LIKES = tuple(Vote(f"paper/{number}", 1) for number in range(0, 24, 2))
ADA = Reader("ada", votes=(*LIKES, Vote("paper/1", -1)))
FORGETTING = replace(ADA, interests=Interests(forgotten=("helix",)))


def profiles(*readers: Reader) -> Profiles:
    return model().profiles(readers, model().batch(LIBRARY))


def ranked(reader: Reader) -> list[Ranked]:
    return rank(profiles(reader), model().batch(today()), limit=20)[0]


def place_of_helix(reader: Reader) -> float:
    """The mean place of the papers that are most about it."""
    heavy = {p.id for p in today() if normal_phrase(p.text).count(" helix ") >= 3}
    assert heavy
    found = [one.paper_id for one in ranked(reader)]
    return float(np.mean([found.index(paper) for paper in heavy]))


def test_a_forgotten_words_papers_rank_lower_and_come_back_when_it_is_remembered() -> None:
    before, without = place_of_helix(ADA), place_of_helix(FORGETTING)
    assert without > before
    assert ranked(replace(FORGETTING, interests=Interests())) == ranked(ADA)


def test_a_forgotten_word_is_in_no_reason() -> None:
    def told(reader: Reader) -> str:
        return " ".join(sentence(why) for one in ranked(reader) for why in one.reasons)

    assert "helix" in told(ADA).lower()
    assert "helix" not in told(FORGETTING).lower()


def test_all_terms_with_a_forgotten_word_count_for_nothing() -> None:
    row, values = entries(profiles(FORGETTING).whole.tfidf, 0)
    terms = model().vocabulary.terms
    assert not any("helix" in terms[column].split() for column in row[values != 0])
    assert any("protein" in terms[column].split() for column in row[values != 0])


def test_the_direction_of_a_forgotten_word_is_taken_out_of_what_was_liked() -> None:
    direction = model().seeds(("helix",)).factors[0]
    before, after = profiles(ADA).whole, profiles(FORGETTING).whole
    assert before.centroids[0] @ direction > 0.1
    assert after.centroids[0] @ direction < 1e-5
    assert after.folded[0] @ direction < before.folded[0] @ direction
    assert np.linalg.norm(after.centroids[0]) == pytest.approx(1)


def test_papers_with_a_forgotten_word_are_not_left_out() -> None:
    assert len(ranked(FORGETTING)) == len(ranked(ADA)) == 20


def test_a_keyword_keeps_what_votes_may_not_say() -> None:
    reader = replace(FORGETTING, interests=Interests(("helix",), forgotten=("helix",)))
    row, values = entries(profiles(reader).whole.tfidf, 0)
    assert model().vocabulary.terms.index("helix") in row[values > 0]
    assert "matches “helix”" in {sentence(why) for one in ranked(reader) for why in one.reasons}


def test_what_one_reader_forgets_another_keeps() -> None:
    ben = replace(ADA, key="ben")
    beside, alone = profiles(FORGETTING, ben), profiles(ben)
    assert np.allclose(beside.whole.centroids[1], alone.whole.centroids[0], atol=1e-6)
    assert np.allclose(beside.whole.folded[1], alone.whole.folded[0], atol=1e-6)
    own, same = entries(beside.whole.tfidf, 1), entries(alone.whole.tfidf, 0)
    assert own[0].tolist() == same[0].tolist()


@pytest.mark.parametrize("words", [("",), ("unheardofword",), ("!?", "helix")])
@pytest.mark.parametrize("votes", [(), LIKES])
def test_whatever_is_forgotten_a_profile_comes_of_it(
    words: tuple[str, ...], votes: tuple[Vote, ...]
) -> None:
    reader = Reader("ada", Interests(("protein",), forgotten=words), votes)
    assert len(ranked(reader)) == 20
    assert np.isfinite(profiles(reader).vectors.centroids).all()


def test_somebody_may_forget_all_that_they_liked() -> None:
    every = tuple(dict.fromkeys(" ".join(paper.text for paper in LIBRARY).split()))
    reader = replace(ADA, interests=Interests(forgotten=every[:50]))
    assert len(ranked(reader)) == 20


def test_terms_are_found_word_by_word() -> None:
    index = TermIndex(["rat", "migration", "lab rat", "rat-run", "run"])
    assert index.holding("Rats") == [0, 2, 3]
    assert index.holding("lab rat") == [2]
    assert index.holding("") == index.holding("cat") == []
