"""`feed:`: any RSS, Atom or RDF feed, of publishers with habits of their own."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import traps
from asked_by_days import AskedByDays
from hurried_client import hurried_client
from invented import Clock, with_settings
from source_documents import rss as arxiv_rss
from source_documents import rss_item
from speaks_feeds import ADDRESS, Journal, entry, rss
from web_on_loopback import WebOnLoopback

from paperpost.service.fetch import fetch
from paperpost.service.installation import Installation
from paperpost.settings import load_settings
from paperpost.sources import catalogue
from paperpost.sources.errors import UnknownSource, UnreadableFile
from paperpost.sources.feeds import read_feed
from paperpost.sources.found import FoundPaper, Rejected
from paperpost.sources.source import DayReport, DayState
from paperpost.store import papers

DAY = timedelta(days=1)
FRIDAY = date(2026, 4, 10)
THEN = "Wed, 01 Apr 2026 08:00:00 GMT"
SPEC = f"feed:{ADDRESS}"


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def web(journal: Journal) -> Iterator[WebOnLoopback]:
    with WebOnLoopback(journal) as running:
        yield running


@pytest.fixture
def asked(web: WebOnLoopback) -> Iterator[AskedByDays]:
    with hurried_client(web) as client:
        yield AskedByDays(client, SPEC)


def names(found: object) -> list[str | None]:
    assert isinstance(found, list)
    return [paper.id for paper in found]


def read(body: bytes) -> list[FoundPaper | Rejected]:
    return list(read_feed(body, today=FRIDAY, undated=FRIDAY))


def test_the_first_time_old_entries_are_no_news_and_undated_ones_are(
    journal: Journal, asked: AskedByDays
) -> None:
    journal.entries = [entry(1), entry(2, THEN), entry(3, "Fri, 10 Apr 2026 06:00:00 GMT")]
    found = asked.on(FRIDAY)
    assert [paper.announced for paper in found] == [FRIDAY, date(2026, 4, 1), FRIDAY]
    assert found[0].abstract == "What article 1 is about."
    assert asked.told(FRIDAY) == ("complete", "the feed had 3 papers, 2 of them new today")
    assert asked.days[FRIDAY].papers == 2


def test_an_entry_counts_for_the_day_on_which_it_was_first_seen(
    journal: Journal, asked: AskedByDays
) -> None:
    journal.entries = [entry(1), entry(2, THEN)]
    asked.on(FRIDAY)
    journal.entries = [entry(3), entry(4, "Thu, 09 Apr 2026 08:00:00 GMT"), *journal.entries]
    found = asked.on(FRIDAY + 3 * DAY)
    assert names(found) == ["doi:10.1000/article.3", "doi:10.1000/article.4"]
    assert {paper.announced for paper in found} == {FRIDAY + 3 * DAY}


def test_what_is_brought_out_again_after_years_is_no_news(
    journal: Journal, asked: AskedByDays
) -> None:
    journal.entries = [entry(1, THEN)]
    asked.on(FRIDAY)
    journal.entries += [entry(2, "Tue, 01 Apr 2014 08:00:00 GMT")]
    assert [paper.announced for paper in asked.on(FRIDAY + DAY)] == [date(2014, 4, 1)]
    assert asked.told(FRIDAY + DAY)[1] == "the feed had 2 papers, none of them new today"


def test_the_date_of_an_issue_that_has_not_come_counts_as_none(
    journal: Journal, asked: AskedByDays
) -> None:
    journal.entries = [entry(1, "Tue, 01 Sep 2026 00:00:00 GMT")]
    assert [paper.announced for paper in asked.on(FRIDAY)] == [FRIDAY]
    assert asked.on(FRIDAY + DAY) == []


def test_papers_of_one_day_are_counted_together(journal: Journal, asked: AskedByDays) -> None:
    journal.entries = [entry(1), entry(2)]
    asked.on(FRIDAY, hour=8)
    journal.entries = [entry(3), *journal.entries]
    assert names(asked.on(FRIDAY, hour=9)) == ["doi:10.1000/article.3"]
    assert asked.told(FRIDAY) == ("complete", "the feed had 3 papers, 3 of them new today")


def test_a_feed_that_has_not_changed_is_not_sent_again(
    journal: Journal, web: WebOnLoopback, asked: AskedByDays
) -> None:
    journal.entries = [entry(1)]
    asked.on(FRIDAY)
    assert asked.on(FRIDAY + DAY) == []
    assert asked.told(FRIDAY + DAY) == (
        "complete",
        "the feed has not changed since it was last read",
    )
    assert web.asked[-1].headers["If-None-Match"]
    assert asked.days[FRIDAY].papers == 1


def test_a_feed_that_was_silent_for_weeks_is_still_known(
    journal: Journal, asked: AskedByDays
) -> None:
    journal.entries = [entry(1)]
    for n in range(30):
        asked.on(FRIDAY + n * DAY)
    journal.entries = [entry(2), entry(1)]
    found = asked.on(FRIDAY + 30 * DAY)
    assert [(one.id, one.announced) for one in found] == [
        ("doi:10.1000/article.2", FRIDAY + 30 * DAY)
    ]


def test_a_feed_without_entries_has_none(journal: Journal, asked: AskedByDays) -> None:
    assert asked.on(FRIDAY) == []
    assert asked.told(FRIDAY) == ("complete", "the feed had no papers")


def test_a_missed_day_is_complete_if_nothing_has_dropped_out(
    journal: Journal, asked: AskedByDays
) -> None:
    journal.entries = [entry(1)]
    asked.on(FRIDAY)
    journal.entries = [entry(2), entry(1)]
    asked.on(FRIDAY + 2 * DAY)
    assert asked.told(FRIDAY + DAY) == (
        "complete",
        "the feed still showed papers that it had before, so none was missed",
    )


@pytest.mark.parametrize("unchanged", [False, True])
def test_papers_that_were_dropped_are_told_of_and_expected_no_more_the_day_after(
    journal: Journal, asked: AskedByDays, unchanged: bool
) -> None:
    journal.entries = [entry(1)]
    asked.on(FRIDAY)
    journal.entries = [entry(9)]
    missed = FRIDAY + DAY
    partial = ("partial", "the feed was not read in time, and may have dropped some papers")
    for hour in (8, 14):  # the second time it has not changed
        asked.on(missed + DAY, hour)
        assert asked.told(missed) == partial
    if not unchanged:
        journal.entries = [entry(10), entry(9)]
    asked.on(missed + 2 * DAY)
    assert asked.told(missed) == (
        "complete",
        "the feed was not read in time, and what it may have dropped cannot come any more",
    )


def test_a_feed_that_was_broken_before_it_was_ever_read_keeps_nothing_open(
    journal: Journal, web: WebOnLoopback, asked: AskedByDays
) -> None:
    journal.entries = [entry(1)]
    asked.days[FRIDAY] = DayReport(FRIDAY, DayState.BROKEN, "no answer")
    asked.on(FRIDAY + DAY)
    assert asked.days[FRIDAY].state is DayState.PARTIAL
    asked.on(FRIDAY + 2 * DAY)
    assert asked.days[FRIDAY].state is DayState.COMPLETE


def test_half_a_feed_gives_what_is_whole_and_is_asked_for_again(
    journal: Journal, web: WebOnLoopback, asked: AskedByDays
) -> None:
    journal.entries = [entry(number) for number in range(8)]
    web.spring(traps.half_a_page)
    assert 2 <= len(asked.on(FRIDAY, hour=8)) <= 5
    assert asked.rejected[-1].damage
    state, evidence = asked.told(FRIDAY)
    assert (state, evidence[:25]) == ("partial", "the feed broke off after ")
    asked.on(FRIDAY, hour=9)
    assert asked.told(FRIDAY) == ("complete", "the feed had 8 papers, 8 of them new today")


def test_arxivs_own_feed_keeps_its_exact_days_and_its_new_versions() -> None:
    address = "https://rss.arxiv.org/rss/cs.AI"
    arxiv = Journal(hosts=("rss.arxiv.org",), address=address)
    with WebOnLoopback(arxiv) as web, hurried_client(web) as client:
        asked = AskedByDays(client, f"feed:{address}")
        arxiv.body = arxiv_rss(rss_item(1), rss_item(2))
        asked.on(date(2026, 4, 1))
        arxiv.body = arxiv_rss(rss_item(1, version=2, kind="replace"), rss_item(3))
        found = asked.on(date(2026, 4, 2))
    assert [(one.id, one.kind, one.announced) for one in found] == [
        ("2604.00001", "replace", date(2026, 4, 1)),
        ("2604.00003", "new", date(2026, 4, 1)),
    ]
    assert {one.source for one in found} == {"arxiv"}


def test_what_another_feed_tells_of_arxivs_papers_is_second_hand(
    journal: Journal, asked: AskedByDays
) -> None:
    journal.body = arxiv_rss(rss_item(1, kind="replace", version=3), rss_item(2, version=2))
    (found,) = asked.on(date(2026, 4, 1))
    assert (found.id, found.kind, found.version) == ("2604.00002", "new", None)
    assert found.source == SPEC


@pytest.mark.parametrize(
    "host", ["notarxiv.org", "arxiv.org.example", "rss.arxiv.org.evil.example"]
)
def test_a_feed_that_is_only_called_like_arxiv_is_second_hand(host: str) -> None:
    fake = Journal(hosts=(host,), address=f"https://{host}/rss", body=arxiv_rss(rss_item(1)))
    with WebOnLoopback(fake) as web, hurried_client(web) as client:
        (found,) = AskedByDays(client, f"feed:{fake.address}").on(date(2026, 4, 1))
    assert found.source == f"feed:{fake.address}"


@pytest.mark.parametrize(
    ("item", "name", "also"),
    [
        ("<guid>pubmed:12345678</guid>", "pmid:12345678", ()),
        (
            "<link>https://pubmed.ncbi.nlm.nih.gov/12345678/?utm_source=Other</link>"
            "<dc:identifier>doi:10.1000/x</dc:identifier>",
            "doi:10.1000/x",
            ("pmid:12345678",),
        ),
        ("<guid>10.1000/ABC</guid>", "doi:10.1000/abc", ()),
        ("<link>https://journal.example/doi/abs/10.1000/x.1?af=R</link>", "doi:10.1000/x.1", ()),
        ("<link>https://doi.org/10.1000/x#about</link>", "doi:10.1000/x", ()),
        ("<link>https://doi.org/10.1000/x%23y</link>", "doi:10.1000/x#y", ()),
        ("<link>https://journal.example/doi/10.1000/x%3Cy?af=R</link>", "doi:10.1000/x<y", ()),
        (
            "<guid>https://journal.example/7</guid><prism:doi>10.1000/x</prism:doi>"
            "<link>https://arxiv.org/abs/2604.00001</link>",
            "2604.00001",
            (),
        ),
        ("<link>https://journal.example/2026/04/10</link>", None, ()),
    ],
)
def test_a_paper_is_known_by_what_publishers_write(
    item: str, name: str | None, also: tuple[str, ...]
) -> None:
    (paper,) = read(rss(f"<item><title>A paper</title>{item}</item>"))
    assert isinstance(paper, FoundPaper)
    assert (paper.id, paper.also) == (name, also)


def test_rdf_and_the_update_of_an_atom_entry_tell_the_day() -> None:
    rdf = b"""<?xml version="1.0"?><!DOCTYPE rdf:RDF SYSTEM "https://journal.example/rdf.dtd">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
  xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>J</title></channel>
