"""Two readers as one: who is merged with whom, that nobody learns from them, what is measured."""

from dataclasses import replace

import numpy as np
import pytest
from small_data import small_library

from paperpost.evaluation.citeulike import CONTENDERS
from paperpost.evaluation.datasets import Library
from paperpost.evaluation.scorers import lists_of
from paperpost.evaluation.splits import Papers, Split, Training, new_papers
from paperpost.evaluation.two_interests import (
    EVEN,
    UNEVEN,
    Merged,
    apart,
    as_one,
    two_interests,
    values_of_halves,
)
from recommender.matrices import SparseRows, entries, from_entries
from recommender.metrics import mean

SEED = 4


def items(matrix: SparseRows, row: int) -> set[int]:
    return set(entries(matrix, row)[0].tolist())


def library() -> Library:
    """Two topics without a word in common, or nobody would be far enough from anybody."""
    return small_library(common=0)


def split() -> Split:
    return new_papers(library(), SEED)


def test_merged_readers_like_what_both_like_and_the_two_share_nothing() -> None:
    task = split()
    cases = two_interests(task, SEED)
    assert list(cases) == [EVEN, UNEVEN]
    for merged in cases.values():
        assert len(merged.split.readers) > 3
        for parts, whole in (
            (merged.known, merged.split.histories),
            (merged.held_out, merged.split.held_out),
        ):
            for row in range(len(merged.split.readers)):
                first, second = (items(part, row) for part in parts)
                assert first | second == items(whole, row)
                assert not first & second
                assert first
                assert second


def test_everybody_is_in_one_pair_at_most_and_each_pair_is_of_two_topics() -> None:
    task = split()
    merged = two_interests(task, SEED)[EVEN]
    likes = {frozenset(items(task.histories, row)): row for row in range(len(task.readers))}
    halves = [
        [likes[frozenset(items(half, row))] for row in range(half.shape[0])]
        for half in merged.known
    ]
    assert len({*halves[0], *halves[1]}) == 2 * len(merged.split.readers)
    assert ((task.readers[halves[0]] + task.readers[halves[1]]) % 2 == 1).all()
    sizes = np.diff(task.histories.indptr)
    assert (sizes[halves[0]] >= sizes[halves[1]]).all()
    assert task.readers[halves[0]].tolist() == merged.split.readers.tolist()


def test_a_side_interest_has_five_likes_beside_twenty() -> None:
    task = split()
    even, uneven = two_interests(task, SEED).values()
    where = {reader: row for row, reader in enumerate(even.split.readers)}
    for row, reader in enumerate(uneven.split.readers):
        for half, size in enumerate((20, 5)):
            drawn = items(uneven.known[half], row)
            assert len(drawn) == size
            assert drawn <= items(even.known[half], where[reader])


def test_another_seed_merges_others_and_the_same_seed_the_same() -> None:
    task = split()
    one, again, other = (two_interests(task, seed)[EVEN].split for seed in (1, 1, 2))
    assert one.readers.tolist() == again.readers.tolist() != other.readers.tolist()


def test_nobody_is_trained_on_what_merged_readers_like() -> None:
    task = split()
    merged = two_interests(task, SEED)[EVEN]
    liked = task.histories.data.size
    assert merged.split.training.likes.data.size == liked - merged.split.histories.data.size
    others = task.training.likes.shape[0] - 2 * len(merged.split.readers)
    assert merged.split.training.likes.shape[0] == others


def test_readers_alike_in_their_words_are_not_merged() -> None:
    assert two_interests(new_papers(small_library(common=30), SEED), SEED) == {}


def test_readers_who_share_a_new_paper_are_not_merged() -> None:
    task = split()
    everybody = [
        dict.fromkeys([*sorted(items(task.held_out, row)), 0], 1.0)
        for row in range(len(task.readers))
    ]
    shared = replace(task, held_out=from_entries(everybody, len(task.candidates)))
    assert two_interests(shared, SEED) == {}


def two_halves() -> Merged:
    """One merged reader: the halves like the candidates 0 and 1, and 2, 3, 4 and 5."""
    held_out = (from_entries([{0: 1, 1: 1}], 30), from_entries([{2: 1, 3: 1, 4: 1, 5: 1}], 30))
    known = (from_entries([{0: 1}], 2), from_entries([{1: 1}], 2))
    papers = Papers(np.arange(30), from_entries([{0: 1}] * 30, 1))
    training = Training(Papers(np.arange(2), papers.counts[:2]), ("word",), from_entries([], 2))
    whole = from_entries([dict.fromkeys(range(6), 1.0)], 30)
    task = Split(training, papers, np.array([7]), from_entries([{0: 1, 1: 1}], 2), whole)
    return Merged(task, known, held_out)


@pytest.mark.parametrize(
    ("listed", "recalls", "hits"),
    [
        ([0, 1, *range(6, 24)], (2 / 6, 0, 0), (0, 0)),
        ([0, *range(6, 24), 2], (2 / 6, 0.25, 0.25), (0, 1)),
        ([2, 3, 4, 5, 0], (5 / 6, 0.5, 1), (1, 1)),
    ],
)
def test_the_worse_half_counts_whatever_the_other_has(
    listed: list[int], recalls: tuple[float, ...], hits: tuple[int, int]
) -> None:
    values = values_of_halves(lists_of([listed], 20).positions, two_halves())
    assert {name: value.tolist() for name, value in values.items() if name != "ndcg@10"} == {
        "recall@20": [recalls[0]],
        "worse half recall@20": [recalls[1]],
        "smaller half recall@20": [recalls[2]],
        "both halves hit@10": [hits[0]],
        "both halves hit@20": [hits[1]],
    }
    assert 0 < values["ndcg@10"][0] < 1


def test_halves_apart_come_in_turns_and_each_paper_once() -> None:
    of_half = {0: [9, 8, 7, *range(10, 27)], 1: [5, 9, 4]}

    def ranker(histories: SparseRows, allowed: object, limit: int):  # type: ignore[no-untyped-def]
        rows = [entries(histories, row)[0][0] for row in range(histories.shape[0])]
        return lists_of([of_half[row] for row in rows], limit)

    (turns,) = apart(ranker, two_halves()).tolist()
    assert turns[:6] == [9, 5, 8, 7, 4, 10]
    assert len(set(turns)) == len(turns) == 20
    assert as_one(ranker, two_halves()).tolist() == [of_half[0]]


@pytest.mark.parametrize("part", ["TF-IDF", "Paperpost"])
def test_both_halves_get_something_where_the_words_are_clear(part: str) -> None:
    contender = next(one for one in CONTENDERS if part in one.name)
    merged = two_interests(split(), SEED)[EVEN]
    ranker = contender.fit(merged.split.training, merged.split.candidates)
    values = values_of_halves(as_one(ranker, merged), merged)
    assert mean(values["both halves hit@20"]) > 0.9
