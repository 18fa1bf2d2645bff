"""The protocols' promises, and the poison: what is held out may be anything, and nobody knows."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from small_data import PAPERS, small_library

from paperpost.evaluation.baselines import random_order, tfidf_centroid, topic_popularity
from paperpost.evaluation.citeulike import CONTENDERS
from paperpost.evaluation.datasets import Library
from paperpost.evaluation.peers import linear_svm, mapped_als, weighted_similarity
from paperpost.evaluation.scorers import Contender, Scorer
from paperpost.evaluation.splits import (
    FEW_VOTES,
    Papers,
    Split,
    Training,
    few_votes,
    new_papers,
    published,
    without_their_likes,
)
from paperpost.evaluation.two_interests import EVEN, UNEVEN, two_interests
from recommender.matrices import SparseRows, entries, from_entries

SEED = 4


def items(matrix: SparseRows, row: int) -> set[int]:
    return set(entries(matrix, row)[0].tolist())


def same(one: SparseRows, other: SparseRows) -> bool:
    """Bit by bit."""
    return one.shape == other.shape and all(
        getattr(one, part).tobytes() == getattr(other, part).tobytes()
        for part in ("indptr", "indices", "data")
    )


def poisoned(library: Library) -> Library:
    """In place of each like of a new paper one of a new paper of the other topic."""
    new = new_papers(library, SEED).candidates.numbers.tolist()
    rng = np.random.default_rng(9)
    likes = []
    for row in range(library.likes.shape[0]):
        old = items(library.likes, row) - set(new)
        count = len(items(library.likes, row)) - len(old)
        others = [paper for paper in new if paper % 2 != row % 2]
        planted = rng.choice(others, count, replace=False).tolist()
        likes.append(dict.fromkeys([*sorted(old), *planted], 1.0))
    return replace(library, likes=from_entries(likes, PAPERS))


def apart() -> Library:
    """Topics without a common word, for readers to be merged; some who are trained on always."""
    return small_library(common=0, casual=6)


def published_task(library: Library) -> Split:
    """Likes of old papers to learn from, those of new papers as the test, all as candidates."""
    new = set(new_papers(library, SEED).candidates.numbers.tolist())
    rows = [items(library.likes, row) for row in range(library.likes.shape[0])]
    training, test = (
        from_entries([dict.fromkeys(sorted(part), 1.0) for part in parts], PAPERS)
        for parts in ([row - new for row in rows], [row & new for row in rows])
    )
    return published(library, training, test)


TASKS: dict[str, Callable[[Library], Split]] = {
    "new papers": lambda library: new_papers(library, SEED),
    "few votes": lambda library: dict(few_votes(without_their_likes(new_papers(library, SEED))))[3],
    "two interests": lambda library: two_interests(new_papers(library, SEED), SEED)[EVEN].split,
    "a side interest": lambda library: two_interests(new_papers(library, SEED), SEED)[UNEVEN].split,
    "published split": published_task,
}


def ranks_alike(contender: Contender, one: Split, other: Split) -> bool:
    """Whether all readers get the same lists of all candidates, told with the same probability."""
    (first, told), (second, told_then) = (
        (lists.positions, lists.probabilities)
        for split in (one, other)
        for lists in [
            contender.fit(split.training, split.candidates)(
                split.histories, None, len(split.candidates)
            )
        ]
    )
    assert (first >= 0).all()
    return np.array_equal(first, second) and np.array_equal(told, told_then, equal_nan=True)


def with_other_words(library: Library, papers: Papers) -> Library:
    counts = library.counts[np.arange(PAPERS)]
    for paper in papers.numbers:
        own = slice(counts.indptr[paper], counts.indptr[paper + 1])
        counts.data[own] = 7
    return replace(library, counts=counts)


def is_trained_alike(one: Split, other: Split) -> bool:
    return (
        np.array_equal(one.training.papers.numbers, other.training.papers.numbers)
        and same(one.training.papers.counts, other.training.papers.counts)
        and same(one.training.likes, other.training.likes)
        and one.training.terms == other.training.terms
    )


def test_a_fifth_of_the_papers_is_new_as_the_generator_of_the_seed_draws_them() -> None:
    split = new_papers(small_library(), SEED)
    drawn = np.random.default_rng(SEED).choice(PAPERS, PAPERS // 5, replace=False)
    assert split.candidates.numbers.tolist() == sorted(drawn.tolist())
    assert sorted([*split.training.papers.numbers, *drawn]) == list(range(PAPERS))
    assert split.allowed(np.arange(len(split.readers))) is None


def test_histories_and_what_is_held_out_are_together_all_likes() -> None:
    library = small_library()
    split = new_papers(library, SEED)
    for row, reader in enumerate(split.readers):
        old = {int(split.training.papers.numbers[p]) for p in items(split.histories, row)}
        new = {int(split.candidates.numbers[p]) for p in items(split.held_out, row)}
        assert old | new == items(library.likes, int(reader))
        assert old
        assert new


def test_readers_without_an_old_or_a_new_like_are_not_asked() -> None:
    library = small_library()
    split = new_papers(library, SEED)
    only_new, only_old = int(split.candidates.numbers[0]), int(split.training.papers.numbers[0])
    likes = from_entries([{only_new: 1.0}, {only_old: 1.0}, {only_new: 1.0, only_old: 1.0}], PAPERS)
    assert new_papers(replace(library, likes=likes), SEED).readers.tolist() == [2]


def test_held_out_likes_and_new_papers_words_do_not_reach_the_training() -> None:
    library = small_library()
    split = new_papers(library, SEED)
    for other in (poisoned(library), with_other_words(library, split.candidates)):
        changed = new_papers(other, SEED)
        assert not same(changed.held_out, split.held_out) or not same(
            changed.candidates.counts, split.candidates.counts
        )
        assert is_trained_alike(split, changed)
        assert same(split.histories, changed.histories)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_every_contender_ranks_alike_whatever_is_held_out(contender: Contender, task: str) -> None:
    library = apart()
    clean, planted = TASKS[task](library), TASKS[task](poisoned(library))
    assert np.array_equal(clean.readers, planted.readers)
    assert not same(clean.held_out, planted.held_out)
    assert ranks_alike(contender, clean, planted)


@pytest.mark.parametrize(
    "contender",
    [one for one in CONTENDERS if one.name.startswith(("Popularity", "ALS", "Paperpost"))],
    ids=lambda contender: contender.name,
)
def test_poison_that_does_reach_the_training_is_noticed(contender: Contender) -> None:
    leaking = []
    for library in (apart(), poisoned(apart())):
        split = published_task(library)
        leaking.append(replace(split, training=replace(split.training, likes=library.likes)))
    assert not ranks_alike(contender, *leaking)


@pytest.mark.parametrize(
    "contender",
    # In factors of likes alone a like is nothing that nobody is trained on.
    [one for one in CONTENDERS if not one.name.startswith(("Random", "Popularity", "ALS"))],
    ids=lambda contender: contender.name,
)
def test_poison_that_does_reach_the_histories_is_noticed(contender: Contender) -> None:
    leaking = []
    for library in (apart(), poisoned(apart())):
        split = published_task(library)
        leaking.append(replace(split, histories=library.likes[split.readers]))
    assert not ranks_alike(contender, *leaking)


@pytest.mark.parametrize(
    "fit",
    [random_order, topic_popularity, tfidf_centroid, weighted_similarity, linear_svm, mapped_als],
)
def test_every_score_is_the_same_bit_by_bit_whatever_is_held_out(
    fit: Callable[[Training, Papers], Scorer],
) -> None:
    library = small_library()
    scores = []
    for split in (new_papers(library, SEED), new_papers(poisoned(library), SEED)):
        scores.append(fit(split.training, split.candidates)(split.histories).tobytes())
    assert scores[0] == scores[1]


def test_few_votes_are_drawn_from_readers_nobody_was_trained_on() -> None:
    library = small_library()
    whole = new_papers(library, SEED)
    split = without_their_likes(whole)
    assert len(split.readers) > 10
    others = set(range(library.likes.shape[0])) - set(split.readers.tolist())
    assert split.training.likes.shape[0] == len(others)
    for size, drawn in few_votes(split):
        for row in range(len(split.readers)):
            history = items(drawn.histories, row)
            assert len(history) == size
            assert history <= items(split.histories, row)
        assert same(drawn.held_out, split.held_out)
    assert [size for size, _ in few_votes(split)] == list(FEW_VOTES)


def test_whatever_test_readers_like_their_few_votes_train_nobody() -> None:
    library = small_library()
    split = without_their_likes(new_papers(library, SEED))
    turned = [items(library.likes, row) for row in range(library.likes.shape[0])]
    for reader in split.readers:
        turned[reader] = {PAPERS - 1 - paper for paper in turned[reader]}
    likes = from_entries([dict.fromkeys(sorted(row), 1.0) for row in turned], PAPERS)
    # The same readers, whatever the turned likes make of the number of old ones.
    changed = new_papers(replace(library, likes=likes), SEED)
    others = np.setdiff1d(np.arange(library.likes.shape[0]), split.readers)
    assert same(split.training.likes, changed.training.likes[others])


def test_in_a_published_split_nobody_is_shown_what_is_in_their_history() -> None:
    library = small_library()
    training = from_entries([{0: 1.0}, {1: 1.0, 3: 1.0}, {5: 1.0}], PAPERS)
    test = from_entries([{2: 1.0}, {5: 1.0}, {}], PAPERS)
    split = published(library, training, test)
    assert split.readers.tolist() == [0, 1]
    allowed = split.allowed(np.arange(2))
    assert allowed is not None
    assert [np.flatnonzero(~row).tolist() for row in allowed] == [[0], [1, 3]]
