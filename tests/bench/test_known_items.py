"""`paperpost evaluate search` on papers that are made up: what is asked, and how it is scored."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperpost.bench.known_items import Question
from paperpost.cli import app

SUBJECTS = ("protein folding enzyme ligand", "robot walking terrain stride")


def lines() -> Iterator[str]:
    for number in range(24):
        subject = SUBJECTS[number % 2]
        yield json.dumps(
            {
                "id": f"2604.{number:05}",
                "announced": "2026-04-01",
                "title": f"{subject} {chr(97 + number) * 5}",
                "abstract": f"We look at {subject} with {chr(97 + number) * 6}.",
                "authors": [f"Author {number // 3}", f"Friend {number // 3}"],
                "categories": ["cs.LG"],
            }
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "day.jsonl").write_text("\n".join(lines()), encoding="utf-8")
    return tmp_path / "papers"


def evaluate(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["evaluate", "search", *map(str, arguments)])
    return result.exit_code, result.stdout


def test_all_searchers_are_asked_the_same(folder: Path) -> None:
    code, out = evaluate(folder, "--json", "--seed", 3)
    assert code == 0
    found = json.loads(out)
    assert found["papers"] == 24
    assert found["questions"] == {
        "its words": 24,
        "words, one wrong": 12,
        "title of another": 12,
    }
    assert len(found["models"]) == 4
    for name in ("TF-IDF", "Paperpost"):
        assert sum(name in one for one in found["models"]) == 1
    for figures in found["models"].values():
        assert 0 < figures["mrr@10 its words"]["mean"] <= 1
    assert found["models"]["words"]["mrr@10 its words"]["mean"] > 0.5
    assert set(found["gains"]) == {"words", "meaning"}
    assert evaluate(folder, "--json", "--seed", 3) == (code, out)


def test_people_get_a_table(folder: Path) -> None:
    code, out = evaluate(folder)
    assert code == 0
    assert "mean reciprocal rank" in out


def test_a_folder_without_papers_is_one_clear_failure(tmp_path: Path) -> None:
    assert evaluate(tmp_path)[0] != 0
    assert evaluate(tmp_path, "--models", "TF-IDF")[0] == 2


@pytest.mark.parametrize(
    ("ranking", "score"), [([3, 1], 0.5), ([9, 1], 1.0), ([2, 3], 0.0), ([], 0.0), ([9, 2, 7], 0.5)]
)
def test_the_place_of_the_first_wanted_paper_counts(ranking: list[int], score: float) -> None:
    question = Question("what", frozenset({1, 7}), at_hand=9)
    assert question.reciprocal_rank(ranking) == score


def test_only_the_first_ten_count() -> None:
    assert Question("what", frozenset({1})).reciprocal_rank([*range(2, 12), 1]) == 0
