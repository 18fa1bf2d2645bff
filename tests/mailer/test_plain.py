import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.plain import harmless, readable, shorten


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"An accuracy of 3.0\% and more", "An accuracy of 3.0% and more"),
        (r"\textit{Emphasis}, \emph{more} and {\bf bold}", "Emphasis, more and bold"),
        (r"M\"uller, Erd\H{o}s and Fran\c{c}ois", "Müller, Erdős and François"),
        ("``quoted'' text", "“quoted” text"),
        ("see Fig.~3", "see Fig. 3"),
        ("about ~5 of ~/home", "about ~5 of ~/home"),
        (r"$O(n^2 \log n)$ and $10^{-3}$", "O(n² log n) and 10⁻³"),
        (r"$x_{1}, \dots$ in $\mathbb{R}^{n+1}$", "x₁, … in ℝⁿ⁺¹"),
        (r"$e^{a/b}$, not $e^a/b$", "e^(a/b), not e^a/b"),
        (r"$90^\circ$ and $\ell_2$", "90° and ℓ₂"),
        (r"$\sim$5 times, 5$\times$", "∼5 times, 5×"),  # noqa: RUF001
        (r"\(x^2\) in brackets", "x^2 in brackets"),
        (r"We call it \ourmethod{} here", "We call it ourmethod here"),
        (r"\mytool{Paper} and \texttt{a_b}", "Paper and a_b"),
        (r"\href{https://x.org}{the page}", "the page (https://x.org)"),
        (r"\url{https://x.org/a%20b}", "<https://x.org/a%20b>"),
    ],
)
def test_latex_becomes_unicode(written: str, read: str) -> None:
    assert readable(written) == read


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5.",
        "It costs $5 and saves 10% of $20 on average",
        "100% of {0, 1} & #3 a_b x^2",
        "only $1,000+ for a failure that saved us $1.27M",
        r"\textit{never closed",
        r"closed too often}} \textbf{x}",
        "a snake_case_name and C# & D",
    ],
)
def test_what_is_not_latex_or_is_broken_stays_as_it_was(text: str) -> None:
    assert readable(text) == text


def test_a_price_before_a_formula_does_not_swallow_it() -> None:
    assert readable(r"costs $5 while $\alpha$ grows") == "costs $5 while α grows"  # noqa: RUF001


def test_other_scripts_stay_and_invisible_signs_go() -> None:
    assert readable("שלום \u202eevil\u202c 世界 \u200bمرحبا\u0007") == "שלום evil 世界 مرحبا"  # noqa: RUF001
    assert readable("A family: 👨\u200d👩\u200d👧") == "A family: 👨\u200d👩\u200d👧"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Mn", "Mc", "Lm"]), max_size=80))
def test_whatever_comes_one_clean_line_leaves(text: str) -> None:
    line = readable(text)
    assert line == unicodedata.normalize("NFC", line)
    assert line.splitlines() in ([], [line])
    line.encode()


@settings(deadline=None)
@given(st.text(alphabet="ab19 $%{}~^_&#`'-", max_size=40))
def test_without_a_backslash_no_letter_and_no_digit_is_lost(text: str) -> None:
    def kept(of: str) -> str:
        return "".join(re.findall(r"[ab19]", unicodedata.normalize("NFKC", of)))

    assert kept(readable(text)) == kept(text)


@pytest.mark.parametrize(
    "sign", ["$", "{", "\\", "$$", "\\textbf{", "~", "`", "$x", "a", "a-", "1", "10.1/"]
)
def test_a_hostile_text_takes_no_time(sign: str) -> None:
    begun = time.process_time()
    harmless((sign * 20_000)[:20_000])
    assert time.process_time() - begun < 1.5


@pytest.mark.parametrize(
    "reference",
    [
        "arXiv:2401.12345",
        "arXiv: 2401.12345v2",
        "https://arxiv.org/abs/2401.12345",
        "http://www.arxiv.org/pdf/2401.12345v3.pdf",
        "arxiv.org/abs/math/0211159",
        "2401.12345",
        "hep-th/9901001",
        "doi:10.1000/xyz123",
        "https://doi.org/10.1000/xyz123",
        "10.1145/3292500.3330701",
        "pmid:1234567",
        "hf:0a1b2c3d4e5f",
        "https://huggingface.co/papers/2401.12345",
        r"\url{https://arxiv.org/abs/2401.12345}",
    ],
)
def test_another_papers_id_does_not_stay(reference: str) -> None:
    text = harmless(f"We extend {reference} by a lot")
    assert "[reference]" in text
    assert not re.search(r"\d{4}", text)
    assert text.startswith("We extend ")
    assert text.endswith(" by a lot")


@pytest.mark.parametrize(
    "text", ["99.1234 percent", "on arXiv. 2024 was", "in 2401 of 12345", "3141.5926", "CIFAR-10.1"]
)
def test_a_number_is_not_an_id(text: str) -> None:
    assert harmless(text) == text


def test_a_paper_cannot_write_our_own_lines() -> None:
    assert "More like this:" not in harmless("x More like this: https://evil.example")
    assert "unsubscribe:" not in harmless("UNSUBSCRIBE : https://evil.example").lower()


def test_a_text_is_shortened_at_the_end_of_a_sentence_or_word() -> None:
    text = "One sentence ends here. Another one goes on and on and on"
    assert shorten(text, 30) == "One sentence ends here. …"
    assert shorten(text, 50) == "One sentence ends here. Another one goes on and…"
    assert shorten(text, 500) == text
    assert shorten("世" * 50, 10) == "世" * 9 + "…"


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(min_value=0, max_value=70))
def test_a_shortened_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit
