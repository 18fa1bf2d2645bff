import io
from datetime import date

import pytest
from source_documents import (
    DELETED,
    OAI_DUBLIN_CORE,
    oai,
    oai_arxiv,
    oai_arxiv_raw,
    oai_record,
    oai_records,
)

from paperpost.sources.errors import FeedError, UnreadableFile
from paperpost.sources.formats import read_papers
from paperpost.sources.found import FoundPaper, Rejected

TODAY = date(2026, 9, 1)


def read(data: bytes) -> list[FoundPaper | Rejected]:
    return list(read_papers(io.BytesIO(data), today=TODAY))


def paper(metadata: str, datestamp: str = "2026-04-02") -> FoundPaper:
    (only,) = read(oai_records([oai_record(metadata, datestamp=datestamp)]))
    assert isinstance(only, FoundPaper)
    return only


def test_a_record_in_arxivs_format_becomes_a_paper() -> None:
    assert paper(oai_arxiv()) == FoundPaper(
        id="2604.00001",
        title="Invented paper 1",
        abstract="About it, with p<0.05.",
        announced=date(2026, 4, 2),
        authors=("Ada Lovelace", "Sammy Davis Jr"),
        categories=("cs.AI", "hep-ph"),
        comment="3 pages",
        version=None,
        doi="10.1000/xyz",
        url="https://arxiv.org/abs/2604.00001",
        source="arxiv",
    )


@pytest.mark.parametrize(
    ("created", "updated", "datestamp", "announced"),
    [
        ("2026-03-31", None, "2026-04-02", date(2026, 4, 2)),
        ("2026-03-26", None, "2026-04-02", date(2026, 4, 2)),
        ("2026-03-25", None, "2026-04-02", date(2026, 3, 25)),
        ("2026-04-03", None, "2026-04-02", date(2026, 4, 3)),
        ("2026-03-31", "2026-04-01", "2026-04-02", date(2026, 3, 31)),
    ],
)
def test_one_version_counts_from_a_datestamp_within_a_week_and_more_from_the_first(
    created: str, updated: str | None, datestamp: str, announced: date
) -> None:
    assert paper(oai_arxiv(1, created, updated), datestamp).announced == announced


def test_the_raw_format_tells_versions_and_authors_in_one_line() -> None:
    first = paper(oai_arxiv_raw("Tue, 31 Mar 2026 19:18:42 GMT"))
    assert (first.version, first.announced) == (1, date(2026, 4, 2))
    assert first.authors == ("Ada Lovelace", "Alan Turing", "Grace Hopper, Jr")
    second = paper(oai_arxiv_raw("Tue, 31 Mar 2026 19:18:42 GMT", "Thu, 2 Apr 2026 01:00:00 GMT"))
    assert (second.version, second.announced) == (2, date(2026, 4, 2))


@pytest.mark.parametrize(
    ("submitted", "datestamp", "announced"),
    [
        ("Tue, 31 Mar 2026 17:59:00 GMT", "2026-04-01", date(2026, 4, 1)),
        # In summer a record may be changed before midnight UTC, on the day before its feed.
        ("Tue, 31 Mar 2026 19:18:42 GMT", "2026-04-01", date(2026, 4, 2)),
        ("Mon, 30 Mar 2026 14:00:00 GMT", "2026-04-06", date(2026, 4, 6)),  # held back
        ("Mon, 30 Mar 2026 14:00:00 GMT", "2026-04-08", date(2026, 3, 31)),  # changed later
        ("Fri, 10 Apr 2026 14:00:00 GMT", "2026-04-11", date(2026, 4, 11)),  # a Saturday
    ],
)
def test_in_the_raw_format_the_time_of_submission_tells_the_first_possible_day(
    submitted: str, datestamp: str, announced: date
) -> None:
    assert paper(oai_arxiv_raw(submitted), datestamp).announced == announced


def test_a_record_without_versions_is_rejected_in_the_raw_format() -> None:
    (rejected,) = read(oai_records([oai_record(oai_arxiv_raw())]))
    assert rejected == Rejected(1, "the record has no version")


def test_dublin_core_is_read_with_its_sets_as_categories() -> None:
    found = paper(OAI_DUBLIN_CORE, "2026-07-24")
    assert (found.id, found.doi, found.announced) == (
        "2604.00001",
        "10.1000/xyz",
        date(2026, 3, 31),
    )
    assert found.authors == ("Ada Lovelace", "Alan Turing")
    assert found.categories == ("cs.AI", "hep-ph")
    assert (found.abstract, found.comment) == ("About it.", "3 pages")


def test_deleted_and_broken_records_are_rejected_while_the_rest_goes_in() -> None:
    nameless = oai_record(oai_arxiv(2).replace("<id>2604.00002</id>", ""))
    undated = oai_record(oai_arxiv(3, created="yesterday"))
    empty = "<record><header><identifier>x</identifier></header></record>"
    *rejected, last = read(
        oai_records([DELETED, nameless, undated, empty, oai_record(oai_arxiv(5))])
    )
    assert rejected == [
        Rejected(1, "deleted record"),
        Rejected(2, "id is no arXiv id, doi: or pmid: ''"),
        Rejected(3, "the record's date is not a date: 'yesterday'"),
        Rejected(4, "the record has no metadata in a known format"),
    ]
    assert isinstance(last, FoundPaper)


def test_no_matching_records_is_an_empty_answer_and_other_errors_are_errors() -> None:
    assert read(oai('<error code="noRecordsMatch">nothing new</error>')) == []
    with pytest.raises(FeedError, match="badResumptionToken: it expired"):
        read(oai('<error code="badResumptionToken">it expired</error>'))


def test_half_an_answer_gives_its_whole_records_and_says_that_it_is_cut() -> None:
    page = oai_records(oai_record(oai_arxiv(number)) for number in range(1, 900))
    *papers, last = read(page[: len(page) // 2])
    assert 440 < len(papers) < 450
    assert all(isinstance(one, FoundPaper) for one in papers)
    assert isinstance(last, Rejected)
    assert (last.record, last.damage) == (len(papers) + 1, True)


def test_entities_are_refused() -> None:
    declared = b'<?xml version="1.0"?><!DOCTYPE OAI-PMH [<!ENTITY a "b">]><OAI-PMH>&a;</OAI-PMH>'
    with pytest.raises(UnreadableFile, match="declares entities"):
        read(declared)
