import io
import json
from datetime import date

import pytest

from paperpost.sources import jsonlines
from paperpost.sources.formats import read_papers
from paperpost.sources.found import FoundPaper, Rejected

TODAY = date(2026, 4, 10)


def line(number: int = 1, **fields: object) -> bytes:
    record = {"id": f"2604.{number:05}", "announced": "2026-04-01", "title": f"Paper {number}"}
    return json.dumps({**record, **fields}).encode() + b"\n"


def read(data: bytes) -> list[FoundPaper | Rejected]:
    return list(read_papers(io.BytesIO(data), today=TODAY))


def rejections(data: bytes) -> dict[int, str]:
    return {one.record: one.reason for one in read(data) if isinstance(one, Rejected)}


def test_id_date_and_title_are_enough_and_unknown_fields_are_ignored() -> None:
    (paper,) = read(line(surprise={"deep": []}, kind="replace", source="evil", version=9))
    assert isinstance(paper, FoundPaper)
    assert (paper.id, paper.title, paper.abstract, paper.authors) == (
        "2604.00001",
        "Paper 1",
        "",
        (),
    )
    assert (paper.source, paper.kind, paper.version) == ("import", "new", None)


def test_a_bad_line_is_rejected_by_its_number_while_the_rest_goes_in() -> None:
    data = (
        b"not json at all\n"
        + line(1)
        + b"\n   \r\n"
        + b'{"id": "2604.00002", "announced": "2026-04-01"}\n'
        + line(3).replace(b"Paper", b"Pa\xffper")
        + b"[1, 2]\n"
        + line(4, announced="2026-13-01")
        + line(5).replace(b"\n", b"\r\n")
    )
    records = read(data)
    assert [one.id for one in records if isinstance(one, FoundPaper)] == [
        "2604.00001",
        "2604.00005",
    ]
    assert rejections(data) == {
        1: "the line is not JSON",
        5: "title is missing or empty",
        6: "the line is not UTF-8",
        7: "the line is not a JSON object",
        8: "announced is not a date: '2026-13-01'",
    }


def test_a_line_cut_off_by_the_end_of_the_file_is_told_so() -> None:
    assert rejections(line(1) + line(2)[:30]) == {2: "the file ends in the middle of this line"}


def test_a_missing_last_line_end_is_no_fault() -> None:
    assert len(read(line(1) + line(2).strip())) == 2
    assert not rejections(line(1) + line(2).strip())


def test_a_byte_order_mark_is_no_fault() -> None:
    assert not rejections(b"\xef\xbb\xbf" + line(1))


@pytest.mark.parametrize(
    "hostile", [b'{"id": ' + b"[" * 200_000, b'{"id": 1' + b"0" * 9_999 + b"}"]
)
def test_a_line_made_to_break_the_parser_is_rejected(hostile: bytes) -> None:
    assert list(rejections(hostile + b"\n" + line(2))) == [1]


def test_an_endless_line_is_rejected_and_the_next_one_read() -> None:
    endless = b'{"title": "' + b"x" * (2 * jsonlines.LINE_LIMIT) + b'"}\n'
    records = read(endless + line(2))
    assert isinstance(records[0], Rejected)
    assert isinstance(records[1], FoundPaper)
    assert records[0] == Rejected(1, "the line is longer than 4,194,304 bytes")


def test_a_lone_surrogate_does_not_come_through() -> None:
    (paper,) = read(line(title="bad \ud800 title"))
    assert isinstance(paper, FoundPaper)
    assert paper.title == "bad title"
