"""A model knows papers that it was not fitted on, and gives known ones without their texts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from two_topics import model, papers, today

from recommender.batch import Batch
from recommender.matrices import entries, from_entries
from recommender.model import Model
from recommender.profile import Reader, Vote
from recommender.rank import rank
from recommender.text import Paper


def knowing() -> Model:
    return model().knowing([model().batch(today()[:12]), model().batch(today()[12:])])


def assert_same_words(one: Batch, other: Batch) -> None:
    for row in range(len(one)):
        for ours, theirs in zip(entries(one.tfidf, row), entries(other.tfidf, row), strict=True):
            assert np.array_equal(ours, theirs)


def test_known_papers_are_seen_as_their_texts_would_be() -> None:
    both = (*papers(80)[:3], *today()[10:14])
    known = knowing()
    places = known.places([paper.id for paper in both])
    seen, read = known.seen(places), known.batch(both)
    assert places.tolist() == [0, 1, 2, 90, 91, 92, 93]
    assert [(one.id, one.title) for one in seen.papers] == [(one.id, one.title) for one in both]
    assert np.array_equal(seen.factors, read.factors)
    assert np.array_equal(seen.trained, read.trained)
    assert_same_words(seen, read)


def test_papers_are_seen_the_same_whether_their_words_are_counted_again_or_not() -> None:
    known = knowing()
    papers_of_a_day = (*today()[8:16], Paper("new", "On fold and protein", "Both, and a third."))
    learnt = known.places([paper.id for paper in papers_of_a_day])
    learnt[[0, 3]] = -1
    told, counted = known.batch(papers_of_a_day, learnt), known.batch(papers_of_a_day)
    assert told.papers == counted.papers
    assert np.array_equal(told.trained, counted.trained)
    assert np.array_equal(told.factors, counted.factors)
    assert_same_words(told, counted)


def test_a_known_paper_that_was_told_anew_is_read_again() -> None:
    (first, *_) = papers(80)
    anew = replace(first, title="Another subject", abstract=today()[1].abstract)
    places = model().places([first.id])
    assert_same_words(model().batch([anew], places), model().batch([first]))
    unlike = model().batch([anew], np.array([-1], dtype=np.int32))
    assert_same_words(unlike, model().batch([anew]))
    assert not np.array_equal(unlike.tfidf.indices, model().batch([first]).tfidf.indices)


def test_a_paper_that_is_folded_in_lies_where_the_model_saw_it() -> None:
    known, first = knowing(), model().batch(today())
    places = known.places([paper.id for paper in today()])
    assert np.array_equal(known.seen(places).factors, first.factors)
    assert known.key != model().key


def test_unknown_papers_have_no_place_and_no_place_gives_no_paper() -> None:
    assert model().places(["paper/1", "nobody's"]).tolist() == [1, -1]
    assert len(model().seen(np.zeros(0, dtype=np.int32))) == 0
    for place in (-1, 80):
        with pytest.raises(ValueError, match="no known paper"):
            model().seen(np.array([place], dtype=np.int32))


def test_a_known_paper_is_not_made_known_again() -> None:
    with pytest.raises(ValueError, match="known already"):
        model().knowing([model().batch(papers(1))])


def test_knowing_nothing_more_changes_nothing() -> None:
    same = model().knowing([])
    assert same.paper_ids == model().paper_ids
    assert same.key == model().key


def test_votes_on_papers_that_were_folded_in_count_for_others() -> None:
    votes = from_entries([{80: 1.0, 81: 1.0}] * 3, 100)
    told = knowing().with_votes(votes)
    first, second = today()[:2]
    assert told.neighbours.votes[told.places([first.id, second.id])].tolist() == [3, 3]
    first_place = int(told.places([first.id])[0])
    assert told.neighbours.around(first_place) == told.places([second.id]).tolist()


def test_a_loaded_model_knows_what_the_saved_one_knew(tmp_path: Path) -> None:
    saved = knowing().with_votes(from_entries([{80: 1.0, 81: 1.0}], 100))
    saved.save(tmp_path / "model")
    loaded = Model.load(tmp_path / "model")
    assert loaded.titles == saved.titles
    assert loaded.key == saved.key
    ada = [Reader("ada", votes=(Vote(today()[0].id, 1),))]
    lists = [
        rank(
            one.profiles(ada, one.seen(one.places([today()[0].id]))), one.batch(papers(9)), limit=9
        )
        for one in (saved, loaded)
    ]
    assert lists[0] == lists[1]
