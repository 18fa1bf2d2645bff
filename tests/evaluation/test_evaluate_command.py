"""`paperpost evaluate` on small data, as a process would see it: JSON on stdout, nothing else."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_data import small_library, write_citeulike, write_stream
from typer.testing import CliRunner, Result

from paperpost.cli import app


@pytest.fixture
def citeulike(tmp_path: Path) -> Path:
    folder = tmp_path / "citeulike"
    folder.mkdir()
    return write_citeulike(folder, small_library())


@pytest.fixture
def arxiv(tmp_path: Path) -> Path:
    folder = tmp_path / "arxiv"
    folder.mkdir()
    return write_stream(folder)


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def document(*arguments: object) -> dict[str, Any]:
    result = evaluate(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    read: dict[str, Any] = json.loads(result.stdout, parse_constant=_no_nan)
    return read


def _no_nan(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def is_metric(value: object) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"mean", "low", "high"}
        and all(isinstance(number, float) and math.isfinite(number) for number in value.values())
        and value["low"] <= value["mean"] <= value["high"]
    )


def named(models: dict[str, Any], part: str) -> Any:
    (name,) = [name for name in models if part in name]
    return models[name]


def test_new_papers_give_every_model_every_metric_with_its_interval(citeulike: Path) -> None:
    found = document("citeulike", citeulike, "--seed", 4)
    assert (found["protocol"], found["seed"]) == ("new papers", 4)
    assert (found["readers"], found["candidates"]) == (24, 32)
    metrics = {"ndcg@10", "hit@10", "recall@10", "recall@50", "recall@100"}
    assert len(found["models"]) == 7
    for model in found["models"].values():
        assert set(model) == metrics
        assert all(map(is_metric, model.values()))
    assert named(found["models"], "Paperpost")["ndcg@10"]["mean"] > 0.3
    assert set(found["ratios"]) == metrics
    assert all(details["readers"] == 24 for details in found["details"].values())


def test_few_votes_stand_under_their_own_key(citeulike: Path) -> None:
    found = document("citeulike", citeulike, "--models", "tf-idf,paperpost")
    assert len(found["models"]) == 2
    for part in ("TF-IDF", "Paperpost"):
        rows = named(found["few_votes"], part)
        assert list(rows) == ["1", "2", "3", "5", "10", "20"]
        assert all(is_metric(row["ndcg@10"]) for row in rows.values())
    assert set(found["few_votes_ratios"]) == set(rows)


def test_readers_with_two_interests_stand_under_their_own_key(tmp_path: Path) -> None:
    write_citeulike(tmp_path, small_library(common=0))
    found = document("citeulike", tmp_path, "--models", "tf-idf,paperpost,random")
    assert set(found["two_interests"]) == {"all likes of both", "20 and 5 likes"}
    for case in found["two_interests"].values():
        assert case["readers"] > 3
        # The two that are compared, ours with halves apart, and with words as one and by shares.
        assert len(case["models"]) == 5
        for part in ("TF-IDF", "Paperpost"):
            assert all(map(is_metric, named(case["models"], part).values()))
            assert "worse half recall@20" in named(case["models"], part)
        assert case["ratios"]["ndcg@10"] > 0
    table = evaluate("citeulike", tmp_path, "--models", "paperpost")
    assert "two interests, 20 and 5 likes" in table.stdout


def test_reliability_stands_under_its_own_key_for_ours_alone(citeulike: Path) -> None:
    found = document("citeulike", citeulike, "--models", "tf-idf,paperpost")
    (name,) = found["reliability"]
    assert "Paperpost" in name
    fitted = "top 10, curve fitted to other readers"
    for top, count in (("top 10", 24 * 10), ("top 100", 24 * 32), (fitted, 24 * 10)):
        kept = found["reliability"][name][top]
        assert kept["count"] == sum(row["count"] for row in kept["bins"]) == count
        assert all(set(row) >= {"predicted", "observed"} for row in kept["bins"])
        assert 0 < kept["base_rate"] < 1
    table = evaluate("citeulike", citeulike, "--models", "paperpost")
    assert "probabilities beside saves, top 10: Paperpost" in table.stdout
    assert "reliability" not in document("citeulike", citeulike, "--models", "random")


def test_the_same_seed_gives_the_same_numbers(citeulike: Path) -> None:
    once, again, other = (
        document("citeulike", citeulike, "--models", "Paperpost,Random,ALS", "--seed", seed)
        for seed in (0, 0, 1)
    )
    assert once["models"] == again["models"] != other["models"]
    assert once["few_votes"] == again["few_votes"]


def test_a_published_split_stands_beside_published_results(citeulike: Path) -> None:
    found = document("citeulike", citeulike, "--split", 1)
    assert found["published"]["CVAE"] == {"recall@50": 0.043, "recall@300": 0.12}
    assert all(
        set(model) == {"recall@50", "recall@300"} and all(map(is_metric, model.values()))
        for model in found["models"].values()
    )
    table = evaluate("citeulike", citeulike, "--split", 1, "--models", "Paperpost")
    assert "hybrid kNN, best (published)" in table.stdout


def test_tables_say_what_ran_and_progress_goes_to_stderr(citeulike: Path) -> None:
    result = evaluate("citeulike", citeulike)
    assert "new papers: 24 readers, 32 candidates" in result.stdout
    assert "Paperpost to TF-IDF" in result.stdout
    assert "Linear SVM (arxiv-sanity): 24 readers in" in result.stderr
    assert "readers in" not in result.stdout


def test_a_stream_gives_each_day_and_draws_its_curve(arxiv: Path, tmp_path: Path) -> None:
    picture = tmp_path / "curve.svg"
    found = document("stream", arxiv, "--svg", picture)
    assert found["readers"] == 1
    assert [day["papers"] for day in found["days"]] == [30] * 6
    assert all(is_metric(model["precision@10"]) for model in found["models"].values())
    assert named(found["models"], "Paperpost") != named(found["models"], "Random")
    assert named(found["models"], "TF-IDF")
    assert picture.read_text().startswith("<svg")
    assert {len(one["leads"]) for one in found["exploration"].values()} == {6}
    assert [one["readers"] for one in found["exploration"].values()] == [1, 3, 1]
    table = evaluate("stream", arxiv).stdout
    assert "stream: 6 days, 1 readers" in table
    assert "what exploration adds" in table
    assert document("stream", arxiv, "--models", "Paperpost")["exploration"] == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("hearsay", "."),
        ("citeulike",),
        ("citeulike", ".", "--split", 2),
        ("stream", ".", "--split", 1),
        ("citeulike", ".", "--svg", "curve.svg"),
        ("citeulike", ".", "--seed", -1),
    ],
)
def test_wrong_usage_is_told_apart_from_failure(arguments: tuple[object, ...]) -> None:
    assert evaluate(*arguments).exit_code == 2


def test_data_that_is_not_there_is_one_line_on_stderr_and_needs_no_database(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "paperpost", "evaluate", "citeulike", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "vocabulary.dat: there is no such file" in done.stderr
    assert list(tmp_path.iterdir()) == []
