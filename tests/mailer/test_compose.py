"""The text part of a digest, which scripts read as well, and the small mails."""

import re
from dataclasses import replace

import pytest
from composed import BASE, HOSTILE, LETTER, Page, body, digest, paper

from mailer.compose import (
    TEMPLATE_VERSION,
    compose_access_link,
    compose_alarm,
    compose_confirmation,
    compose_digest,
)
from mailer.digest import Digest


def blocks(text: str) -> list[str]:
    """The papers' blocks, as a script would find them."""
    content = text.partition("\n-- \n")[0]
    return re.split(r"\n(?=\d+\. )", content)[1:]


@pytest.mark.parametrize("abstract", ["Short.", "A sentence of words. " * 100, *HOSTILE])
def test_each_block_ends_with_three_lines_of_its_own(abstract: str) -> None:
    papers = [paper(number, abstract=abstract) for number in range(1, 4)]
    text = body(compose_digest(digest(*papers), LETTER), "plain")
    found = blocks(text)
    assert len(found) == 3
    for number, block in enumerate(found):
        assert block.rstrip("\n").split("\n")[-3:] == [
            papers[number].url,
            f"More like this: {BASE}/vote/{'m' * 44}{number:03}",
            f"Less like this: {BASE}/vote/{'l' * 44}{number:03}",
        ]
        assert block.count("like this:") == 2


def test_no_other_papers_id_stands_in_a_block() -> None:
    other = "as in arXiv:2401.12345 and https://arxiv.org/abs/2402.00001, see 2403.54321v2"
    mail = digest(
        paper(7, f"A title {other}", f"An abstract {other}"), reasons=(f"close to {other}",)
    )
    for kind in ("plain", "html"):
        content = body(compose_digest(mail, LETTER), kind)
        assert set(re.findall(r"\d{4}\.\d{5}", content)) == {"2604.00007"}


def trending(*flags: bool) -> Digest:
    """A digest for somebody of whom nothing is known."""
    known = digest(*(paper(number) for number in range(len(flags))))
    items = [replace(item, trending=flag) for item, flag in zip(known.items, flags, strict=True)]
    return replace(known, items=tuple(items), why="")


def test_what_trends_stands_apart_from_what_else_is_new() -> None:
    message = compose_digest(trending(True, True, False), LETTER)
    text, page = body(message, "plain"), body(message, "html")
    lines = [line for line in text.splitlines() if re.match(r"Trending$|Also new$|\d\. ", line)]
    assert [line[:2] for line in lines] == ["Tr", "1.", "2.", "Al", "3."]
    assert re.findall(r'<h2 class="section"[^>]*>(.*?)</h2>', page) == ["Trending", "Also new"]
    assert "What trends, because nothing is known" in text
    assert "What trends, because nothing is known" in page


def test_a_digest_that_is_ranked_for_its_reader_has_no_sections() -> None:
    message = compose_digest(digest(paper(1), paper(2)), LETTER)
    assert "Trending" not in body(message, "plain")
    assert "Trending" not in body(message, "html")
    assert "named no interests" not in body(message, "plain") + body(message, "html")


@pytest.mark.parametrize("flags", [(True, False), (False, False)])
def test_who_named_no_interests_is_told_where_to_add_them(flags: tuple[bool, ...]) -> None:
    message = compose_digest(trending(*flags), LETTER)
    footer = " ".join(body(message, "plain").split("\n-- \n")[1].split())
    assert "because you have named no interests and used no thumbs yet" in footer
    assert re.search(
        r'href="https://papers.example.org/me/p{48}"[^>]*>add your interests</a>',
        body(message, "html"),
    )
    assert ("nothing trends" in body(message, "plain")) == (not any(flags))


def test_the_footer_of_the_text_has_the_two_links() -> None:
    text = body(compose_digest(digest(paper(1)), LETTER), "plain")
    footer = text.partition("\n-- \n")[2].split("\n")
    assert f"Unsubscribe: {BASE}/unsubscribe/{'u' * 48}" in footer
    assert f"Preferences: {BASE}/me/{'p' * 48}" in footer
    assert "1 Library Street, Exampleville" in footer


def test_the_text_is_wrapped_but_for_its_links() -> None:
    long = [paper(number, "Word " * 50, "Word " * 200) for number in range(11)]
    known = digest(*long, reasons=("close to “Reading”, which you liked",) * 3)
    for mail in (known, trending(True, False), replace(known, items=(), silence="Why. " * 40)):
        text = body(compose_digest(mail, LETTER), "plain")
        assert all(len(line) <= 76 or "https://" in line for line in text.split("\n"))
        assert all(line.count(" ") <= 3 for line in text.split("\n") if "https://" in line)


def normalised(text: str) -> str:
    return " ".join(text.split())


EXPLORED = digest(
    *(paper(number, f"Title {number} of a paper", "An abstract. " * 30) for number in range(12)),
    reasons=("matches “ranking”", "close to “Reading papers”, which you liked"),
)
EQUAL = {
    "digest": compose_digest(
        replace(EXPLORED, items=(replace(EXPLORED.items[0], explored=True), *EXPLORED.items[1:])),
        LETTER,
    ),
    "weekly": compose_digest(replace(EXPLORED, frequency="weekly"), LETTER),
    "trending": compose_digest(trending(True, True, False), LETTER),
    "quiet": compose_digest(replace(EXPLORED, items=(), silence="Nothing was new."), LETTER),
    "alarm": compose_alarm("3 digests failed", ["The server said no.", "Look at it."], LETTER),
}


@pytest.mark.parametrize("mail", EQUAL.values(), ids=EQUAL.keys())
def test_the_two_parts_say_the_same(mail: bytes) -> None:
    text = body(mail, "plain")
    page = Page(body(mail, "html").partition("</head>")[2])
    links = {link["href"] or "" for link in page.named("a")}
    assert all(link.removeprefix("mailto:") in text for link in links)
    assert set(re.findall(r"https?://[^\s]+", text)) == {
        link for link in links if link.startswith("http")
    }
    for chunk in page.chunks:
        assert normalised(chunk).strip(" .👍👎") in normalised(text)
    in_html = set(re.findall(r"[^\s.]+", f"{page.text} {' '.join(links)}"))
    for word in re.findall(r"[^\s.]+", text):
        known = word in in_html or word.removesuffix(":") in in_html or "://" in word
        assert known or re.fullmatch(r"=+|-+|\d+", word), word


def test_the_template_version_is_short_and_stable() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", TEMPLATE_VERSION)


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_the_small_mails_hold_their_link(kind: str) -> None:
    url = f"{BASE}/confirm/{'c' * 60}"
    assert url in body(compose_confirmation(url, LETTER), kind)
    access = body(compose_access_link(url, LETTER), kind)
    assert url in access
    assert "valid for an hour" in access
    assert "1 Library Street" in access


def test_a_paper_outside_the_usual_is_marked_before_its_last_three_lines() -> None:
    plain = digest(paper(1), paper(2))
    marked = replace(plain, items=(plain.items[0], replace(plain.items[1], explored=True)))
    message = compose_digest(marked, LETTER)
    label = "Outside your usual: your vote tells us more."
    first, second = body(message, "plain").split("\n2. ")
    assert label not in first
    lines = second.split("\n-- ")[0].rstrip().splitlines()
    assert f"   {label}" in lines[:-3]
    assert lines[-3:] == [
        plain.items[1].fragment.url,
        f"More like this: {plain.items[1].more_url}",
        f"Less like this: {plain.items[1].less_url}",
    ]
    assert body(message, "html").count(label) == 1
    assert label not in body(compose_digest(plain, LETTER), "html")
