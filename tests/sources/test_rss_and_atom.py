import io
from datetime import date

import pytest
from source_documents import API_ATOM, API_ERROR, DAILY_ATOM, ENTITY_BOMB, rss, rss_item

from paperpost.sources.errors import FeedError, UnreadableFile
from paperpost.sources.formats import read_papers
from paperpost.sources.found import FoundPaper, Rejected

TODAY = date(2026, 4, 1)


def read(data: bytes) -> list[FoundPaper | Rejected]:
    return list(read_papers(io.BytesIO(data), today=TODAY))


def paper(data: bytes) -> FoundPaper:
    (only,) = read(data)
    assert isinstance(only, FoundPaper)
    return only


def test_an_rss_item_becomes_a_paper() -> None:
    item = rss_item(
        version=2,
        kind="replace",
        title="On $a<b$ & p<0.05",
        abstract="With p<0.05 and <think> tokens.",
        authors="Ada Lovelace (Society, London), Alan Turing (2), Sammy Davis, Jr., J. Roe",
    )
    assert paper(rss(item)) == FoundPaper(
        id="2604.00001",
        title="On $a<b$ & p<0.05",
        abstract="With p<0.05 and <think> tokens.",
        announced=date(2026, 4, 1),
        authors=("Ada Lovelace", "Alan Turing", "Sammy Davis, Jr.", "J. Roe"),
        categories=("cs.AI", "cs.LG"),
        comment=None,
        version=2,
        doi=None,
        url="https://arxiv.org/abs/2604.00001",
        source="arxiv",
        kind="replace",
    )


def test_the_daily_atom_feed_counts_from_its_publication_in_eastern_time() -> None:
    found = paper(DAILY_ATOM)
    assert (found.id, found.version, found.kind) == ("2604.00007", 2, "replace-cross")
    assert found.announced == date(2026, 4, 1)
    assert found.authors == ("Ada Lovelace", "Alan Turing")
    assert found.abstract == "Second thoughts."


def test_midnight_eastern_is_that_day_in_winter_and_summer() -> None:
    winter = rss(rss_item()).replace(
        b"Wed, 01 Apr 2026 00:00:00 -0400", b"Fri, 02 Jan 2026 00:00 EST"
    )
    assert paper(winter).announced == date(2026, 1, 2)


def test_the_kind_is_read_from_the_description_alone() -> None:
    feed = rss(rss_item(kind="cross")).replace(
        b"<arxiv:announce_type>cross</arxiv:announce_type>", b""
    )
    assert paper(feed).kind == "cross"


def test_an_entry_of_the_api_becomes_a_paper() -> None:
    assert paper(API_ATOM) == FoundPaper(
        id="hep-ex/0307015",
        title="An invented measurement over two lines",
        abstract="We see $a<b$ at p<0.05.",
        announced=date(2003, 7, 7),
        authors=("Ada Lovelace", "Sammy Davis, Jr."),
        categories=("hep-ex", "cs.LG"),
        comment="23 pages",
        version=3,
        doi="10.1000/abc.5",
        url="https://arxiv.org/abs/hep-ex/0307015",
        source="arxiv",
    )


def test_an_error_in_a_feeds_clothes_is_an_error() -> None:
    with pytest.raises(FeedError, match="incorrect id format for"):
        read(API_ERROR)
    with pytest.raises(FeedError, match="Bad archive"):
        read(rss(title="Feed error for query: cs.XX", description="Bad archive 'cs.XX'"))


def test_a_day_without_papers_is_an_empty_batch() -> None:
    assert read(rss()) == []


def test_one_bad_item_does_not_lose_the_others() -> None:
    bad = rss_item(2).replace("oai:arXiv.org:2604.00002v1", "oai:arXiv.org:junk")
    bad = bad.replace("arxiv.org/abs/2604.00002", "arxiv.org/abs/junk")
    first, second, third = read(rss(rss_item(1), bad, rss_item(3)))
    assert isinstance(first, FoundPaper)
    assert second == Rejected(2, "id is no arXiv id, doi: or pmid: 'oai:arXiv.org:junk'")
    assert isinstance(third, FoundPaper)


def test_an_undated_item_is_rejected() -> None:
    feed = rss(rss_item().replace("Wed, 01 Apr 2026 00:00:00 -0400", "soon"))
    assert read(feed) == [Rejected(1, "announced is missing")]


def test_a_title_of_ten_kilobytes_does_not_lose_the_paper() -> None:
    assert len(paper(rss(rss_item(title="long " * 2_000))).title) <= 1_000


def test_half_a_page_gives_its_whole_items_and_says_that_it_is_cut() -> None:
    page = rss(*(rss_item(number) for number in range(1, 6)))
    *papers, last = read(page[: page.index(b"2604.00004v1 Announce") + 5])
    assert [one.id for one in papers if isinstance(one, FoundPaper)] == [
        "2604.00001",
        "2604.00002",
        "2604.00003",
    ]
    assert isinstance(last, Rejected)
    assert (last.record, last.damage) == (4, True)
    assert last.reason.startswith("the file ends in the middle, at line ")


def test_a_broken_byte_in_the_middle_is_told_and_the_rest_read() -> None:
    page = rss(*(rss_item(number) for number in range(1, 4))).replace(b"paper 2<", b"paper \x02<")
    *papers, last = read(page)
    assert len(papers) == 3
    assert isinstance(last, Rejected)
    assert last.reason.startswith("the XML is broken at line ")


def test_an_entity_bomb_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="declares entities"):
        read(ENTITY_BOMB)


def test_a_feed_of_endless_items_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="more than 20,000 items"):
        read(rss("<item/>" * 20_001))


def test_endless_nesting_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="nested more than 100 levels"):
        read(rss("<a>" * 10_000))


def test_white_space_before_the_declaration_is_no_fault() -> None:
    assert paper(b"\xef\xbb\xbf\n  " + rss(rss_item())).id == "2604.00001"


def test_other_publishers_papers_are_known_by_doi_or_title() -> None:
    journal = b"""<?xml version="1.0"?>
<rss version="2.0" xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"><channel>
<title>A journal</title>
<item><title>One</title><link>https://journal.example/1</link><prism:doi>10.1000/ONE</prism:doi>
<description>&lt;p&gt;About &lt;i&gt;one&lt;/i&gt;.&lt;/p&gt;</description>
<pubDate>Wed, 01 Apr 2026 08:00:00 GMT</pubDate></item>
<item><title>Two</title><link>https://journal.example/2</link>
<pubDate>Wed, 01 Apr 2026 08:00:00 GMT</pubDate></item>
</channel></rss>"""
    one, two = (record for record in read(journal) if isinstance(record, FoundPaper))
    assert (one.id, one.abstract, one.source) == ("doi:10.1000/one", "About one.", "import")
    assert (two.id, two.url) == (None, "https://journal.example/2")
