"""On CiteULike-t: baselines are what others measured, and our ranker is ahead of them."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from paperpost.evaluation.citeulike import CONTENDERS
from paperpost.evaluation.comparison import (
    NEW_PAPERS,
    PUBLISHED,
    Measured,
    asked_about,
    measure,
    values_of,
)
from paperpost.evaluation.datasets import Library, read_library, read_published_split
from paperpost.evaluation.splits import few_votes, new_papers, published, without_their_likes
from paperpost.evaluation.two_interests import EVEN, apart, as_one, two_interests, values_of_halves
from recommender.matrices import transposed
from recommender.metrics import mean

TFIDF, PAPERPOST = (
    next(contender for contender in CONTENDERS if part in contender.name)
    for part in ("TF-IDF", "Paperpost")
)


@pytest.fixture
def library(data: Path) -> Library:
    return _library(data / "citeulike-t")


@lru_cache
def _library(folder: Path) -> Library:
    return read_library(folder)


def slice_of(library: Library, readers: int) -> Library:
    """The first readers, the papers they like, and those papers' words."""
    likes = library.likes[np.arange(readers)]
    papers = np.unique(likes.indices)
    counts = library.counts[papers]
    terms = np.unique(counts.indices)
    return Library(
        transposed(transposed(counts)[terms]),
        tuple(library.terms[term] for term in terms),
        transposed(transposed(likes)[papers]),
    )


def means(measured: Measured) -> list[float]:
    return [round(mean(values), 4) for values in measured.values.values()]


def test_the_data_is_whole(library: Library) -> None:
    assert library.counts.shape == (25_975, 20_000)
    assert library.likes.shape == (7_947, 25_975)
    assert library.likes.data.size == 134_860
    assert (np.diff(library.counts.indptr) == 0).sum() == 31


def test_tfidf_has_the_value_that_was_measured_elsewhere(library: Library) -> None:
    split = new_papers(library, 0)
    assert (len(split.readers), len(split.candidates)) == (6_074, 5_195)
    ndcg, hit, recall, _, recall_100 = means(measure(TFIDF, split, NEW_PAPERS))
    assert [ndcg, hit, recall, recall_100] == pytest.approx(
        [0.1795, 0.4305, 0.2285, 0.4977], abs=3e-4
    )


def test_on_a_slice_our_ranker_is_ahead_of_tfidf_by_more_than_noise(library: Library) -> None:
    split = new_papers(slice_of(library, 600), 0)
    ours, baseline = (measure(one, split, NEW_PAPERS) for one in (PAPERPOST, TFIDF))
    assert len(split.readers) > 400
    assert ours.lead(baseline, "ndcg@10", 0).low > 0


def test_there_are_pairs_enough_and_tfidf_favours_one_of_two_interests(library: Library) -> None:
    cases = two_interests(new_papers(library, 0), 0)
    assert [len(merged.split.readers) for merged in cases.values()] == [500, 221]
    whole = cases[EVEN]
    ranker = TFIDF.fit(whole.split.training, whole.split.candidates)
    one, two = (values_of_halves(way(ranker, whole), whole) for way in (as_one, apart))
    assert mean(one["both halves hit@20"]) == pytest.approx(0.138, abs=0.01)
    assert mean(two["both halves hit@20"]) == pytest.approx(0.302, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "ndcg"), [(1, 0.1776), (2, 0.1771)])
def test_tfidf_has_the_value_of_other_seeds(library: Library, seed: int, ndcg: float) -> None:
    measured = measure(TFIDF, new_papers(library, seed), NEW_PAPERS)
    assert means(measured)[0] == pytest.approx(ndcg, abs=2e-4)


@pytest.mark.slow
def test_tfidf_with_few_votes_has_the_values_that_were_measured_elsewhere(library: Library) -> None:
    split = without_their_likes(new_papers(library, 0))
    assert len(split.readers) == 1_128
    ranker = TFIDF.fit(split.training, split.candidates)
    rows = asked_about(TFIDF, split)
    found = [
        mean(values_of(ranker, one, rows, NEW_PAPERS)["ndcg@10"]) for _, one in few_votes(split)
    ]
    assert found == pytest.approx([0.088, 0.117, 0.119, 0.139, 0.169, 0.185], abs=6e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "known"), [(1, (0.1396, 0.2760)), (10, (0.1794, 0.4043))])
def test_tfidf_on_the_published_splits_has_the_values_that_were_measured_elsewhere(
    library: Library, data: Path, size: int, known: tuple[float, float]
) -> None:
    likes = read_published_split(data / "citeulike-t", size, library.counts.shape[0])
    measured = measure(TFIDF, published(library, *likes), PUBLISHED)
    assert means(measured) == pytest.approx(known, abs=2e-4)
