"""Papers in, from files and from whatever a source found."""

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from invented import Clock

from paperpost.service import ingest
from paperpost.service.installation import Installation
from paperpost.sources.found import checked, title_key
from paperpost.sources.identifiers import page_of
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


@pytest.mark.parametrize(
    ("told", "name", "also"),
    [
        ({"id": "pmid:7", "doi": "10.1000/A"}, "doi:10.1000/a", ("pmid:7",)),
        ({"id": "doi:10.1000/a", "also": ["arXiv:2604.00001v3", "PMC5"]},
         "2604.00001", ("doi:10.1000/a", "pmcid:PMC5")),
        ({"id": "2604.00001", "doi": "10.48550/arXiv.2604.00001"}, "2604.00001", ()),
        ({"id": "2604.00001", "also": ["2604.00002"]}, "2604.00001", ()),
        ({"also": ["PMC5"]}, title_key("A title that tells"), ("pmcid:PMC5",)),
    ],
)  # fmt: skip
def test_a_paper_is_taken_in_under_the_best_of_its_names(
    told: dict[str, object], name: str, also: tuple[str, ...]
) -> None:
    fields = {"title": "A title that tells", "announced": "2026-04-01", **told}
    (record,) = ingest.records_of([checked(fields, source="test", today=DAY)])
    assert (record.name, record.also) == (name, also)
    assert record.url == page_of(name)
    assert record.title_keys == (title_key("A title that tells"),)


def test_a_replacement_tells_when_it_was_revised_and_is_no_news() -> None:
    fields = {"title": "On it", "announced": "2026-04-01", "id": "2604.00001v2"}
    new, replaced = ingest.records_of(
        checked(fields | {"kind": kind}, source="test", today=DAY) for kind in ("new", "replace")
    )
    assert (new.revised, new.only_if_known) == (None, False)
    assert (replaced.revised, replaced.only_if_known) == (date(2026, 4, 1), True)
    assert new.title_keys == ()
