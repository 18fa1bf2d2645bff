"""`paperpost library`, as a person or a script runs it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from paperpost.cli import app

pytestmark = pytest.mark.usefixtures("bare_store")

BIBTEX = """@misc{a, title = {Tides}, keywords = {oceans}}
@misc{b, title = {Moons}, keywords = {oceans}}
@misc{c, year = 2001}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def done(*arguments: str) -> Any:
    """The JSON document of a command that succeeds."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_library_becomes_votes_and_is_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text(BIBTEX, encoding="utf-8")
    done("upgrade")
    done("subscribe", "ada@example.org", "--confirmed")
    report = done("library", "ada@example.org", str(file), "--no-network")
    counts = ("recognised", "stored", "added_votes", "already", "looked_up")
    assert [report[name] for name in counts] == [2, 0, 2, 0, 0]
    (missing,) = report["unrecognised"]
    assert missing == {
        "file": str(file),
        "place": "line 3",
        "entry": "c",
        "reason": "it has neither a title nor an arXiv id, DOI or PubMed id",
    }
    assert report["interests"] == {"keywords": ["oceans"], "authors": []}
    assert len(done("export", "ada@example.org")["votes"]) == 2
    assert done("library", "ada@example.org", "--take-back") == {"taken_back": 2}
    file.write_text("nothing at all", encoding="utf-8")
    failed = run("library", "ada@example.org", str(file), "--no-network")
    assert failed.exit_code == 1
    assert "line 1: nothing at all" in failed.stderr
    assert failed.stderr.splitlines()[-1] == "paperpost: nothing was recognised"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--take-back", "file"],
        ["file", "--zotero-key-file", "key"],
        ["file", "--yes"],
        ["file", "--author", "Jane Doe"],
    ],
)
def test_what_is_wanted_must_be_clear(arguments: list[str]) -> None:
    assert run("library", "ada@example.org", *arguments).exit_code == 2


def test_what_an_author_has_is_listed_for_subscribers_only() -> None:
    done("upgrade")
    failed = run("library", "nobody@example.org", "--author", "Jane Doe")
    assert failed.exit_code == 1
    assert str(failed.exception) == "nobody@example.org is not a subscriber"
