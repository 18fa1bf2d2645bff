"""`paperpost bench` at small sizes, as a process would see it: JSON on stdout, nothing else."""

import json
import math
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from paperpost.cli import app
from paperpost.measure_commands import bench as commands

SMALL = ("--terms", "600")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["bench", *map(str, arguments)])


def document(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    read: dict[str, Any] = json.loads(result.stdout)
    return read


def is_comparison(found: dict[str, Any], unit: str) -> bool:
    ours, peer, ratio = (float(found[name]) for name in ("ours", "peer", "ratio"))
    finite = all(0 < figure < math.inf for figure in (ours, peer, ratio))
    return finite and math.isclose(ratio, ours / peer) and str(found["unit"]) == unit


def test_ranking_is_timed_in_turns_with_its_peer() -> None:
    sizes = ("--subscribers", 30, "--papers", 20, "--library", 60, "--rounds", 3)
    found = document("rank", *sizes, *SMALL)
    assert is_comparison(found, "seconds")
    assert len(found["ours_each"]) == len(found["peer_each"]) == 3
    assert found["ours"] == sorted(found["ours_each"])[1]
    assert found["peer"] == sorted(found["peer_each"])[1]
    assert found["microseconds_per_subscriber"] == pytest.approx(found["ours"] / 30 * 1e6)
    assert min(found[f"{stage}_seconds"] for stage in ("profiles", "digests", "reasons")) > 0
    assert found["microseconds_per_subscriber_with_reasons"] > 0
    assert 50 < found["peak_mebibytes"] < 4_000


def test_a_vote_is_timed_beside_the_fold_in_alone() -> None:
    found = document("vote", "--votes", 5, "--library", 60, "--rounds", 4, *SMALL)
    assert is_comparison(found, "milliseconds")
    assert found["votes"] == 5


def test_composing_is_timed_beside_the_usual_way() -> None:
    found = document("compose", "--messages", 20, "--papers", 10, "--rounds", 1)
    assert is_comparison(found, "messages a second")
    assert 20_000 < found["bytes_of_a_message"] < 80_000


def test_training_is_timed_and_weighed_in_a_process_of_its_own() -> None:
    found = document("train", "--papers", 30, "--subscribers", 5, *SMALL)
    assert is_comparison(found, "seconds")
    assert set(found["growth"]) == {"papers", "subscribers"}
    (point,) = found["growth"]["papers"]["points"]
    assert (point["papers"], point["subscribers"]) == (30, 5)
    assert point["ours"] == found["ours"]
    assert point["peak_mebibytes"] > 50
    assert found["growth"]["papers"]["exponent"] is None


def test_importing_is_timed_and_weighed_for_each_size() -> None:
    found = document("import", "--papers", "40,80")
    assert is_comparison(found, "seconds")
    assert [point["papers"] for point in found["growth"]["points"]] == [40, 80]
    assert found["seconds_for_a_day_as_rss"] > 0


def test_searching_is_timed_beside_a_loop_over_all_texts() -> None:
    found = document("search", "--papers", 60, "--rounds", 1)
    assert is_comparison(found, "milliseconds")
    points = found["growth"]["points"]
    (point,) = points
    assert point["papers"] == 60
    assert found["slowest_milliseconds"] >= found["ours"]
    assert point["both"].keys() > point["words"].keys() == point["meaning"].keys()


def test_people_get_a_table_and_progress_on_stderr() -> None:
    result = run("vote", "--votes", 2, "--library", 30, "--rounds", 2, *SMALL)
    assert "a vote to a changed profile, for a reader with 2 votes" in result.stdout
    assert "milliseconds" in result.stdout
    assert "making up" in result.stderr
    assert "making up" not in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("rank", "--subscribers", 0),
        ("rank", "--papers", 19),
        ("vote", "--votes", 50, "--library", 49),
        ("train", "--papers", "1000;2000"),
        ("train", "--subscribers", "0,10"),
    ],
)
def test_wrong_usage_is_told_apart_from_failure(arguments: tuple[object, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_every_bench_has_one_line_of_help_and_takes_json() -> None:
    assert len(commands.registered_commands) == 9
    for command in commands.registered_commands:
        assert command.callback is not None
        assert (command.callback.__doc__ or "").strip()
        assert "as_json" in command.callback.__annotations__