<item rdf:about="https://journal.example/1"><title>One</title><dc:date>2026-04-02</dc:date>
<dc:identifier>doi:10.1000/one</dc:identifier></item></rdf:RDF>"""
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>J</title>
<entry><title>Two</title><id>urn:two</id><updated>2026-04-03T23:30:00Z</updated></entry></feed>"""
    (one,), (two,) = read(rdf), read(atom)
    assert isinstance(one, FoundPaper)
    assert isinstance(two, FoundPaper)
    assert (one.id, one.announced) == ("doi:10.1000/one", date(2026, 4, 2))
    assert (two.id, two.announced) == (None, date(2026, 4, 3))


def test_a_hostile_feed_is_read_or_refused(
    journal: Journal, web: WebOnLoopback, asked: AskedByDays
) -> None:
    journal.entries = [entry(1), entry(2, about="<script>alert(1)</script>See <b>it</b>, p<0.05")]
    web.spring(traps.entity_bomb)
    with pytest.raises(UnreadableFile, match="declares entities"):
        asked.on(FRIDAY)
    web.spring(traps.login_page)
    with pytest.raises(UnreadableFile, match="neither RSS nor Atom"):
        asked.on(FRIDAY)
    web.spring(traps.long_titles)
    long, plain = asked.on(FRIDAY)
    assert len(long.title) <= 1_000
    assert plain.abstract == "See it, p<0.05"


