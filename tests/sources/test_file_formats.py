import gzip
import io
import zlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from source_documents import (
    API_ATOM,
    DAILY_ATOM,
    ENTITY_BOMB,
    oai_arxiv,
    oai_record,
    oai_records,
    rss,
    rss_item,
)

from paperpost.sources import gzipped
from paperpost.sources.errors import SourceError, UnreadableFile
from paperpost.sources.formats import read_papers
from paperpost.sources.found import FoundPaper, Rejected

TODAY = date(2026, 6, 1)
LINE = b'{"id": "2604.00001", "announced": "2026-04-01", "title": "Invented"}\n'
PAGE = b"new\n\nGet trending papers in your email inbox!\n\nMar 13\n\nOne\n\nAbout one.\n"
OAI = oai_records([oai_record(oai_arxiv())])


def read(data: bytes) -> list[FoundPaper | Rejected]:
    return list(read_papers(io.BytesIO(data), today=TODAY))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("data", [LINE, rss(rss_item()), DAILY_ATOM, API_ATOM, OAI, PAGE])
def test_the_format_is_told_by_content_and_not_by_name(
    tmp_path: Path, data: bytes, packed: bool
) -> None:
    file = tmp_path / "misleading.csv"
    file.write_bytes(gzip.compress(data) if packed else data)
    (paper,) = read_papers(file, today=TODAY)
    assert isinstance(paper, FoundPaper)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (gzip.compress(LINE, mtime=0)[:5], "gzip data ends"),
        (gzip.compress(gzip.compress(LINE, mtime=0), mtime=0), "neither"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "HTML with the root <html>"),
        (b'[{"id": "2604.00001"}]', "a JSON array, not JSON lines"),
        (b"id,title\n1,One\n", "neither"),
        (b"%PDF-1.7\n\x00\xff", "neither"),
        ("﻿{}".encode("utf-16"), "UTF-16"),
        (b'<?xml version="1.0" encoding="klingon"?><rss/>', "encoding"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read(data)


def test_a_file_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        list(read_papers(tmp_path / "missing.jsonl", today=TODAY))
    with pytest.raises(UnreadableFile, match="Is a directory"):
        list(read_papers(tmp_path, today=TODAY))


def test_a_given_stream_stays_open() -> None:
    stream = io.BytesIO(LINE)
    assert len(list(read_papers(stream, today=TODAY))) == 1
    assert not stream.closed


def test_a_cut_off_gzip_file_gives_what_was_readable_and_says_so() -> None:
    lines = b"".join(LINE.replace(b"00001", b"%05d" % number) for number in range(1, 20_000))
    packed = gzip.compress(lines)
    *records, last = read(packed[: len(packed) // 2])
    papers = [record for record in records if isinstance(record, FoundPaper)]
    assert 9_000 < len(papers) < 11_000
    assert isinstance(last, Rejected)
    assert (last.reason, last.damage) == ("the gzip data ends in the middle", True)


def test_a_gzip_file_with_a_wrong_checksum_is_told() -> None:
    packed = bytearray(gzip.compress(LINE))
    packed[-6] ^= 1
    paper, last = read(bytes(packed))
    assert isinstance(paper, FoundPaper)
    assert last == Rejected(2, "the gzip data is broken", damage=True)


def test_a_gzip_bomb_is_refused_long_before_it_is_unpacked() -> None:
    packer = zlib.compressobj(wbits=31)
    zeros = bytes(1024 * 1024)
    packed = packer.compress(LINE) + b"".join(packer.compress(zeros) for _ in range(200))
    bomb = packed + packer.flush()
    assert len(bomb) * gzipped.RATIO_LIMIT < 200 * len(zeros)
    with pytest.raises(UnreadableFile, match="200 times its size"):
        read(bomb)


DOCUMENTS = [LINE * 3, rss(rss_item(), rss_item(2)), DAILY_ATOM, API_ATOM, OAI, PAGE, ENTITY_BOMB]


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", *DOCUMENTS]),
    st.integers(0, 5_000),
    st.booleans(),
)
@example(b"<rss><channel><item>", b"", 0, False)
@example(b"<" * 200, b"", 0, False)
def test_any_bytes_are_read_or_refused_by_a_source_error(
    noise: bytes, document: bytes, place: int, packed: bool
) -> None:
    place %= len(document) + 1
    data = document[:place] + noise + document[place + len(noise) :]
    try:
        records = read(gzip.compress(data)[: place + 20] if packed else data)
    except SourceError:
        return
    assert all(isinstance(record, FoundPaper | Rejected) for record in records)


def test_the_45_real_days_hold_13800_papers_and_nothing_is_rejected(data: Path) -> None:
    days = sorted((data / "arxiv").glob("*.gz"))
    records = [one for file in days for one in read_papers(file, today=TODAY)]
    papers = [record for record in records if isinstance(record, FoundPaper)]
    assert len(papers) == len(records) == 13_800
    assert len({paper.id for paper in papers}) == 13_800
