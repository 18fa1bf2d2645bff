import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from paperpost.sources.errors import UnreadableFile
from paperpost.sources.formats import read_papers
from paperpost.sources.found import MOST_COUNTED, FoundPaper, Rejected

TODAY = date(2026, 11, 20)


def row(**changes: Any) -> dict[str, Any]:
    paper = {
        "id": "2604.00001",
        "authors": [
            {"_id": "a1", "name": "Ada Lovelace", "hidden": False},
            {"name": "Alan Turing"},
        ],
        "publishedAt": "2026-04-01T10:24:50.000Z",
        "submittedOnDailyAt": "2026-04-03T01:58:49.295Z",
        "title": "An invented paper",
        "summary": "We invent a paper.",
        "upvotes": 87,
        "githubStars": 42,
    }
    return {"title": "An invented paper", "numComments": 3, "paper": paper | changes}


def read(rows: object) -> list[FoundPaper | Rejected]:
    data = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    return list(read_papers(io.BytesIO(data), today=TODAY))


def only(rows: object) -> FoundPaper:
    (paper,) = read(rows)
    assert isinstance(paper, FoundPaper)
    return paper


def test_a_row_is_a_paper_with_its_upvotes_on_the_day_of_its_list() -> None:
    paper = only([row()])
    assert (paper.id, paper.title, paper.abstract) == (
        "2604.00001",
        "An invented paper",
        "We invent a paper.",
    )
    assert paper.authors == ("Ada Lovelace", "Alan Turing")
    assert (paper.announced, paper.upvotes, paper.discussed) == (date(2026, 4, 3), 87, 3)
    assert paper.source == "hf-daily-papers"


@pytest.mark.parametrize("count", [None, "87", -1, MOST_COUNTED + 1, 8.7, True, [87]])
def test_a_count_that_is_none_does_not_lose_the_paper(count: object) -> None:
    assert only([row(upvotes=count)]).upvotes is None


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({}, "the row has no paper"),
        ("text", "the row has no paper"),
        ({"paper": None}, "the row has no paper"),
        (row(title=None), "title is missing"),
        (row(id="nonsense"), "id is no arXiv id"),
        (row(submittedOnDailyAt=None), "announced is missing"),
        (row(submittedOnDailyAt="next week"), "announced is not a date"),
        (row(submittedOnDailyAt=20260403), "announced is not a date"),
        (row(authors=[{"name": 7}]), "authors is not a list of strings"),
    ],
)
def test_a_bad_row_is_rejected_with_its_number_and_the_rest_goes_in(
    bad: object, reason: str
) -> None:
    good, rejected = read([row(), bad])
    assert isinstance(good, FoundPaper)
    assert isinstance(rejected, Rejected)
    assert rejected.record == 2
    assert reason in rejected.reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[]", "without papers"),  # what the API answers for a weekend
        (b'[{"paper": {"id": "2604.0', "broken"),
        (b"[" * 100_000, "broken"),
        (b'["\xff"]', "not UTF-8"),
        (b'[{"id": "2604.00001", "title": "One"}]', "a line of its own"),
    ],
)
def test_an_array_that_is_no_such_answer_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read(data)


def test_the_42_real_answers_hold_1092_papers_and_nothing_is_rejected(data: Path) -> None:
    days = sorted((data / "hf-daily-papers" / "api").glob("*.gz"))
    records = [one for day in days for one in read_papers(day, today=TODAY)]
    papers = [record for record in records if isinstance(record, FoundPaper)]
    assert len(papers) == len(records) == 1_093
    assert len({paper.id for paper in papers}) == 1_092
    assert all(paper.upvotes is not None and paper.authors and paper.abstract for paper in papers)
    assert sum(paper.upvotes or 0 for paper in papers) == 15_101
    assert sum(paper.discussed or 0 for paper in papers) == 1_084
