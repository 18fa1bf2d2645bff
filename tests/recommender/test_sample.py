"""Which papers and readers are learnt from, where there are too many."""

import numpy as np
from two_topics import papers

from recommender.matrices import from_entries
from recommender.sample import fit_part, papers_to_fit, readers_to_fit
from recommender.text import learn_terms
from recommender.votes import Votes


def integers(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.array(numbers, dtype=np.int32)


def votes_of(*acts: tuple[int, int, int]) -> Votes:
    readers, numbers, values = (integers(*column) for column in zip(*acts, strict=True))
    return Votes.holding(readers, numbers, values.astype(np.float32))


def listed(votes: Votes) -> list[tuple[int, ...]]:
    return list(
        zip(votes.readers.tolist(), votes.papers.tolist(), votes.values.tolist(), strict=True)
    )


def test_the_newest_papers_and_the_most_voted_are_learnt_from() -> None:
    votes = integers(0, 0, 0, 1, 5, 0, 3, 3)
    assert papers_to_fit(votes, 4).tolist() == [0, 1, 4, 6]
    assert papers_to_fit(votes, 8).tolist() == list(range(8))


def test_those_who_voted_most_are_learnt_from_and_of_equals_the_same_every_time() -> None:
    numbers, votes = np.arange(1000, dtype=np.int32), np.ones(1000, dtype=np.int32)
    votes[[17, 400]] = 2
    drawn = readers_to_fit(numbers, votes, 102)
    assert {17, 400} <= set(drawn.tolist())
    assert drawn.tolist() == readers_to_fit(numbers, votes, 102).tolist() == sorted(drawn.tolist())
    assert 30 < (drawn < 500).sum() < 70


def test_one_reader_more_changes_one_of_those_who_are_drawn() -> None:
    few = np.arange(1000, dtype=np.int32)
    before = set(readers_to_fit(few[:-1], np.ones(999, dtype=np.int32), 100).tolist())
    after = set(readers_to_fit(few, np.ones(1000, dtype=np.int32), 100).tolist())
    assert len(before - after) <= 1


def test_of_a_readers_acts_on_a_paper_the_last_one_holds() -> None:
    votes = votes_of((7, 3, 1), (2, 9, 1), (7, 3, -1), (2, 3, 1), (2, 9, 0))
    assert listed(votes) == [(2, 3, 1.0), (7, 3, -1.0)]


def test_great_numbers_are_told_apart() -> None:
    most = 2**31 - 1
    assert len(votes_of((most, 1, 1), (1, most, 1), (most, most, 1), (most - 1, most, 1))) == 4


def test_votes_become_a_row_for_each_reader_in_the_order_of_the_papers() -> None:
    votes = votes_of((7, 30, -1), (2, 90, 1), (2, 30, 1), (9, 50, 1))
    on_some = votes.on(integers(90, 30))
    rows = on_some.matrix(2)
    assert rows.shape == (2, 2)
    assert (rows @ np.eye(2)).tolist() == [[1, 1], [0, -1]]
    who, cast = on_some.voters
    assert (who.tolist(), cast.tolist()) == ([2, 7], [2, 1])
    assert listed(on_some.of(integers(7))) == [(7, 1, -1.0)]


def test_without_votes_there_are_no_rows() -> None:
    nobody = Votes.holding(integers(), integers(), np.zeros(0, dtype=np.float32))
    assert nobody.on(integers(1, 2)).matrix(2).shape == (0, 2)
    assert len(votes_of((1, 2, 1)).on(integers())) == 0


def test_what_is_learnt_from_a_part_knows_the_whole() -> None:
    corpus = papers(80)
    terms, counts = learn_terms([paper.text for paper in corpus])
    votes = from_entries([{0: 1.0, 78: 1.0}, {1: 1.0, 79: 1.0}, {3: 1.0}], 80)
    places = papers_to_fit(np.zeros(80, dtype=np.int32), 40)
    part = fit_part(counts, corpus, terms, votes, rows=integers(0), places=places)
    ids = [corpus[place].id for place in (2, 78, 79)]
    assert sorted(part.paper_ids) == sorted(paper.id for paper in corpus)
    assert part.neighbours.votes[part.places(ids)].tolist() == [0, 1, 1]
    assert (
        part.neighbours.around(int(part.places(ids[1:2])[0])) == part.places(["paper/0"]).tolist()
    )
    factors = part.seen(part.places(ids)).factors
    assert factors[0] @ factors[1] > factors[0] @ factors[2]
