"""Dates at the ends of time, and what is none: one record's trouble, never that of a batch."""

import io
from datetime import date

import pytest
from asking import NOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from source_documents import (
    DAILY_ATOM,
    oai_arxiv,
    oai_arxiv_raw,
    oai_record,
    oai_records,
    rss,
    rss_item,
)
from speaks_openalex import work
from speaks_pubmed import HEAD, article

from paperpost.sources.daily_papers_api import papers_of
from paperpost.sources.feeds import read_feed
from paperpost.sources.formats import read_papers
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.libraries.formats import read_library
from paperpost.sources.oai import Listed, read_list
from paperpost.sources.openalex_works import read_work
from paperpost.sources.politeness import retry_after
from paperpost.sources.pubmed_articles import read_articles

TODAY = date(2026, 9, 1)

ENDS = (
    "0000-00-00",
    "0001-01-01",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-30",
    "9999-12-31",
    "9999-12-31T23:59:59-05:00",
    "99999-01-01",
    "-0001-01-01T00:00:00Z",
    "2026-13-01",
    "2026-02-30T25:61:61Z",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Mon, 01 Jan 0001 00:00:00 +1400",
    "Fri, 31 Dec 9999 23:59:59 -0500",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Thu, 00 Jan 0000 00:00:00 GMT",
    "Wed, 01 Apr 2026 00:00:00 +9999",
    "01 Apr 99999999999999999999 00:00 -0000",
    "9" * 5_000,
)
# Dates and times of any year, well written and nearly so, and texts of their letters.
dates = st.one_of(
    st.sampled_from(ENDS),
    st.datetimes(timezones=st.timezones()).map(lambda one: one.isoformat()),
    st.datetimes().map(lambda one: f"{one:%a, %d %b} {one.year:04} {one:%H:%M:%S} +1400"),
    st.text("0123456789-+:., TZJanDecMonGMT", max_size=40),
)
# Reading a first document takes a while, and machines are shared.
patient = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def read(data: bytes) -> list[FoundPaper | Rejected]:
    return list(read_papers(io.BytesIO(data), today=TODAY))


def ids(records: list[FoundPaper | Rejected]) -> list[str | None]:
    return [one.id for one in records if isinstance(one, FoundPaper)]


def item(number: int, day: str) -> str:
    return rss_item(number).replace("Wed, 01 Apr 2026 00:00:00 -0400", day)


@pytest.mark.parametrize("day", ENDS)
def test_an_item_of_a_feed_with_such_a_date_loses_no_other(day: str) -> None:
    assert ids(read(rss(item(1, day), rss_item(2))))[-1] == "2604.00002"


@pytest.mark.parametrize("day", ENDS)
def test_an_entry_with_such_a_date_is_read_or_rejected(day: str) -> None:
    (only,) = read(DAILY_ATOM.replace(b"2026-04-01T00:00:00-04:00", day.encode()))
    assert isinstance(only, FoundPaper | Rejected)


@pytest.mark.parametrize("day", ENDS)
def test_a_record_of_oai_pmh_with_such_a_date_loses_no_other(day: str) -> None:
    metadata = [oai_arxiv(created=day), oai_arxiv(updated=day), oai_arxiv_raw(day)]
    metadata.append(oai_arxiv_raw("Wed, 01 Apr 2026 10:00:00 GMT", day))
    bad = [oai_record(one) for one in metadata] + [oai_record(oai_arxiv(), datestamp=day)]
    records = read(oai_records([*bad, oai_record(oai_arxiv(number=2))]))
    assert len(records) == len(bad) + 1
    assert ids(records)[-1] == "2604.00002"


def test_days_at_the_end_of_time_are_told_as_such() -> None:
    bad = oai_record(oai_arxiv(created="9999-12-30"), datestamp="9999-12-31")
    assert read(oai_records([bad])) == [Rejected(1, "a date of the record is at the end of time")]


def test_a_datestamp_that_has_not_come_is_no_place_to_go_on_from() -> None:
    """A harvest that breaks off begins again at the newest datestamp."""
    told = oai_records([oai_record(oai_arxiv(), datestamp="9999-12-30")])
    first = next(read_list(io.BytesIO(told), today=TODAY))
    assert isinstance(first, Listed)
    assert first.datestamp == date(2026, 9, 2)


@patient
@given(dates)
def test_any_date_of_a_feed_is_read_or_left(day: str) -> None:
    data = rss(item(1, day), rss_item(2))
    assert ids(list(read_feed(data, today=TODAY, undated=TODAY)))[-1] == "2604.00002"


@patient
@given(dates, dates)
def test_any_dates_of_oai_pmh_are_read_or_rejected(day: str, datestamp: str) -> None:
    bad = [oai_arxiv(created=day), oai_arxiv(updated=day), oai_arxiv_raw(day, datestamp)]
    records = read(oai_records([oai_record(one, datestamp=datestamp) for one in bad]))
    assert len(records) == len(bad)


@patient
@given(dates)
def test_any_date_of_an_api_is_read_or_rejected(day: str) -> None:
    read_work(1, work(1, TODAY, publication_date=day), TODAY)
    row = {"paper": {"id": "2604.00001", "title": "A study", "submittedOnDailyAt": day}}
    assert len(list(papers_of([row], today=TODAY))) == 1


@patient
@given(dates)
def test_any_date_of_a_library_is_read_or_left(day: str) -> None:
    kept = f"@article{{a, title = {{A study of things}}, timestamp = {{{day}}}}}"
    assert len(list(read_library(kept.encode()))) == 1


@pytest.mark.parametrize("year", ["0", "-1", "10000", "9" * 30, "9" * 5_000, "MMXXVI"])
def test_a_year_that_is_none_does_not_lose_an_article_of_pubmed(year: str) -> None:
    told = article(40000001, TODAY).replace(f"<Year>{TODAY.year}</Year>", f"<Year>{year}</Year>")
    document = f"{HEAD}<PubmedArticleSet>{told}</PubmedArticleSet>".encode()
    (only,) = [one.record for one in read_articles(document, entered=TODAY, today=TODAY)]
    assert isinstance(only, FoundPaper)
    assert only.announced == TODAY


@pytest.mark.parametrize("day", ENDS)
def test_such_a_date_in_a_header_closes_no_host_for_ever(day: str) -> None:
    seconds = retry_after(day, NOW)
    assert seconds is None or 0 <= seconds <= 86_400
