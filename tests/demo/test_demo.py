"""The demo: bundled papers that are real, and two days that show what a vote does."""

import email
import email.policy
import json
import re
from datetime import date
from pathlib import Path

import pytest

from paperpost.demo.people import PEOPLE, bundled_papers, days
from paperpost.demo.run import run_demo
from paperpost.errors import PaperpostError


def test_at_least_a_hundred_papers_over_at_least_five_days() -> None:
    papers = bundled_papers()
    assert len(papers) >= 100
    assert len(days()) >= 5
    assert len({paper["id"] for paper in papers}) == len(papers)
    for paper in papers:
        assert re.fullmatch(r"\d{4}\.\d{5}", paper["id"])
        assert paper["title"]
        assert paper["authors"]
        assert paper["categories"]
        assert 25 <= len(paper["abstract"].split()) <= 80


def test_the_facts_are_arxivs_and_the_texts_are_ours(data: Path) -> None:
    import gzip

    originals: dict[str, dict[str, object]] = {}
    for day in days():
        with gzip.open(data / "arxiv" / f"{day}.jsonl.gz", "rt", encoding="utf-8") as file:
            originals |= {paper["id"]: paper for paper in map(json.loads, file)}
    for paper in bundled_papers():
        original = originals[paper["id"]]
        for fact in ("title", "authors", "categories", "announced"):
            assert paper[fact] == original[fact]
        assert not _sequences(paper["abstract"], 8) & _sequences(str(original["abstract"]), 8)


def _sequences(text: str, length: int) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def test_the_demo_mails_two_days_and_the_votes_move_the_second(tmp_path: Path) -> None:
    said: list[str] = []
    report = run_demo(tmp_path / "demo", said.append)
    first, second = days()[-2:]
    people = report.document["subscribers"]
    assert [person["email"] for person in people] == [person.email for person in PEOPLE]
    assert any(person["day_2"] != person["day_2_without_votes"] for person in people)
    for person in people:
        assert len(person["day_1"]) == len(person["day_2"]) == 5
        assert not set(person["day_1"]) & set(person["day_2"])
        assert set(person["votes"]) <= set(person["day_1"])
        assert person["votes"]
    assert said
    mails = [Path(path) for path in report.document["mails"]]
    assert len(mails) == 8
    dates = set()
    for path in mails:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        dates.add(date.fromisoformat(path.name[:10]))
    assert dates == {first, second}
    for title in ("paperpost serve", "moved", "thumbs up", "thumbs down"):
        assert title in report.text


def test_the_demo_replaces_its_own_folder_and_no_other(tmp_path: Path) -> None:
    taken = tmp_path / "thesis"
    taken.mkdir()
    (taken / "chapter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(PaperpostError, match="not a demo"):
        run_demo(taken, print)
    assert (taken / "chapter.txt").read_text(encoding="utf-8") == "mine"


def test_a_demo_that_has_become_somebodys_installation_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    run_demo(folder, lambda _line: None)
    settings = folder / "paperpost.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + 'operator = "me@example.org"\n')
    with pytest.raises(PaperpostError, match="not a demo"):
        run_demo(folder, lambda _line: None)
    assert (folder / "paperpost.db").exists()
