"""Texts from outside are told without links, addresses and tricks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.service.discretion import LONGEST, discreet


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://rss.arxiv.org/rss/cs.AI: HTTP 429", "rss.arxiv.org: HTTP 429"),
        ("550 5.1.1 <ada@example.org>: no such user", "550 5.1.1 (an address): no such user"),
        ("see http://ada:secret@x.test/vote/abc?d=e.", "see x.test."),
        ("HTTPS://[::bad/x is odd", "(a link) is odd"),
        ("disk full\n[parameters: ('ada@example.org',)]", "disk full"),
        ("to\tthe\x1b[31m left\u202e", "to the [31m left"),
        ("", ""),
    ],
)
def test_what_is_told(text: str, told: str) -> None:
    assert discreet(text) == told


@given(st.text())
def test_any_text_is_one_short_line_without_an_address(text: str) -> None:
    told = discreet(f"{text} ada@example.org https://x.test/token {text}")
    assert len(told) <= LONGEST
    assert told.isprintable() or not told
    assert "ada@" not in told
    assert "token" not in told or "token" in text
