"""CiteULike replayed: new papers, few votes, and the published splits."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic

import numpy as np

from paperpost.evaluation.baselines import random_order, tfidf_centroid, topic_popularity
from paperpost.evaluation.comparison import (
    BASELINE,
    NEW_PAPERS,
    OURS,
    PUBLISHED,
    EvaluationError,
    Measured,
    Metric,
    Progress,
    asked_about,
    chosen,
    measure,
    values_of,
)
from paperpost.evaluation.datasets import Library, read_library, read_published_split
from paperpost.evaluation.named_interests import with_words
from paperpost.evaluation.peers import linear_svm, mapped_als, weighted_similarity
from paperpost.evaluation.report import CiteULikeReport
from paperpost.evaluation.scorers import Contender, by_score
from paperpost.evaluation.shipped import Shipped, paperpost
from paperpost.evaluation.splits import (
    Split,
    few_votes,
    new_papers,
    published,
    without_their_likes,
)
from paperpost.evaluation.two_interests import (
    Merged,
    apart,
    as_one,
    two_interests,
    values_of_halves,
)
from recommender.metrics import Positions

# An SVM takes 50 ms a reader: five minutes for all six thousand.
_MOST_SVMS = 1000

CONTENDERS = (
    Contender("Random", by_score(random_order)),
    Contender("Popularity of the topic", by_score(topic_popularity)),
    Contender("ALS mapped from content (implicit)", by_score(mapped_als)),
    Contender("Weighted similarity (zotero-arxiv-daily)", by_score(weighted_similarity)),
    Contender("TF-IDF centroid", by_score(tfidf_centroid)),
    Contender("Linear SVM (arxiv-sanity)", by_score(linear_svm), _MOST_SVMS),
    Contender("Paperpost", paperpost),
)


def evaluate_citeulike(
    folder: Path, seed: int, split_size: int | None, models: Sequence[str], say: Progress
) -> CiteULikeReport:
    """New papers and few votes, or the published split with so many likes a reader."""
    start = monotonic()
    names = chosen([contender.name for contender in CONTENDERS], models)
    contenders = [contender for contender in CONTENDERS if contender.name in names]
    library = read_library(folder)
    if split_size is None:
        report = _new_papers(library, seed, contenders, say)
    else:
        likes = read_published_split(folder, split_size, library.counts.shape[0])
        report = _published_split(published(library, *likes), split_size, seed, contenders, say)
    report.seconds = monotonic() - start
    return report


def _new_papers(
    library: Library, seed: int, contenders: Sequence[Contender], say: Progress
) -> CiteULikeReport:
    split = new_papers(library, seed)
    report = _report_on(split, "new papers", seed)
    report.measured.update(_measured(contenders, split, NEW_PAPERS, say))
    compared = [one for one in contenders if OURS in one.name or BASELINE in one.name]
    report.few_votes.update(_few_votes(compared, without_their_likes(split), say))
    report.two_interests.update(_two_interests(compared, two_interests(split, seed), say))
    return report


def _published_split(
    split: Split, size: int, seed: int, contenders: Sequence[Contender], say: Progress
) -> CiteULikeReport:
    report = _report_on(split, f"published split, P = {size}", seed)
    report.split_size = size
    report.measured.update(_measured(contenders, split, PUBLISHED, say))
    return report


def _report_on(split: Split, protocol: str, seed: int) -> CiteULikeReport:
    readers = len(split.readers)
    if not readers:
        raise EvaluationError("no reader of this data has both likes to learn from and to find")
    papers = len(split.training.papers)
    return CiteULikeReport(protocol, seed, readers, papers, len(split.candidates))


def _measured(
    contenders: Sequence[Contender], split: Split, metrics: Mapping[str, Metric], say: Progress
) -> dict[str, Measured]:
    measured: dict[str, Measured] = {}
    for contender in contenders:
        measured[contender.name] = measure(contender, split, metrics)
        readers, seconds = len(measured[contender.name].rows), measured[contender.name].seconds
        say(f"{contender.name}: {readers:,} readers in {seconds:.1f} s")
    return measured


def _few_votes(
    compared: Sequence[Contender], split: Split, say: Progress
) -> dict[str, dict[int, Measured]]:
    """By name and number of likes; each is fitted once, its readers are folded in."""
    if not len(split.readers):
        return {}
    return {contender.name: _by_likes(contender, split, say) for contender in compared}


def _by_likes(contender: Contender, split: Split, say: Progress) -> dict[int, Measured]:
    start = monotonic()
    ranker = contender.fit(split.training, split.candidates)
    rows = asked_about(contender, split)
    measured: dict[int, Measured] = {}
    for size, task in few_votes(split):
        values = values_of(ranker, task, rows, NEW_PAPERS)
        measured[size] = Measured(rows, values, monotonic() - start)
    say(f"{contender.name}: few votes of {len(rows):,} readers in {monotonic() - start:.1f} s")
    return measured


def _two_interests(
    compared: Sequence[Contender], cases: Mapping[str, Merged], say: Progress
) -> dict[str, dict[str, Measured]]:
    """By case and name; each is fitted once, for all cases share a training.

    Ours is asked for the halves apart as well, what a ranker could reach that told them apart; and
    for readers who typed some words of either half, with shares and without.
    """
    if not compared or not cases:
        return {}
    found: dict[str, dict[str, Measured]] = {case: {} for case in cases}
    split = next(iter(cases.values())).split
    for contender in compared:
        start = monotonic()
        for case, lists in _lists_of_merged(contender, split, cases).items():
            for name, positions in lists.items():
                found[case][name] = _measured_halves(positions, cases[case], start)
        say(f"{contender.name}: readers with two interests in {monotonic() - start:.1f} s")
    return found


def _lists_of_merged(
    contender: Contender, split: Split, cases: Mapping[str, Merged]
) -> dict[str, dict[str, Positions]]:
    if OURS not in contender.name:
        ranker = contender.fit(split.training, split.candidates)
        return {case: {contender.name: as_one(ranker, one)} for case, one in cases.items()}
    ours = Shipped.fitted(split.training, split.candidates)
    return {
        case: {
            contender.name: as_one(ours.ranked, one),
            "Ours, halves apart": apart(ours.ranked, one),
            **with_words(ours, one),
        }
        for case, one in cases.items()
    }


def _measured_halves(positions: Positions, merged: Merged, start: float) -> Measured:
    values = values_of_halves(positions, merged)
    return Measured(np.arange(len(positions)), values, monotonic() - start)
