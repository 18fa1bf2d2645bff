import gzip
import json
from datetime import date
from pathlib import Path

import pytest
from small_data import PAPERS, READERS, TERMS, small_library, write_citeulike, write_stream

from paperpost.evaluation.datasets import (
    DatasetError,
    read_announced,
    read_library,
    read_published_split,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "citeulike"
    here.mkdir()
    return write_citeulike(here, small_library())


def test_a_library_is_read_as_it_was_written(folder: Path) -> None:
    read, written = read_library(folder), small_library()
    assert read.terms == TERMS
    assert read.counts.shape == (PAPERS, len(TERMS))
    for name in ("counts", "likes"):
        one, other = getattr(read, name), getattr(written, name)
        assert (one != other).nnz == 0


def test_a_published_split_has_training_and_test_likes(folder: Path) -> None:
    training, test = read_published_split(folder, 1, PAPERS)
    assert training.shape == test.shape == (READERS, PAPERS)
    assert training.data.size == READERS
    assert test.data.size == READERS * 39


@pytest.mark.parametrize(
    ("name", "line", "problem"),
    [
        ("users.dat", "2 1", "line 1: 1 entries, where the line announces 2"),
        ("users.dat", "1 160", "line 1: '160' is not a number below 160"),
        ("users.dat", "1 -1", "line 1: '-1' is not a number below 160"),
        ("users.dat", "1 ²", "line 1: '²' is not a number below 160"),
        ("users.dat", "", "line 1: '' is not a number below"),
        ("mult.dat", "1 7", "line 1: '7' is not word:count"),
        ("mult.dat", "1 20:1", "line 1: '20' is not a number below 20"),
        ("mult.dat", "1 7:many", "line 1: 'many' is not a number below"),
    ],
)
def test_a_broken_line_is_named(folder: Path, name: str, line: str, problem: str) -> None:
    (folder / f"{name}.gz").unlink()
    (folder / name).write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(DatasetError) as raised:
        read_library(folder)
    assert str(raised.value).startswith(f"{folder / name}: {problem}")


def test_a_file_that_is_missing_cut_or_no_text_is_named(folder: Path) -> None:
    users = folder / "users.dat.gz"
    whole = users.read_bytes()
    users.write_bytes(whole[:-20])
    with pytest.raises(DatasetError, match=r"users\.dat\.gz: the gzip data ends in the middle"):
        read_library(folder)
    users.write_bytes(gzip.compress(b"1 \xff\n"))
    with pytest.raises(DatasetError, match="line 1: not UTF-8"):
        read_library(folder)
    users.unlink()
    with pytest.raises(DatasetError, match=r"users\.dat: there is no such file"):
        read_library(folder)
    (folder / "vocabulary.dat").write_text("")
    with pytest.raises(DatasetError, match="there is no word in it"):
        read_library(folder)


def test_files_of_a_split_must_have_the_same_readers(folder: Path) -> None:
    (folder / "cf-test-1-users.dat").write_text("1 3\n")
    with pytest.raises(DatasetError, match="1 readers, where the training file has 24"):
        read_published_split(folder, 1, PAPERS)


def test_announced_papers_come_by_day_and_rankers_see_no_categories(tmp_path: Path) -> None:
    days = read_announced(write_stream(tmp_path))
    assert [day.day for day in days][:5] == [date(2026, 4, d) for d in (27, 28, 29, 30)] + [
        date(2026, 5, 4)
    ]
    assert {len(day.papers) for day in days} == {30}
    assert not any(paper.categories for day in days for paper in day.papers)
    assert any("cs.RO" in categories for day in days for categories in day.categories)


def test_a_paper_stands_under_the_first_day_it_is_found(tmp_path: Path) -> None:
    record = {"id": "2604.00001", "title": "Once", "abstract": ""}
    for day in ("2026-04-01", "2026-04-02"):
        line = json.dumps(record | {"announced": day})
        (tmp_path / f"{day}.jsonl").write_text(line)
    (only,) = read_announced(tmp_path)
    assert only.day == date(2026, 4, 1)


def test_a_folder_without_papers_and_a_line_that_is_none_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no \.jsonl or \.jsonl\.gz files"):
        read_announced(tmp_path)
    (tmp_path / "day.jsonl").write_text('{"id": "2604.00001", "title": "No day"}\n')
    with pytest.raises(DatasetError, match="record 1: announced is missing"):
        read_announced(tmp_path)
