"""What is told of a failure: one clean line, and whether a source refuses or is broken."""

from datetime import date

import pytest

from paperpost.settings import load_settings
from paperpost.sources import catalogue
from paperpost.sources.errors import (
    FeedError,
    ForbiddenAddress,
    RequestFailed,
    SourceBusy,
    SourceError,
    UnknownSource,
    UnreadableFile,
)
from paperpost.sources.source import DayState, report_of
from paperpost.sources.xml_documents import root_name

DAY = date(2026, 4, 1)
URL = "https://journal.example/rss"
HOSTILE = "no\0 good\x1b[2J,\n\u202ereally\ud800 " + "again and " * 100_000


@pytest.mark.parametrize(
    "error",
    [
        FeedError(HOSTILE),
        UnreadableFile(HOSTILE),
        RequestFailed(URL, HOSTILE),
        ForbiddenAddress(URL, HOSTILE),
        SourceError(HOSTILE),
        ValueError(HOSTILE),
    ],
)
def test_what_a_source_says_is_one_short_line_that_can_be_stored(error: Exception) -> None:
    told = report_of(error, DAY).evidence
    assert "no good[2J, really again and again" in told
    assert len(told) <= 1_000
    assert told.isprintable()
    if isinstance(error, SourceError):
        assert len(str(error)) <= 1_000
        assert str(error).isprintable()
    for part in ("reason", "message"):
        assert str(getattr(error, part, "")).isprintable()


def test_markup_in_an_error_is_made_plain_and_an_empty_one_says_so() -> None:
    error = FeedError("<p>Bad &amp; <b>wrong</b>&#0;</p>")
    assert str(error) == "the source reports an error: Bad & wrong\ufffd"
    assert str(FeedError("\0")) == "the source reports an error: no reason is given"


def test_the_name_of_a_root_is_not_told_in_full_length() -> None:
    assert len(root_name(b"<" + b"a" * 50_000)) <= 100


@pytest.mark.parametrize(
    ("error", "state", "evidence"),
    [
        (RequestFailed(URL, "HTTP 401", status=401), "refused", "HTTP 401"),
        (RequestFailed(URL, "HTTP 403", status=403), "refused", "HTTP 403"),
        (RequestFailed(URL, "HTTP 429", status=429), "refused", "HTTP 429"),
        (RequestFailed(URL, "HTTP 503", status=503), "refused", "HTTP 503"),
        (SourceBusy(URL, 3600), "refused", "to be left alone for 60 minutes"),
        (RequestFailed(URL, "HTTP 404", status=404), "broken", "HTTP 404"),
        (RequestFailed(URL, "HTTP 500", status=500), "broken", "HTTP 500"),
        (RequestFailed(URL, "timed out"), "broken", "timed out"),
    ],
)
def test_who_does_not_want_to_be_asked_refuses_and_others_are_broken(
    error: RequestFailed, state: str, evidence: str
) -> None:
    report = report_of(error, DAY)
    assert (report.state, report.evidence) == (
        DayState(state),
        f"journal.example: {evidence}",
    )


@pytest.mark.parametrize(
    "secret",
    [
        "?token=hush",
        "?page=2&api_key=hush",
        "?x=1&mail=hush@example.org",
        "?passwd=h",
    ],
)
def test_a_feed_whose_address_holds_a_secret_is_refused_and_the_secret_is_not_told(
    secret: str,
) -> None:
    with pytest.raises(UnknownSource, match="no password, key or token") as refused:
        catalogue.parse(f"feed:{URL}{secret}", load_settings())
    assert "hush" not in str(refused.value)
    with pytest.raises(UnknownSource) as refused:
        catalogue.parse("feed:https://ada:hush@journal.example/rss", load_settings())
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("query", ["", "?keyword=tides", "?author=lovelace&type=etoc", "?token="])
def test_a_feed_whose_address_holds_none_is_a_source(query: str) -> None:
    assert catalogue.parse(f"feed:{URL}{query}", load_settings()).name == f"feed:{URL}{query}"
