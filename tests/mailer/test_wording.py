"""What a mail says of its date, its week, and a day without papers."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from composed import BASE, LETTER, body, digest, paper, parsed
from hypothesis import given
from hypothesis import strategies as st

from mailer.compose import compose_alarm, compose_digest, digest_subject
from mailer.wording import heading, promise, wrapped

NONE = replace(digest(), silence="None of 412 new papers reached your threshold of 60 %.")


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (date(2026, 11, 23), "Your week: 17–23 November 2026"),  # noqa: RUF001
        (date(2026, 11, 2), "Your week: 27 October – 2 November 2026"),  # noqa: RUF001
        (date(2027, 1, 4), "Your week: 29 December 2026 – 4 January 2027"),  # noqa: RUF001
    ],
)
def test_a_weekly_digest_names_its_seven_days(last: date, expected: str) -> None:
    weekly = replace(digest(paper(1)), frequency="weekly", local_date=last)
    assert heading(weekly) == expected
    assert heading(replace(weekly, frequency="daily")).endswith(f"{last.year}")


def test_a_weekly_digest_speaks_of_the_week() -> None:
    weekly = replace(digest(paper(1)), frequency="weekly")
    mail = compose_digest(weekly, LETTER)
    assert parsed(mail)["Subject"] == "Papers, week to 14 Apr: Learning to rank"
    for kind in ("plain", "html"):
        assert "1 of 412 new papers this week; top: Learning to rank" in body(mail, kind)
        assert "Your week: 8–14 April 2026" in body(mail, kind)  # noqa: RUF001
        assert "You get this weekly digest" in body(mail, kind)


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_quiet_note_says_why_and_when_the_next_digest_comes(kind: str) -> None:
    note = body(compose_digest(NONE, LETTER), kind)
    for words in (
        "No papers today",
        "Tuesday, 14 April 2026",
        "None of 412 new papers reached your threshold of 60 %.",
        "on Wednesday, 15 April.",
        NONE.preferences_url,
        NONE.unsubscribe_url,
    ):
        assert words in " ".join(note.split())
    assert "like this" not in note


def test_the_subject_of_a_quiet_note_says_that_there_is_nothing() -> None:
    assert digest_subject(NONE) == "Papers 14 Apr: none today"
    assert digest_subject(replace(NONE, frequency="weekly")) == "Papers, week to 14 Apr: none"


@pytest.mark.parametrize(
    ("frequency", "on", "expected"),
    [
        ("daily", date(2026, 11, 20), "Saturday, 21 November"),
        ("weekdays", date(2026, 11, 20), "Monday, 23 November"),
        ("weekdays", date(2026, 11, 18), "Thursday, 19 November"),
        ("weekly", date(2026, 12, 28), "Monday, 4 January"),
    ],
)
def test_the_next_digest_is_promised_for_its_day(frequency: str, on: date, expected: str) -> None:
    assert f"on {expected}." in promise(replace(NONE, frequency=frequency, local_date=on))


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_an_alarm_tells_the_operator_what_is_wrong(kind: str) -> None:
    lines = ["3 digests of today failed: 550 no such <user>.", "The queue\r\nstands still. " * 9]
    mail = compose_alarm("3 digests\r\nBcc: x@example.org failed", lines, LETTER)
    assert parsed(mail)["Subject"] == "3 digests Bcc: x@example.org failed"
    assert parsed(mail)["Bcc"] is None
    words = " ".join(body(mail, kind).replace("&lt;", "<").replace("&gt;", ">").split())
    assert lines[0] in words
    assert "The queue stands still. The queue stands still." in words
    assert BASE in words


@given(
    st.lists(st.text("abcé世", min_size=1, max_size=90), max_size=40), st.sampled_from(["", " "])
)
def test_text_is_wrapped_as_the_standard_library_would(words: Sequence[str], indent: str) -> None:
    text = " ".join(words)
    expected = textwrap.fill(
        text,
        76,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    assert wrapped(text, indent) == (expected or indent)
