"""`paperpost evaluate samples` on small data: parts are compared with the whole."""

import json
from pathlib import Path

from small_data import small_library, write_citeulike
from typer.testing import CliRunner

from paperpost.cli import app


def test_parts_of_the_readers_and_papers_stand_beside_the_whole(tmp_path: Path) -> None:
    folder = write_citeulike(tmp_path, small_library(casual=4))
    result = CliRunner().invoke(app, ["evaluate", "samples", str(folder), "--json"])
    assert result.exit_code == 0, result.stderr
    models = json.loads(result.stdout)["models"]
    assert len(models) == 10
    assert models["everything"]["ndcg@10"]["lead"] == {"mean": 0, "low": 0, "high": 0}
    means = {name: one["ndcg@10"]["mean"] for name, one in models.items()}
    assert all(0 < mean <= 1 for mean in means.values())
    changes = {name: one["ndcg@10"]["lead"] for name, one in models.items()}
    assert all(one["low"] <= one["mean"] <= one["high"] for one in changes.values())
    assert any(one["mean"] != 0 for name, one in changes.items() if "papers" in name)
