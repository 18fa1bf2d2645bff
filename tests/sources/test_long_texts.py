"""Long texts that mean nothing: some patterns would look at each of their letters again and again,
and nothing else of the program would go on meanwhile."""

import io
import time
from collections.abc import Callable
from datetime import date

import pytest
from source_documents import rss, rss_item

from paperpost.sources.cleaning import plain_text
from paperpost.sources.errors import SourceError
from paperpost.sources.feeds import read_feed
from paperpost.sources.formats import read_papers
from paperpost.sources.libraries.formats import read_library
from paperpost.sources.people import names_in_line

TODAY = date(2026, 4, 1)
# What follows took 4 s to several minutes, and takes some hundredths of a second.
LONGEST = 1.5
MANY = 60_000


def with_author(name: str) -> bytes:
    return rss(rss_item(authors=name))


def with_prolog(text: str) -> bytes:
    return rss(rss_item()).replace(b"<rss", text.encode() + b"<rss", 1)


def in_one_line(title: str) -> bytes:
    return rss(rss_item(title=title)).replace(b"\n", b"")


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (names_in_line, "Ada" + " " * MANY + "Lovelace"),
        (names_in_line, "(" * MANY + ")" * MANY),
        (names_in_line, "Ada (" * MANY),
        (lambda text: plain_text(text, 20_000), "<ol><li>" * 20_000),
        (lambda text: plain_text(text, 20_000), "<i><h2>" * 20_000),
        (lambda text: plain_text(text, 20_000), "<b><i><u>" * 20_000),
        (lambda text: plain_text(text, 20_000), "<div a='" * 20_000),
        (lambda text: list(read_library(text.encode())), "10.1000/x\n" + "," * MANY + "x"),
        (lambda text: list(read_library(text.encode())), "10.1000/x\n" + "\n" * MANY + "x"),
        (lambda text: list(read_feed(with_author(text), today=TODAY)), "a" * MANY),
        (lambda text: list(read_feed(with_author(text), today=TODAY)), "a.b-" * MANY),
        (lambda text: list(read_feed(with_prolog(text), today=TODAY)), "\n" * MANY),
        (lambda text: list(read_feed(with_prolog(text), today=TODAY)), "<!--\n-->" * 10_000),
        (lambda text: list(read_feed(in_one_line(text), today=TODAY)), "encoding='" * 3_000),
    ],
)
def test_long_texts_are_read_at_once(read: Callable[[str], object], text: str) -> None:
    begun = time.thread_time()
    read(text)
    assert time.thread_time() - begun < LONGEST


def test_a_name_that_is_no_name_does_not_lose_the_paper() -> None:
    (paper,) = read_feed(with_author("a" * MANY), today=TODAY)
    assert "2604.00001" in repr(paper)


@pytest.mark.parametrize(
    "items",
    [
        "<item/>" * 20_001,
        "<entry/>" * 20_001,
        "<item/>" * 10_001 + "<entry></entry>" * 10_000,
        "<item\n><title>x</title></item>" * 20_001,
        "<atom:entry/>" * 20_001,
    ],
)
def test_too_many_items_of_whatever_name_are_too_many(items: str) -> None:
    begun = time.thread_time()
    with pytest.raises(SourceError, match="more than 20,000 items"):
        list(read_papers(io.BytesIO(rss(items)), today=TODAY))
    assert time.thread_time() - begun < LONGEST
