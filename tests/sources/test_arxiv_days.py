"""arXiv's calendar."""

import gzip
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from paperpost.sources import arxiv_days
from paperpost.sources.arxiv_days import EASTERN


@pytest.mark.parametrize(
    ("submitted", "announced"),
    [
        (datetime(2026, 4, 14, 13, 59, tzinfo=EASTERN), date(2026, 4, 15)),
        (datetime(2026, 4, 14, 14, 0, tzinfo=EASTERN), date(2026, 4, 16)),
        (datetime(2026, 4, 16, 15, 0, tzinfo=EASTERN), date(2026, 4, 20)),  # Thursday afternoon
        (datetime(2026, 4, 17, 13, 0, tzinfo=EASTERN), date(2026, 4, 20)),  # Friday morning
        (datetime(2026, 4, 17, 15, 0, tzinfo=EASTERN), date(2026, 4, 21)),  # Friday afternoon
        (datetime(2026, 4, 19, 23, 0, tzinfo=EASTERN), date(2026, 4, 21)),
        (datetime(2026, 6, 18, 15, 0, tzinfo=EASTERN), date(2026, 6, 23)),  # before a holiday
        (datetime(2026, 1, 1, 3, 0, tzinfo=UTC), date(2026, 1, 5)),
    ],
)
def test_a_paper_is_announced_on_the_first_day_it_can_be(
    submitted: datetime, announced: date
) -> None:
    assert arxiv_days.announced_after(submitted) == announced
    assert arxiv_days.emptied_by(announced) is None


def test_most_real_papers_were_announced_on_that_day(data: Path) -> None:
    """Of the papers of both sets; who is seen later was held back, or was first seen elsewhere."""
    announced: dict[str, str] = {}
    for file in sorted((data / "arxiv").glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            announced |= {paper["id"]: paper["announced"] for paper in map(json.loads, lines)}
    late: Counter[timedelta] = Counter()
    for file in sorted((data / "hf-daily-papers" / "api").glob("*.json.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as text:
            for paper in (row["paper"] for row in json.load(text)):
                if day := announced.get(paper["id"]):
                    submitted = datetime.fromisoformat(paper["publishedAt"])
                    expected = arxiv_days.announced_after(submitted)
                    late[date.fromisoformat(day) - expected] += 1
    assert late[timedelta(0)] / late.total() > 0.8


def test_the_holidays_that_are_known_are_among_the_likely_ones() -> None:
    assert arxiv_days.likely_holidays(2026).issuperset(arxiv_days.HOLIDAYS)


def test_in_other_years_holidays_are_only_likely() -> None:
    after_labor_day = date(2027, 9, 7)
    assert arxiv_days.emptied_by(after_labor_day) is None
    assert arxiv_days.perhaps_emptied_by(after_labor_day) == date(2027, 9, 6)
    assert arxiv_days.perhaps_emptied_by(date(2027, 9, 8)) is None
    # 4 July 2027 is a Sunday, kept on Monday; 25 December a Saturday, kept on Friday.
    assert arxiv_days.perhaps_emptied_by(date(2027, 7, 6)) == date(2027, 7, 5)
    assert arxiv_days.perhaps_emptied_by(date(2027, 12, 27)) == date(2027, 12, 26)
    assert date(2027, 12, 24) in arxiv_days.likely_holidays(2027)


def test_of_a_year_that_is_known_nothing_is_guessed() -> None:
    assert arxiv_days.perhaps_emptied_by(date(2026, 6, 22)) == date(2026, 6, 19)
    assert arxiv_days.perhaps_emptied_by(date(2026, 12, 29)) is None
