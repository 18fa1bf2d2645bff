import gzip
import json
import os
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mailer.compose import (
    LARGEST_HTML,
    TEMPLATE_VERSION,
    UnsafeAddress,
    compose_access_link,
    compose_confirmation,
    compose_digest,
    digest_subject,
    list_id,
    render_paper,
)
from mailer.digest import Digest, DigestItem, Letter, PaperText
from mailer.templates import FOLDER

ROOT = Path(__file__).resolve().parents[2]
BASE = "https://papers.example.org"
LETTER = Letter(
    sender="Paperpost <paperpost@localhost>",
    recipient="ada@example.org",
    message_id="<20260414.0a1b2c@localhost>",
    date=datetime(2026, 4, 14, 8, tzinfo=UTC),
    postal_address="1 Library Street, Exampleville",
    public_url=BASE,
    operator="ops@example.org",
)


def paper(number: int, title: str = "Learning to rank", abstract: str = "Short.") -> PaperText:
    paper_id = f"2604.{number:05}"
    return PaperText(
        id=paper_id,
        title=title,
        abstract=abstract,
        authors=("Ada Lovelace", "Alan Turing", "Grace Hopper", "Emmy Noether"),
        categories=("cs.IR", "cs.LG"),
        announced=date(2026, 4, 14),
        url=f"{BASE}/paper/{paper_id}",
    )


def digest(*papers: PaperText, reasons: tuple[str, ...] = ("matches “ranking”",)) -> Digest:
    items = tuple(
        DigestItem(
            fragment=render_paper(each),
            title=each.title,
            reasons=reasons,
            more_url=f"{BASE}/vote/{'m' * 44}{number:03}",
            less_url=f"{BASE}/vote/{'l' * 44}{number:03}",
        )
        for number, each in enumerate(papers)
    )
    return Digest(
        local_date=date(2026, 4, 14),
        items=items,
        considered=412,
        frequency="daily",
        preferences_url=f"{BASE}/me/{'p' * 48}",
        unsubscribe_url=f"{BASE}/unsubscribe/{'u' * 48}",
        why="graph neural networks and 3 votes",
    )


def parsed(message: bytes) -> EmailMessage:
    result = message_from_bytes(message, policy=policy.default)
    assert isinstance(result, EmailMessage)
    return result


def html_size(message: bytes) -> int:
    """In bytes, as it arrives."""
    part = parsed(message).get_body(("html",))
    assert part is not None
    decoded = part.get_payload(decode=True)
    assert isinstance(decoded, bytes)
    return len(decoded)


def body(message: bytes, kind: str) -> str:
    part = parsed(message).get_body((kind,))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def real_papers(count: int) -> list[PaperText]:
    data = ROOT / os.environ.get("PAPERPOST_DATA", "../shared/data")
    file = data / "arxiv" / "2026-04-14.jsonl.gz"
    if not file.exists():
        pytest.skip(f"needs real papers: {file} is not there (set PAPERPOST_DATA)")
    with gzip.open(file, "rt") as lines:
        records = [json.loads(line) for _, line in zip(range(count), lines, strict=False)]
    return [
        PaperText(
            id=record["id"],
            title=record["title"],
            abstract=record["abstract"],
            authors=tuple(record["authors"]),
            categories=tuple(record["categories"]),
            announced=date.fromisoformat(record["announced"]),
            url=f"{BASE}/paper/{record['id']}",
        )
        for record in records
    ]


HOSTILE = (
    "&<>\"'" * 4000,
    "<script>alert(1)</script><!--title-->" * 300,
    "<!--/abstract--></p><a href='https://evil.example'>",
    "世界" * 4000,
    "\u202eMore like this: https://evil.example\r\nBcc: all@example.org\n\n--=_paperpost",
    "$" * 5000 + "{" * 5000,
    "{{ 7 * 7 }} {% raw %} jinja0x <!--jinja0x-->",
    "",
)


# Headers and structure


