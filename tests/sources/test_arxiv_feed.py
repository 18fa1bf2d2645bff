from collections.abc import Iterator
from datetime import date

import pytest
from loopback_source import LoopbackSource, Told
from source_documents import rss, rss_item

from paperpost.sources.arxiv import ArxivFeed, parse_source
from paperpost.sources.client import PoliteClient, Validators
from paperpost.sources.errors import FeedError, RequestFailed, UnknownSource, UnreadableFile

TODAY = date(2026, 4, 1)


class KeptValidators(dict[str, Validators]):
    def put(self, url: str, validators: Validators) -> None:
        self[url] = validators


@pytest.fixture
def source() -> Iterator[LoopbackSource]:
    with LoopbackSource() as running:
        yield running


@pytest.fixture
def feed(source: LoopbackSource) -> Iterator[ArxivFeed]:
    client = PoliteClient(
        contact=None,
        version="0.1",
        gate=lambda host: None,
        cache=KeptValidators(),
        allow_private=True,
        sleep=lambda seconds: None,
    )
    with client:
        yield ArxivFeed(parse_source("arxiv:cs.AI+cs.CL"), client, source.url + "/")


def test_the_days_batch_is_fetched_once_and_then_not_modified(
    source: LoopbackSource, feed: ArxivFeed
) -> None:
    source.tell(Told(body=rss(rss_item(1), rss_item(2)), headers={"ETag": '"a"'}), Told(304))
    batch = feed.fetch(TODAY)
    assert [paper.id for paper in batch.found] == ["2604.00001", "2604.00002"]
    assert (batch.rejected, batch.not_modified, batch.complete) == ([], False, True)
    assert batch.url == source.url + "/rss/cs.AI+cs.CL"
    batch.keep()
    again = feed.fetch(TODAY)
    assert (again.found, again.rejected, again.not_modified) == ([], [], True)
    assert source.asked[0][0] == "/rss/cs.AI+cs.CL"


def test_of_half_a_batch_nothing_is_kept(source: LoopbackSource, feed: ArxivFeed) -> None:
    page = rss(rss_item(1), rss_item(2))
    source.tell(Told(body=page[: len(page) * 2 // 3], headers={"ETag": '"a"'}))
    batch = feed.fetch(TODAY)
    assert [paper.id for paper in batch.found] == ["2604.00001"]
    assert not batch.complete
    batch.keep()
    feed.fetch(TODAY)
    assert "If-None-Match" not in source.asked[1][1]


@pytest.mark.parametrize("status", [200, 400])
def test_an_error_feed_is_an_error_whatever_its_status(
    source: LoopbackSource, feed: ArxivFeed, status: int
) -> None:
    body = rss(title="Feed error for query: cs.XX", description="Bad archive 'cs.XX'.")
    source.tell(Told(status, body))
    with pytest.raises(FeedError, match="Bad archive"):
        feed.fetch(TODAY)


def test_a_page_that_is_no_feed_is_an_error(source: LoopbackSource, feed: ArxivFeed) -> None:
    source.tell(Told(body=b"<html><body>Please log in to the hotel's network</body></html>"))
    with pytest.raises(UnreadableFile, match="<html>"):
        feed.fetch(TODAY)
    source.tell(Told(400, b"<html>Bad request</html>"))
    with pytest.raises(RequestFailed, match="HTTP 400"):
        feed.fetch(TODAY)


@pytest.mark.parametrize(
    "spec", ["biorxiv:all", "cs.AI", "arxiv", "arxiv:", "arxiv:cs.AI+../x", ""]
)
def test_an_unknown_source_is_refused_with_those_that_are_known(spec: str) -> None:
    with pytest.raises(UnknownSource, match="known sources: arxiv:CATEGORY"):
        parse_source(spec)
