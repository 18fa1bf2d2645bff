import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperpost.sources.cleaning import plain_text

# Drawing the first text may take a second, and machines are shared.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    "text",
    [
        "p<0.05 and q>2",
        "$a<b$ holds",
        "a <think> token, <person, action> pairs, <BOS> first",
        "the <title> and the <list> of a page",
        r"AT&T, R\&D, x &= y, foo&region, &unknown stays",
        "if i<p then p>i",
        "50 <= n, n<=100",
    ],
)
def test_formulas_and_tokens_are_no_html(text: str) -> None:
    assert plain_text(text, 100) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>two</p>", "One two"),
        ("H<sub>2</sub>O and <i>E. coli</i>", "H2O and E. coli"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ("<script>alert(1)</script>after", "after"),
        ("<img src=x onerror=alert(1)>after", "after"),
        ("a<!-- hidden -->b", "ab"),
        ("&alpha; &amp; &#946; &lt;0.05", "\u03b1 & \u03b2 <0.05"),
        ("<jats:title>Aim</jats:title><jats:p>To see.</jats:p>", "Aim To see."),
        ("<sec><title>Aim</title><p>To <italic>see</italic>.</p></sec><sec>End", "Aim To see. End"),
        ('<sc>d</sc>-glucose<xref ref-type="bibr" rid="c1">1</xref>', "d-glucose1"),
        ("<inline-formula><mml:math><mml:mi>x</mml:mi></mml:math></inline-formula>", "x"),
    ],
)
def test_html_is_taken_out_and_entities_are_decoded(markup: str, text: str) -> None:
    assert plain_text(markup, 100) == text


def test_nothing_is_left_that_steers_a_terminal_or_a_mail() -> None:
    hostile = "a\x00b\x1b[31mc\r\nBcc: d\u202eevil\ud800\ufeff\u2028e\x85f"
    assert plain_text(hostile, 100) == "ab[31mc Bcc: devil e f"


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert plain_text("x" * 11, 10) == "x" * 9 + "…"
    assert plain_text("x" * 10, 10) == "x" * 10


@patient
@given(st.text(st.characters(), max_size=300), st.integers(1, 50))
def test_the_result_is_one_line_within_its_limit(text: str, limit: int) -> None:
    clean = plain_text(text, limit)
    assert len(clean) <= limit
    assert clean == " ".join(clean.split())
    clean.encode()


@pytest.mark.parametrize(
    "piece", ["<!--", "<title>", "<a ", "<a x='", "<p x=", "&", "<" * 9, " " * 99, "&#1"]
)
def test_hostile_markup_takes_no_time(piece: str) -> None:
    started = time.perf_counter()
    plain_text(piece * 100_000, 20_000)
    assert time.perf_counter() - started < 2