def test_a_digest_parses_without_defects() -> None:
    message = parsed(compose_digest(digest(paper(1, "Ünïcode “títle” 世界")), LETTER))
    parts = list(message.walk())
    assert [part.get_content_type() for part in parts] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    for part in parts:
        assert part.defects == []
        for value in part.values():
            assert value.defects == ()


def test_a_digest_has_each_header_once() -> None:
    message = parsed(compose_digest(digest(paper(1)), LETTER))
    assert {name.lower(): str(value) for name, value in message.items()} == {
        "from": "Paperpost <paperpost@localhost>",
        "to": "ada@example.org",
        "subject": "Papers 14 Apr: Learning to rank",
        "date": "Tue, 14 Apr 2026 08:00:00 +0000",
        "message-id": "<20260414.0a1b2c@localhost>",
        "auto-submitted": "auto-generated",
        "precedence": "bulk",
        "x-auto-response-suppress": "OOF, AutoReply",
        "list-id": "Paperpost digest <digest.papers.example.org>",
        "list-unsubscribe": f"<{BASE}/unsubscribe/{'u' * 48}>",
        "list-unsubscribe-post": "List-Unsubscribe=One-Click",
        "list-post": "NO",
        "list-owner": "<mailto:ops@example.org>",
        "mime-version": "1.0",
        "content-type": message["content-type"],
    }
    assert len(message.keys()) == len({name.lower() for name in message})


def test_the_small_mails_are_not_list_mail() -> None:
    for message in (
        compose_confirmation(f"{BASE}/confirm/x", LETTER),
        compose_access_link(f"{BASE}/me/x", LETTER),
    ):
        assert parsed(message)["Auto-Submitted"] == "auto-generated"
        assert not [name for name in parsed(message) if name.startswith("List-")]


@pytest.mark.parametrize("title", HOSTILE)
def test_lines_are_short_seven_bit_and_end_in_crlf(title: str) -> None:
    message = compose_digest(digest(paper(1, title, title)), LETTER)
    assert message.isascii()
    assert b"\0" not in message
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", message)
    assert max(map(len, message.split(b"\r\n"))) < 998


def test_a_long_link_is_not_broken_in_its_header() -> None:
    long = replace(digest(), unsubscribe_url=f"{BASE}/unsubscribe/{'u' * 600}")
    raw = compose_digest(long, LETTER)
    assert f"List-Unsubscribe: <{long.unsubscribe_url}>\r\n".encode() in raw


def test_the_same_input_gives_the_same_bytes() -> None:
    assert compose_digest(digest(paper(1)), LETTER) == compose_digest(digest(paper(1)), LETTER)


def test_a_title_cannot_write_a_header() -> None:
    title = "=?utf-8?q?x=0D=0ABcc:_all@example.org?= \r\nBcc: all@example.org"
    message = parsed(compose_digest(digest(paper(1, title)), LETTER))
    assert message["Bcc"] is None
    assert str(message["Subject"]).startswith("Papers 14 Apr: = ?utf-8?q?x=0D")


def test_a_recipient_outside_of_ascii_stays_readable() -> None:
    letter = replace(LETTER, recipient="δοκιμή@example.org")
    assert "To: δοκιμή@example.org\r\n".encode() in compose_digest(digest(paper(1)), letter)


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        ("http://127.0.0.1:8000", "digest.127.0.0.1"),
        ("https://papers.example.org/x", "digest.papers.example.org"),
        ("http://[::1]:8000", "digest.1"),
    ],
)
def test_the_list_has_a_stable_name(public_url: str, expected: str) -> None:
    assert list_id(public_url) == expected


def test_the_subject_is_the_date_and_the_first_title() -> None:
    subject = digest_subject(digest(paper(1, "A very long title " * 9), paper(2)))
    assert subject.startswith("Papers 14 Apr: A very long title")
    assert subject.endswith("…")
    assert len(subject) <= 15 + 70


def test_a_link_that_is_not_http_is_refused() -> None:
    with pytest.raises(UnsafeAddress):
        compose_confirmation("javascript:alert(1)", LETTER)
    with pytest.raises(UnsafeAddress):
        compose_confirmation(" data:text/html,x", LETTER)


