import io
from datetime import date
from pathlib import Path

import pytest

from paperpost.sources.errors import UnreadableFile
from paperpost.sources.formats import read_papers
from paperpost.sources.found import FoundPaper, Rejected, identity

TODAY = date(2026, 4, 10)
HEAD = (
    "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\n"
    "byAK and the research community\n\n{date}\n\n"
)
PROSE = "We invent a method and show on three invented tasks that it is better. " * 6


def page(*blocks: str, date: str = "Mar 13") -> bytes:
    return (HEAD.format(date=date) + "\n\n".join(blocks)).encode()


def read(data: bytes, today: date = TODAY) -> list[FoundPaper | Rejected]:
    return list(read_papers(io.BytesIO(data), today=today))


def entries(*blocks: str) -> list[tuple[str, str]]:
    papers = [one for one in read(page(*blocks)) if isinstance(one, FoundPaper)]
    return [(paper.title, paper.abstract) for paper in papers]


def test_titles_and_abstracts_come_in_turn() -> None:
    papers = read(page("One", PROSE, "Two", PROSE))
    assert [(one.title, one.id, one.source) for one in papers if isinstance(one, FoundPaper)] == [
        ("One", None, "hf-daily-papers"),
        ("Two", None, "hf-daily-papers"),
    ]


def test_short_abstracts_come_in_turn_too() -> None:
    assert entries("One", "About one.", "Two", "About two") == [
        ("One", "About one."),
        ("Two", "About two"),
    ]


def test_an_entry_without_an_abstract_does_not_shift_the_others() -> None:
    assert entries("One", "Two", PROSE, "Three", PROSE, "Four") == [
        ("One", ""),
        ("Two", PROSE.strip()),
        ("Three", PROSE.strip()),
        ("Four", ""),
    ]


def test_an_abstract_may_have_paragraphs() -> None:
    assert entries("One", PROSE, PROSE, "Two", PROSE) == [
        ("One", (PROSE + PROSE).strip()),
        ("Two", PROSE.strip()),
    ]


def test_a_title_of_ten_kilobytes_is_cut_and_shifts_nothing() -> None:
    (long, _), two = entries("word " * 2_000, PROSE, "Two", PROSE)
    assert len(long) == 1_000
    assert two == ("Two", PROSE.strip())


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ("Mar 13", date(2026, 3, 13)),
        ("Apr 10", date(2026, 4, 10)),
        ("Apr 11", date(2025, 4, 11)),
        ("Feb 29", date(2024, 2, 29)),
        ("Mar 13, 2024", date(2024, 3, 13)),
    ],
)
def test_a_date_without_a_year_is_the_latest_not_after_the_import(told: str, day: date) -> None:
    (paper,) = read(page("One", PROSE, date=told))
    assert isinstance(paper, FoundPaper)
    assert paper.announced == day


def test_a_page_without_a_date_is_not_guessed_at() -> None:
    with pytest.raises(UnreadableFile, match="date is missing"):
        read(page("One", PROSE, date="Feb 30"))


def test_bad_bytes_reject_their_entry_only() -> None:
    data = page("One", PROSE, "Two", PROSE).replace(b"Two", b"T\xffo").replace(b"\n", b"\r\n")
    one, two = read(data)
    assert isinstance(one, FoundPaper)
    assert two == Rejected(2, "the entry is not UTF-8")


def test_the_five_saved_pages_hold_402_entries_and_322_papers(data: Path) -> None:
    pages = sorted((data / "hf-daily-papers").glob("*.txt"))
    found = [one for file in pages for one in read_papers(file, today=TODAY)]
    papers = [one for one in found if isinstance(one, FoundPaper)]
    assert len(papers) == len(found) == 402
    assert len({identity(paper) for paper in papers}) == 322
    assert {paper.announced.strftime("%m-%d") for paper in papers} == {"03-12", "03-13", "03-14"}
    assert all(len(paper.title) < 150 < 1_000 < len(paper.abstract) for paper in papers)
