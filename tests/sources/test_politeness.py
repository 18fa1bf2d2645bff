"""How often hosts are asked, and when again."""

import pytest
from asking import NOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperpost.sources.politeness import (
    LONGEST_CLOSURE,
    LONGEST_PAUSE,
    back_off,
    limit_of,
    retry_after,
    user_agent,
)

# Drawing the first text may take a second, and machines are shared.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("host", "name", "seconds"),
    [
        ("export.arxiv.org", "arxiv.org", 3),
        ("OAIPMH.arxiv.org.", "arxiv.org", 3),
        ("arxiv.org", "arxiv.org", 3),
        ("notarxiv.org", "notarxiv.org", 1),
        ("eutils.ncbi.nlm.nih.gov", "ncbi.nlm.nih.gov", 0.35),
        ("huggingface.co", "huggingface.co", 0.6),
    ],
)
def test_a_limit_is_that_of_a_host_and_all_its_aliases(
    host: str, name: str, seconds: float
) -> None:
    limit = limit_of(host)
    assert (limit.name, limit.gap.total_seconds()) == (name, seconds)


def test_with_a_key_ncbi_may_be_asked_faster() -> None:
    assert limit_of("eutils.ncbi.nlm.nih.gov", ncbi_key=True).gap.total_seconds() == 0.11


def test_who_cannot_be_written_in_a_header_is_left_out_of_it() -> None:
    nobody = "Paperpost/1 (self-hosted paper alerts)"
    assert user_agent("1", "mailto:ä@example.org") == user_agent("1", None) == nobody


@patient
@given(st.integers(1, 50), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_short_and_never_endless(attempt: int, jitter: float) -> None:
    assert 2.0 <= back_off(attempt, jitter) <= LONGEST_PAUSE


@patient
@given(st.text())
def test_any_retry_after_header_is_seconds_or_nothing(header: str) -> None:
    seconds = retry_after(header, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_CLOSURE.total_seconds()


def test_nobody_is_left_alone_for_longer_than_a_day() -> None:
    assert retry_after("999999999", NOW) == retry_after("Fri, 01 Jan 2100 00:00:00 GMT", NOW)