def test_wrong_dates_are_told_and_lose_no_other_entry(journal: Journal, asked: AskedByDays) -> None:
    journal.entries = [entry(1, "Thu, 01 Jan 1970 00:00:00 GMT"), entry(2, "soon"), entry(3)]
    assert names(asked.on(FRIDAY)) == ["doi:10.1000/article.2", "doi:10.1000/article.3"]
    assert [one.reason for one in asked.rejected] == ["announced is before 1991: '1970-01-01'"]


def test_an_undated_paper_is_stored_once_under_its_first_day(
    journal: Journal, web: WebOnLoopback, any_installation: Installation, clock: Clock
) -> None:
    here = with_settings(
        any_installation, sources=(SPEC,), source_mirror=web.url, allow_private_sources=True
    )
    clock.now = datetime(2026, 4, 10, 8, tzinfo=UTC)
    journal.entries = [entry(1, doi=False), entry(2)]
    assert fetch(here).added == 2
    clock.turn(days=1)
    journal.entries = [entry(3), *journal.entries]
    again = fetch(here)
    assert (again.added, again.updated, again.skipped, again.rejected) == (1, 0, 0, [])
    with here.database.reading() as session:
        days = [paper.announced for paper in papers.announced(session, FRIDAY, FRIDAY + DAY)]
    assert days == [FRIDAY + DAY, FRIDAY, FRIDAY]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("feed:", "begins with https://"),
        ("feed:journal.example/rss", "begins with https://"),
        ("feed:ftp://journal.example/rss", "begins with https://"),
        ("feed:file:///etc/passwd", "begins with https://"),
        ("feed:https:///rss", "begins with https://"),
        ("feed:https://[journal]/rss", "this is no address"),
        ("feed:https://me:secret@journal.example/rss", "no password"),
    ],
)
def test_what_is_no_address_is_refused(spec: str, reason: str) -> None:
    with pytest.raises(UnknownSource, match=reason):
        catalogue.parse(spec, load_settings())
