"""Papers in: from files, and by asking over HTTP."""

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path

from invented import Clock

from paperpost.service import ingest
from paperpost.service.installation import Installation
from paperpost.store import papers

DAY = date(2026, 4, 14)


def stored(installation: Installation) -> int:
    with installation.database.reading() as session:
        return papers.count(session)


def test_every_real_file_goes_in_once(any_installation: Installation, data: Path) -> None:
    files = sorted((data / "arxiv").glob("2026-04-0[1-3].jsonl.gz"))
    first = ingest.import_files(any_installation, files)
    assert (first.added, first.updated, first.skipped, first.rejected) == (782, 0, 0, [])
    again = ingest.import_files(any_installation, files)
    assert (again.added, again.updated, again.skipped) == (0, 0, 782)


def test_the_pages_of_daily_papers_hold_322_papers(
    any_installation: Installation, data: Path
) -> None:
    pages = sorted((data / "hf-daily-papers").glob("*.txt"))
    result = ingest.import_files(any_installation, pages)
    assert (result.added, result.readable, result.rejected) == (322, 402, [])
    assert stored(any_installation) == 322


def test_a_page_and_a_file_about_one_paper_make_one_row(
    any_installation: Installation, tmp_path: Path
) -> None:
    page = tmp_path / "page.txt"
    page.write_text(
        "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\n"
        "byAK and the research community\n\nApr 3\n\n"
        "A Title in One Spelling: Part 1\n\nIts abstract, as the page has it.\n",
        encoding="utf-8",
    )
    line = {
        "id": "2604.00001v2",
        "announced": "2026-04-02",
        "title": "A title in one spelling - part 1",
        "abstract": "Its abstract, as arXiv has it.",
    }
    file = tmp_path / "papers"  # told by content, not by name
    file.write_bytes(gzip.compress((json.dumps(line) + "\n").encode()))
    assert ingest.import_files(any_installation, [page]).added == 1
    assert ingest.import_files(any_installation, [file]).updated == 1
    with any_installation.database.reading() as session:
        (paper,) = papers.announced(session, date.min, date.max)
    assert (paper.id, paper.announced) == ("2604.00001", date(2026, 4, 2))
    assert paper.abstract == "Its abstract, as arXiv has it."


def test_a_date_without_a_year_is_the_latest_one_not_after_the_import(
    installation: Installation, clock: Clock, tmp_path: Path
) -> None:
    page = tmp_path / "page.txt"
    page.write_text(
        "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\n"
        "byAK and the research community\n\nDec 3\n\nA Title\n\nAn abstract.\n",
        encoding="utf-8",
    )
    clock.now = datetime(2026, 4, 7, tzinfo=UTC)
    ingest.import_files(installation, [page])
    with installation.database.reading() as session:
        assert papers.newest_day(session) == date(2025, 12, 3)
