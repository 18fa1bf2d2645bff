"""Days, weeks and months, by name."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.service.periods import Period, Span, around, named

spans = st.sampled_from(Span)


@given(span=spans, day=st.dates())
def test_a_period_holds_its_day_and_is_found_by_its_name(span: Span, day: date) -> None:
    period = around(span, day)
    assert period.first <= day <= period.last
    assert named(span, period.name) == period
    assert around(span, period.last) == period


@pytest.mark.parametrize(
    ("span", "name", "first", "last", "title"),
    [
        (Span.DAY, "2026-04-07", "2026-04-07", "2026-04-07", "Tuesday, 7 April 2026"),
        (Span.WEEK, "2026-W15", "2026-04-06", "2026-04-12", "Week 15 of 2026"),
        (Span.WEEK, "2020-W53", "2020-12-28", "2021-01-03", "Week 53 of 2020"),
        (Span.WEEK, "2025-W01", "2024-12-30", "2025-01-05", "Week 1 of 2025"),
        (Span.MONTH, "2024-02", "2024-02-01", "2024-02-29", "February 2024"),
        (Span.WEEK, "9999-W52", "9999-12-27", "9999-12-31", "Week 52 of 9999"),
    ],
)
def test_periods_are_named_as_iso_8601_does(
    span: Span, name: str, first: str, last: str, title: str
) -> None:
    period = Period(span, date.fromisoformat(first), date.fromisoformat(last))
    assert named(span, name) == period
    assert period.title == title


@pytest.mark.parametrize(
    ("span", "name"),
    [
        (Span.DAY, "20260407"),
        (Span.DAY, "2026-W15-2"),
        (Span.WEEK, "2026-W54"),
        (Span.WEEK, "2025-W53"),
        (Span.WEEK, "2026-W00"),
        (Span.WEEK, "2026W15"),
        (Span.WEEK, "0000-W01"),
        (Span.WEEK, "٢٠٢٦-W15"),
        (Span.MONTH, "2026-13"),
        (Span.MONTH, "2026-4"),
        (Span.MONTH, "2026-04\n"),
        (Span.MONTH, "0000-04"),
        (Span.DAY, ""),
    ],
)
def test_what_is_no_name_is_none(span: Span, name: str) -> None:
    assert named(span, name) is None
