"""Weights are tried on validation data, and what ships stands until something is truly better."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_data import READERS, small_library, write_citeulike
from typer.testing import CliRunner

from paperpost.cli import app
from paperpost.evaluation import tune_report
from paperpost.evaluation.comparison import EvaluationError
from paperpost.evaluation.splits import hidden_likes
from paperpost.evaluation.tune import Outcome, Trial, Tuned, best_of, tune, walk
from recommender.blend import SHIPPED
from recommender.matrices import entries

# Little but how crowded it is around a paper, which is the same for readers of both topics.
BAD = replace(SHIPPED, words=0.01, reader=0.01, centroid=0.01, centroid_loss=0.01, crowding=50.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_citeulike(tmp_path_factory.mktemp("citeulike"), small_library(common=0))


@pytest.fixture(scope="module")
def found(folder: Path) -> list[Tuned]:
    return tune(folder, [7], lambda _: None)


def outcome(words: float, *, guarded: float = 1.0, noise: float = 0.0) -> Outcome:
    """A tuned metric that is best where `words` is 2, and a guarded one."""
    bumps = np.random.default_rng(0).normal(0, noise, 400)
    return {"tuned": 1 - abs(words - 2) / 10 + bumps, "guarded": np.full(400, guarded)}


def tuned_to(best: Outcome, best_to_others: Outcome, protocol: str = "made up") -> Tuned:
    ships = Trial(SHIPPED, outcome(1))
    better = Trial(replace(SHIPPED, words=2.0), best, "words")
    others = Trial(SHIPPED, outcome(1)), Trial(better.weights, best_to_others)
    return Tuned(protocol, (7,), ships, [better], better, *others)


def test_the_command_shows_the_shipped_weights_and_two_others_of_each(folder: Path) -> None:
    command = ["evaluate", "tune", str(folder), "--seeds", "7", "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.stderr
    protocols: dict[str, Any] = json.loads(result.stdout)["tuned"]
    papers, hidden = protocols.values()
    assert papers["shipped"]["weights"] == asdict(SHIPPED)
    assert {"ndcg@10", "recall@100", "1 vote", "3 votes", "10 votes"} < set(papers["shipped"])
    tried = [trial["weight"] for trial in papers["trials"]]
    assert tried[::2] == tried[1::2] == [name for name in asdict(SHIPPED) if name != "neighbours"]
    assert [trial["weight"] for trial in hidden["trials"]] == ["neighbours"] * 2
    assert {"recall@50", "recall@300"} < set(hidden["shipped"])
    for protocol in protocols.values():
        assert protocol["readers"] + protocol["other_readers"] == READERS
        assert set(protocol["lead"]) == {"mean", "low", "high"}


def test_the_table_marks_what_ships(found: list[Tuned]) -> None:
    lines = tune_report.text(found).splitlines()
    (shipped, *_) = [line for line in lines if line.startswith("│ shipped ")]
    assert f"{found[0].shipped.gain:.4f}"[1:] in shipped
    assert sum(f" {SHIPPED.crowding} " in line for line in lines if "│ crowding" in line) == 2


def test_weights_that_were_planted_as_bad_are_found_worse(folder: Path, found: list[Tuned]) -> None:
    planted, shipped = tune(folder, [7], lambda _: None, BAD)[0].shipped, found[0].shipped
    assert planted.gain < shipped.gain * 0.9
    assert shipped.lead(planted).low > 0
    assert "recall@100" not in shipped.costs(planted)


def test_a_walk_finds_what_is_better_and_goes_on_from_there() -> None:
    start = replace(SHIPPED, words=1.0)
    ships = Trial(start, outcome(start.words))
    trials = list(walk(["words", "words", "reader"], ships, lambda w: outcome(w.words)))
    assert [trial.value for trial in trials[:4]] == pytest.approx([0.75, 1.33, 0.9975, 1.7689])
    best = best_of(trials, ships, ships)
    assert best.weights.words == pytest.approx(1.7689)
    assert trials[-1].weights == replace(best.weights, reader=trials[-1].value)


def test_a_gain_that_costs_another_metric_is_not_taken() -> None:
    ships = Trial(SHIPPED, outcome(1))
    cheap, dear = (Trial(SHIPPED, outcome(2, guarded=left)) for left in (0.995, 0.98))
    assert (cheap.costs(ships), dear.costs(ships)) == ([], ["guarded"])
    assert best_of([dear], ships, ships) is ships
    assert best_of([cheap], ships, ships) is cheap


def test_a_lead_counts_where_it_holds_for_readers_it_was_not_chosen_on() -> None:
    clear, noisy = outcome(2), outcome(1.01, noise=0.5)
    assert tuned_to(clear, clear).holds
    assert not tuned_to(clear, noisy).holds
    assert not tuned_to(noisy, clear).holds
    assert not tuned_to(clear, outcome(2, guarded=0.9)).holds
    assert "it is better" in tune_report.text([tuned_to(clear, clear)])
    assert "the shipped weights stand" in tune_report.text([tuned_to(clear, noisy)])


def test_a_reader_without_a_value_does_not_count() -> None:
    values = np.array([0.2, np.nan, 0.4])
    trial = Trial(SHIPPED, {"tuned": values})
    assert trial.readers == 2
    assert trial.gain == pytest.approx(0.3)


@pytest.mark.parametrize("seeds", [[0], [7, 2], [1]])
def test_reported_seeds_are_not_for_choosing(folder: Path, seeds: list[int]) -> None:
    with pytest.raises(EvaluationError, match="reported"):
        tune(folder, seeds, lambda _: None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("tune", ".", "--seeds", "seven"),
        ("citeulike", ".", "--seeds", "7"),
        ("tune", ".", "--split", "1"),
        ("tune", ".", "--models", "tf-idf"),
    ],
)
def test_wrong_usage_of_tune_is_told_apart_from_failure(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, ["evaluate", *arguments]).exit_code == 2


def test_hidden_likes_are_in_no_history() -> None:
    library = small_library(casual=2)
    split = hidden_likes(library, 2, seed=7)
    for row, reader in enumerate(split.readers):
        known, found = (set(entries(each, row)[0]) for each in (split.histories, split.held_out))
        assert len(found) == 2
        assert not known & found
        assert known | found == set(entries(library.likes, int(reader))[0])
    assert split.training.likes.data.size == library.likes.data.size - 2 * READERS
