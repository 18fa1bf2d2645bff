"""`bench web` on an installation of a few papers: every page is asked for, by a real server."""

import json
import math

from typer.testing import CliRunner

from paperpost.cli import app


def test_every_page_is_timed_and_weighed_for_each_size() -> None:
    sizes = ("--papers", "320", "--subscribers", "4", "--rounds", "1")
    result = CliRunner().invoke(app, ["bench", "web", *sizes, "--json"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert math.isclose(found["ratio"], found["ours"] / found["peer"])
    assert found["unit"] == "milliseconds"
    pages = {one["page"]: one for one in found["pages"]}
    assert {"front page", "month", "trending of a week", "paper", "preferences", "feed"} <= set(
        pages
    )
    assert found["ours"] == max(one["milliseconds"] for one in found["pages"])
    assert all(one["bytes"] > 0 for one in found["pages"])
    assert all(("slow" in one["over"]) == (one["milliseconds"] > 50) for one in found["pages"])
    assert pages["front page"]["bytes"] < 60_000
    assert [one["papers"] for one in found["growth"]] == [320]
    assert "asking for" in result.stderr
