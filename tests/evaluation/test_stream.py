"""The stream learns, sees no categories, and does not look ahead."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_data import write_stream

from paperpost.evaluation.comparison import EvaluationError
from paperpost.evaluation.curve import Line, draw, running_mean
from paperpost.evaluation.datasets import Announced, read_announced
from paperpost.evaluation.exploration import explored
from paperpost.evaluation.reliability import Predictions
from paperpost.evaluation.replayed import Replayed
from paperpost.evaluation.stream import (
    RANKERS,
    SHOWN,
    Audience,
    audience_of,
    evaluate_stream,
    replay,
)
from paperpost.evaluation.stream_rankers import Shown, stream_of, without_dislikes
from paperpost.evaluation.stream_readers import SEEDS, VAGUE
from paperpost.evaluation.stream_report import EXPLORING, StreamReport
from recommender.calibration import Calibration
from recommender.metrics import Values
from recommender.profile import Reader, Vote
from recommender.text import Paper

PAST = date(2026, 5, 1)


@pytest.fixture
def days(tmp_path: Path) -> list[Announced]:
    return read_announced(write_stream(tmp_path))


def replayed(name: str, days: Sequence[Announced]) -> Replayed:
    coming = [day for day in days if day.day >= PAST]
    past = [paper for day in days if day.day < PAST for paper in day.papers]
    stream = stream_of(past, [day.papers for day in coming])
    return replay(RANKERS[name](stream), coming, audience_of(coming))


def values_of(name: str, days: Sequence[Announced]) -> Values:
    return replayed(name, days).precisions


def changed(day: Announced) -> Announced:
    """The same papers under other words and the opposite category."""
    papers = tuple(Paper(paper.id, "robot torque", "gait terrain gait") for paper in day.papers)
    turned = [{"cs.AI"} if "cs.RO" in names else {"cs.AI", "cs.RO"} for names in day.categories]
    return replace(day, papers=papers, categories=tuple(map(frozenset, turned)))


def test_rankers_that_read_find_what_a_reader_likes_and_chance_does_not(
    days: list[Announced],
) -> None:
    means = {name: float(values_of(name, days).mean()) for name in RANKERS}
    assert means["Random"] < 0.6
    assert min(value for name, value in means.items() if name != "Random") > 0.9


@pytest.mark.parametrize("name", RANKERS)
def test_what_comes_later_changes_nothing_before(name: str, days: list[Announced]) -> None:
    later = [changed(day) if place >= 7 else day for place, day in enumerate(days)]
    one, other = values_of(name, days), values_of(name, later)
    assert one.shape == other.shape == (1, 6)
    assert one[:, :3].tobytes() == other[:, :3].tobytes()


@pytest.mark.parametrize("name", RANKERS)
def test_categories_of_the_past_are_not_looked_at(name: str, days: list[Announced]) -> None:
    blank = [
        replace(day, categories=(frozenset[str](),) * len(day.papers)) if day.day < PAST else day
        for day in days
    ]
    assert values_of(name, days).tobytes() == values_of(name, blank).tobytes()


def test_votes_say_what_the_category_says_and_nothing_else() -> None:
    likes = {"a": frozenset({"cs.RO", "cs.AI"}), "b": frozenset({"cs.AI"})}
    audience = Audience((Reader("cs.RO"), Reader("cs.AI")), likes)
    robotics, everything = audience.vote(audience.readers, [["a", "b"], ["b"]])
    assert robotics.votes == (Vote("a", 1), Vote("b", -1))
    assert everything.votes == (Vote("b", 1),)


def test_every_ranker_shows_ten_papers_or_all_there_are(days: list[Announced]) -> None:
    few = replace(days[-1], papers=days[-1].papers[:4], categories=days[-1].categories[:4])
    stream = stream_of([p for day in days[:4] for p in day.papers], [days[-2].papers, few.papers])
    readers = audience_of(days).readers
    for ranker in RANKERS.values():
        for day, size in enumerate((SHOWN, 4)):
            (shown,) = ranker(stream)(day, readers)
            assert len(set(shown)) == len(shown) == size


def test_a_day_without_anything_for_a_reader_has_no_value(days: list[Announced]) -> None:
    nothing = replace(days[-1], categories=(frozenset({"cs.AI"}),) * len(days[-1].papers))
    values = values_of("TF-IDF with votes (Rocchio)", [*days[:-1], nothing])
    assert np.isnan(values).tolist() == [[False] * 5 + [True]]


def test_readers_are_at_least_twelve_with_two_or_three_phrases_each() -> None:
    assert len(SEEDS) >= 12
    assert {len(phrases) for phrases in SEEDS.values()} <= {2, 3}


def test_a_stream_needs_a_past_words_and_readers(tmp_path: Path, days: list[Announced]) -> None:
    for path in tmp_path.glob("2026-04-*"):
        path.unlink()
    with pytest.raises(EvaluationError, match="no papers before 2026-05-01"):
        evaluate_stream(tmp_path, 0, [], print)
    with pytest.raises(EvaluationError, match="have no words"):
        stream_of([Paper("a", "the")], [[Paper("b", "robot")]])
    with pytest.raises(EvaluationError, match="no paper of the stream has a category"):
        audience_of([replace(days[0], categories=(frozenset[str](),) * 30)])


def test_weights_are_chosen_on_days_before_those_that_are_reported(
    tmp_path: Path, days: list[Announced]
) -> None:
    reported = evaluate_stream(tmp_path, 0, ["Random"], print)
    chosen_on = evaluate_stream(tmp_path, 0, ["Random"], print, validation=True)
    assert max(chosen_on.dates) < min(reported.dates)


def test_what_was_told_of_each_paper_shown_stands_beside_what_was_voted(
    days: list[Announced],
) -> None:
    few = replace(days[-1], papers=days[-1].papers[:4], categories=days[-1].categories[:4])
    told = replayed("Paperpost", [*days[:-1], few]).predictions
    assert told.probabilities.shape == told.liked.shape == (6, SHOWN)
    assert (~np.isnan(told.probabilities)).sum(axis=1).tolist() == [SHOWN] * 5 + [4]
    assert told.liked[:5].sum(axis=1).tolist() == [6] * 5  # a fifth of thirty papers
    assert told.liked[5].sum() == sum("cs.RO" in names for names in few.categories)
    assert not replayed("Random", days).predictions.are_told


def test_a_ranker_told_votes_up_alone_sees_no_vote_down() -> None:
    seen: list[Reader] = []

    def watching(_: int, readers: Sequence[Reader]) -> list[list[Shown]]:
        seen.extend(readers)
        return [[Shown(2)] for _ in readers]

    reader = Reader("cs.RO", votes=(Vote("a", 1), Vote("b", -1), Vote("c", 1)))
    assert without_dislikes(watching)(0, [reader]) == [[Shown(2)]]
    assert seen == [replace(reader, votes=(Vote("a", 1), Vote("c", 1)))]


def report(values: Sequence[Sequence[float]]) -> StreamReport:
    array = np.array(values)
    shown = (array.size, SHOWN)
    told = Predictions(np.full(shown, 0.25), np.ones(shown, dtype=np.bool_))
    dates = [date(2026, 5, day + 1) for day in range(array.shape[1])]
    readers = [f"reader {row}" for row in range(array.shape[0])]
    return StreamReport(
        0, dates, [30] * len(dates), readers, {"<Paperpost>": Replayed(array, told)}, 1.0
    )


def test_a_report_averages_each_readers_days_and_then_the_readers() -> None:
    nan = float("nan")
    document = report([[1.0, 0.5, nan, nan], [0.0, nan, nan, nan]]).document
    metrics = document["models"]["<Paperpost>"]
    assert metrics["precision@10"]["mean"] == pytest.approx((0.75 + 0.0) / 2)
    assert metrics["precision@10 first day"]["mean"] == pytest.approx((1.0 + 0.0) / 2)
    assert "precision@10 second half" not in metrics
    by_day = [day["precision@10"]["<Paperpost>"] for day in document["days"]]
    assert by_day == [0.5, 0.5, None, None]


def test_a_report_says_whether_probabilities_were_kept() -> None:
    told = report([[0.5, 0.5]])
    kept = told.document["reliability"]["<Paperpost>"]["top 10"]
    assert (kept["count"], kept["calibration_error"]) == (20, 0.75)
    assert "reliability of probabilities, top 10: <Paperpost>" in told.text


def test_a_report_tells_the_curve_of_its_votes_and_how_it_keeps_for_other_readers() -> None:
    told = report([[0.5, 0.5], [0.5, 0.5]])
    curve = told.document["calibration"]
    score = 19.5  # of which the default tells .25; all forty papers were liked
    assert Calibration(**curve).probabilities(score) > 0.9 > Calibration().probabilities(score)
    kept = told.document["reliability"]["<Paperpost>"]["top 10, curve fitted to other readers"]
    assert kept["calibration_error"] < 0.1 < kept["base_rate"] - 0.25
    assert f"intercept {curve['intercept']:.3f}" in told.text


def test_a_ranker_that_tells_nothing_has_no_curve(days: list[Announced]) -> None:
    dates = [day.day for day in days if day.day >= PAST]
    random = {"Random": replayed("Random", days)}
    document = StreamReport(0, dates, [30] * len(dates), ["one"], random, 1.0).document
    assert (document["calibration"], document["reliability"]) == ({}, {})


def test_the_picture_is_xml_with_a_dot_for_each_day_that_has_a_value(tmp_path: Path) -> None:
    one = report([[0.1, float("nan"), 0.4, 0.35]])
    one.write_picture(tmp_path / "curve.svg")
    root = ElementTree.parse(tmp_path / "curve.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f".//{space}circle")) == 3
    assert len(root.findall(f".//{space}polyline")) == 1
    assert "<Paperpost>" in [text.text for text in root.findall(f"{space}text")]
    with pytest.raises(EvaluationError, match="cannot be written"):
        one.write_picture(tmp_path / "nowhere" / "curve.svg")


def test_a_higher_value_stands_higher_and_everything_within_the_frame() -> None:
    days = [date(2026, 5, day) for day in range(1, 29)]
    root = ElementTree.fromstring(draw("title", days, [Line("up", np.linspace(0, 1, 28).tolist())]))
    dots = [
        (float(dot.attrib["cx"]), float(dot.attrib["cy"]))
        for dot in root.iter("{http://www.w3.org/2000/svg}circle")
    ]
    assert sorted(dots) == sorted(dots, key=lambda dot: -dot[1])
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert all(0 < x < width and 0 < y < height for x, y in dots)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_running_mean_stays_between_its_neighbours(values: list[float]) -> None:
    means = running_mean(values)
    assert len(means) == len(values)
    for place, value in enumerate(means):
        around = values[max(0, place - 2) : place + 3]
        assert min(around) - 1e-9 <= value <= max(around) + 1e-9


def test_a_running_mean_passes_over_missing_values() -> None:
    nan = float("nan")
    assert running_mean([0.2, nan, 0.4]) == pytest.approx([0.3] * 3)
    assert np.isnan(running_mean([nan])[0])


def test_a_day_of_no_more_papers_than_are_shown_has_no_value(days: list[Announced]) -> None:
    few = replace(days[-1], papers=days[-1].papers[:10], categories=days[-1].categories[:10])
    values = values_of("Paperpost", [*days[:-1], few])
    assert np.isnan(values).tolist() == [[False] * 5 + [True]]


def test_exploration_is_compared_reader_by_reader_over_all_places() -> None:
    def one(precisions: list[list[float]], liked: list[list[list[int]]]) -> Replayed:
        shown = np.array(liked, dtype=np.bool_).reshape(-1, 2)  # a day's readers after another's
        return Replayed(np.array(precisions), Predictions(np.full(shown.shape, 0.5), shown))

    nan = float("nan")
    plain = one([[0.5, 0.5], [0.0, nan]], [[[1, 0], [0, 0]], [[1, 0], [0, 0]]])
    exploring = one([[1.0, 0.5], [0.5, nan]], [[[1, 1], [0, 1]], [[0, 1], [0, 0]]])
    found = explored(exploring, plain, seed=0)
    assert (found.readers, found.found, found.found_without) == (2, 4, 2)
    means = {name: lead.mean for name, lead in found.leads.items()}
    assert means == {
        "precision@10": pytest.approx((0.25 + 0.5) / 2),
        "places before": pytest.approx((-0.5 + 0) / 2),
        "last place": pytest.approx((1 + 1) / 2),
        "precision@10 second half": 0,
        "places before second half": -1,
        "last place second half": 1,
    }


def test_the_exploring_ranker_shows_one_paper_that_ours_does_not(days: list[Announced]) -> None:
    stream = stream_of([p for day in days[:4] for p in day.papers], [days[-1].papers])
    readers = audience_of(days).readers
    ((*best, other),) = RANKERS[EXPLORING](stream)(0, readers)
    (usual,) = RANKERS["Paperpost"](stream)(0, readers)
    assert best == usual[:-1]
    assert other not in usual


def test_readers_with_a_poorer_start_like_the_same(days: list[Announced]) -> None:
    audience = audience_of(days)
    poorer = audience.starting_from(SEEDS)
    assert [reader.interests.keywords for reader in poorer.readers] == [
        ("robot manipulation",),
        ("robot navigation",),
        ("autonomous driving",),
    ]
    assert {reader.key for reader in poorer.readers} == {"cs.RO"}
    assert poorer.likes == audience.likes
    assert set(VAGUE) == set(SEEDS)
    assert len(set(VAGUE.values())) == len(VAGUE)
