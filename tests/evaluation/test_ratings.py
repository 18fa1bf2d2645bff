"""What ten ratings add is measured on papers of the past, reader by reader, whoever chose them."""

from pathlib import Path

import numpy as np
import pytest
from small_data import write_stream

from paperpost.evaluation.datasets import read_announced
from paperpost.evaluation.ratings import ASKED, CHOOSERS, rated
from paperpost.evaluation.reliability import Predictions
from paperpost.evaluation.replayed import Replayed
from paperpost.evaluation.stream import RANKERS, audience_of, evaluate_stream, replay
from paperpost.evaluation.stream_rankers import Stream, stream_of
from paperpost.evaluation.stream_report import EXPLORING
from recommender.profile import Interests, Reader

ALL_AND_FIRST = ("precision@10, first 5 days", "precision@10")


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    days = read_announced(write_stream(tmp_path))
    past, coming = days[:4], days[4:]
    learnt = [paper for day in past for paper in day.papers]
    asked = [paper for day in past[-2:] for paper in day.papers]
    return stream_of(learnt, [day.papers for day in coming], asked)


def test_what_readers_are_asked_about_lies_before_the_first_day(stream: Stream) -> None:
    assert len(stream.asked) == 60
    ids = [paper.id for paper in stream.asked.papers]
    assert max(ids) < min(paper.id for batch in stream.batches for paper in batch.papers)
    assert set(ids) <= set(stream.model.paper_ids)


@pytest.mark.parametrize("name", CHOOSERS)
def test_ten_papers_are_chosen_once_each_and_the_same_in_every_run(
    name: str, stream: Stream
) -> None:
    readers = [Reader("cs.RO", Interests(("robot grasping",))), Reader("cs.AI")]
    profiles = stream.model.profiles(readers, stream.library)
    chosen = CHOOSERS[name](profiles, stream.asked)
    assert [len(set(row)) for row in chosen] == [ASKED, ASKED]
    assert chosen == CHOOSERS[name](profiles, stream.asked)


def test_papers_to_ask_about_change_nothing_for_those_who_rate_none(tmp_path: Path) -> None:
    days = read_announced(write_stream(tmp_path))
    past, coming = days[:4], days[4:]
    learnt = [paper for day in past for paper in day.papers]
    audience = audience_of(coming, past)
    without, with_some = (
        stream_of(learnt, [day.papers for day in coming], one) for one in ((), learnt)
    )
    for ranker in RANKERS.values():
        before, after = (replay(ranker(one), coming, audience) for one in (without, with_some))
        assert before.precisions.tobytes() == after.precisions.tobytes()


def test_ratings_are_compared_reader_by_reader_with_the_first_days_for_themselves() -> None:
    def one(precisions: list[list[float]]) -> Replayed:
        shown = np.zeros((len(precisions) * len(precisions[0]), 2))
        return Replayed(np.array(precisions), Predictions(shown, shown.astype(np.bool_)))

    plain = one([[0.0] * 6, [0.5] * 6])
    after = one([[0.2] * 5 + [0.8], [0.5] * 6])
    found = rated(after, plain, liked=3, seed=0)
    assert (found.readers, found.liked) == (2, 1.5)
    values = [found.values[name].mean for name in ALL_AND_FIRST]
    leads = [found.leads[name].mean for name in ALL_AND_FIRST]
    assert values == pytest.approx([(0.2 + 0.5) / 2, (0.3 + 0.5) / 2])
    assert leads == pytest.approx([0.1, 0.15])


def test_a_report_tells_what_ratings_add_by_start_and_choice(tmp_path: Path) -> None:
    report = evaluate_stream(write_stream(tmp_path), 0, ["Paperpost", EXPLORING], lambda _: None)
    ratings = report.document["ratings"]
    assert list(ratings) == ["their phrases", "one of them", "one vague word"]
    assert all(list(by_choice) == list(CHOOSERS) for by_choice in ratings.values())
    chosen = ratings["one vague word"]["ten as we choose them"]
    assert set(chosen["leads"]) == set(chosen["values"]) == set(ALL_AND_FIRST)
    assert 0 <= chosen["liked"] <= ASKED
    assert "what ten ratings add" in report.text
    alone = evaluate_stream(tmp_path, 0, ["Paperpost"], lambda _: None)
    assert alone.document["ratings"] == {}
    assert "ratings" not in alone.text