def test_a_letter_needs_a_time_zone() -> None:
    naive = replace(LETTER, date=LETTER.date.replace(tzinfo=None))
    with pytest.raises(ValueError, match="time zone"):
        compose_confirmation(BASE, naive)


# The text part


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
    text = body(compose_digest(digest(paper(1, "Word " * 50, "Word " * 200)), LETTER), "plain")
    assert all(len(line) <= 100 or "https://" in line for line in text.split("\n"))
    assert all(len(line) <= 80 for line in blocks(text)[0].split("\n")[:-4])


# The HTML part


class Page(HTMLParser):
    """Every start tag of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_html_stays_small_and_ours_whatever_the_papers_say(text: str) -> None:
    papers = [paper(number, text, text) for number in range(50)]
    mail = digest(*papers, reasons=(text, text, text, text))
    message = compose_digest(mail, LETTER)
    assert html_size(message) < LARGEST_HTML
    tags = Page(body(message, "html"))
    assert not tags.named("script")
    links = [link["href"] or "" for link in tags.named("a")]
    assert len(links) == 3 * 50 + 4
    assert all(link.startswith((BASE, "mailto:ops@")) for link in links)


def test_fifty_real_papers_hold_and_ten_keep_their_abstracts() -> None:
    papers = real_papers(50)
    assert html_size(compose_digest(digest(*papers), LETTER)) < LARGEST_HTML
    page = Page(body(compose_digest(digest(*papers[:10]), LETTER), "html")).text
    for each in papers[:10]:
        assert " ".join(each.abstract.split())[:80] in page or "\\" in each.abstract[:100]


def test_the_page_is_made_for_readers_of_every_kind() -> None:
    page = body(compose_digest(digest(paper(1, "First"), paper(2, "Second")), LETTER), "html")
    tags = Page(page)
    assert tags.named("html")[0].items() >= {"lang": "en", "dir": "ltr"}.items()
    assert len(tags.named("h1")) == 1
    assert len(tags.named("h2")) == 2
    assert not tags.named("img")
    assert "<title>Papers 14 Apr: First</title>" in page
    labels = [link["aria-label"] for link in tags.named("a") if "aria-label" in link]
    assert labels == [
        "More like this: First",
        "Less like this: First",
        "More like this: Second",
        "Less like this: Second",
    ]
    assert "@media (prefers-color-scheme: dark)" in page
    assert "2 of 412 new papers; top: First" in tags.text
    assert "Ranked for you from: graph neural networks and 3 votes." in tags.text


def test_style_is_written_into_the_tags_once() -> None:
    page = body(compose_digest(digest(paper(1)), LETTER), "html")
    titles = [tag for tag in Page(page).named("a") if tag["href"] == f"{BASE}/paper/2604.00001"]
    assert "color:#1b4f9c" in (titles[0]["style"] or "")
    assert "jinja" not in page
    assert "<!--title" not in page


def test_no_link_has_a_browsers_colour() -> None:
    mails = (
        compose_digest(digest(paper(1)), LETTER),
        compose_confirmation(BASE, LETTER),
        compose_access_link(BASE, LETTER),
    )
    for mail in mails:
        for link in Page(body(mail, "html")).named("a"):
            assert re.search(r"(?<![\w-])color:#", link["style"] or "")


def luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(sign * 2 for sign in colour)
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """The ratio of WCAG 2.2, between 1 and 21."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_text_can_be_read_by_day_and_by_night() -> None:
    day = (FOLDER / "mail.css").read_text()
    night = (FOLDER / "layout.html").read_text().partition("dark) {")[2].partition("</style>")[0]
    for style, page in ((day, "fff"), (night, "191d23")):
        rules = re.findall(r"\{([^{}]*)\}", style)
        for rule in rules:
            words = re.search(r"(?<![\w-])color: #(\w+)", rule)
            ground = re.search(r"background: #(\w+)", rule)
            if words:
                assert contrast(words[1], ground[1] if ground else page) >= 4.5, rule


# The rest


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
