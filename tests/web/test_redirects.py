"""Where a form may send its reader back to."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperpost.web.redirects import own_path


@pytest.mark.parametrize(
    "path",
    ["/", "/day/2026-04-07?page=2#p12", "/paper/doi:10.1000/a%20b", "/search?q=a//b&c=https://x"],
)
def test_a_page_of_ours_is_gone_back_to(path: str) -> None:
    assert own_path(path, "") == path
    assert own_path(f"/papers{path}", "/papers") == f"/papers{path}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/a\r\nSet-Cookie: a=b",
        "/\x00",
        "/../../evil",
        "/" + "a" * 2000,
    ],
)
def test_everything_else_leads_to_the_front_page(text: str) -> None:
    assert own_path(text, "") == "/"


@pytest.mark.parametrize(
    "text", ["/", "/papersx", "/other/papers/", "/papers//evil", "/papers/../x"]
)
def test_the_path_of_the_public_address_is_not_left(text: str) -> None:
    assert own_path(text, "/papers") == "/papers/"


@given(st.text(st.sampled_from("/\\.:@?#%ae\t\n "), max_size=20))
@example("/\u2028/evil")
@example("/.//evil.example")
def test_no_text_leads_to_another_host(text: str) -> None:
    there = urljoin("https://ours.example/vote", own_path(text, ""))
    assert urlsplit(there).netloc == "ours.example"
