"""The HTML part: small, ours, and readable for everybody."""

import html
import re
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from browser import SCHEMES, Readers, Scheme
from composed import BASE, HOSTILE, LETTER, Page, body, digest, html_size, paper, real_papers

from mailer.compose import (
    LARGEST_HTML,
    compose_access_link,
    compose_alarm,
    compose_confirmation,
    compose_digest,
)
from mailer.templates import FOLDER

DIGEST = digest(
    paper(1, "Learning to rank papers " * 5, "Words that nobody has to read. " * 12),
    paper(2, "אחזור מידע", "Second."),
    reasons=("matches “ranking”", "close to “Ranking papers”, which you liked"),
)
MAILS = {
    "digest": compose_digest(
        replace(DIGEST, items=(DIGEST.items[0], replace(DIGEST.items[1], explored=True))), LETTER
    ),
    "trending": compose_digest(
        replace(DIGEST, why="", items=tuple(replace(i, trending=True) for i in DIGEST.items)),
        LETTER,
    ),
    "quiet": compose_digest(replace(DIGEST, items=(), silence="Nothing was new."), LETTER),
    "confirmation": compose_confirmation(f"{BASE}/confirm/{'c' * 60}", LETTER),
    "access": compose_access_link(f"{BASE}/access/{'a' * 60}", LETTER),
    "alarm": compose_alarm("3 digests failed", ["The mail server said no."], LETTER),
}


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


def test_ten_long_papers_stay_whole_among_ten_and_among_fifty() -> None:
    papers = [
        paper(number, abstract=f"Begun {number}. {'Word ' * 110}End.") for number in range(50)
    ]
    for count in (10, 50):
        message = compose_digest(digest(*papers[:count]), LETTER)
        assert html_size(message) < LARGEST_HTML
        assert Page(body(message, "html")).text.count("Word End.") >= 10


def test_fifty_real_papers_hold() -> None:
    papers = real_papers(50)
    message = compose_digest(digest(*papers), LETTER)
    assert html_size(message) < LARGEST_HTML
    page = Page(body(message, "html")).text
    for each in papers[:10]:
        assert " ".join(each.abstract.split())[:80] in page or "\\" in each.abstract[:100]


@pytest.mark.parametrize("mail", MAILS.values(), ids=MAILS.keys())
def test_every_page_is_made_for_readers_of_every_kind(mail: bytes) -> None:
    page = Page(body(mail, "html"))
    assert page.named("html")[0].items() >= {"lang": "en", "dir": "ltr"}.items()
    assert len(page.named("h1")) == 1
    assert len(page.named("title")) == 1
    assert not page.named("img")
    assert not page.named("th")
    assert all(table["role"] == "presentation" for table in page.named("table"))
    names = {meta.get("name"): meta.get("content") for meta in page.named("meta")}
    assert names["color-scheme"] == names["supported-color-schemes"] == "light dark"
    assert "@media (prefers-color-scheme: dark)" in page.text
    assert "display:none" not in body(mail, "html").replace(" ", "")
    for link in page.named("a"):
        assert re.search(r"(?<![\w-])color:#", link["style"] or "")


def test_each_paper_has_a_heading_and_two_thumbs_that_name_it() -> None:
    page = body(compose_digest(digest(paper(1, "First"), paper(2, "Second")), LETTER), "html")
    assert re.findall(r"<h2.*?<a.*?>(.*?)</a></h2>", page, re.DOTALL) == ["First", "Second"]
    labels = [link["aria-label"] for link in Page(page).named("a") if "aria-label" in link]
    assert labels == [
        "More like this: First",
        "Less like this: First",
        "More like this: Second",
        "Less like this: Second",
    ]


def test_the_first_words_of_a_page_tell_what_is_in_it() -> None:
    titles = ("First things first", "Second thoughts on ranking papers for readers", "Third")
    mail = digest(*(paper(number, title) for number, title in enumerate(titles)))
    page = Page(body(compose_digest(mail, LETTER), "html").partition("</head>")[2])
    first = next(line for line in page.text.split("\n") if line)
    assert first.startswith("3 of 412 new papers; top: First things first; Second thoughts on")
    assert 85 <= len(first) <= 100


def test_style_is_written_into_the_tags_once() -> None:
    page = body(compose_digest(digest(paper(1)), LETTER), "html")
    titles = [tag for tag in Page(page).named("a") if tag["href"] == f"{BASE}/paper/2604.00001"]
    assert "color:#1b4f9c" in (titles[0]["style"] or "")
    assert "jinja" not in page
    assert "<!--title" not in page


# Colours and sizes


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """The ratio of WCAG 2.2, between 1 and 21."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_text_can_be_read_on_every_ground(scheme: str) -> None:
    dark = (FOLDER / "layout.html").read_text().partition("dark) {")[2].partition("</style>")[0]
    style = dark if scheme == "dark" else (FOLDER / "mail.css").read_text()
    rules = dict(re.findall(r"^(\S.*?) \{(.*)\}$", style, re.MULTILINE))
    button = rules.pop(".page .door" if scheme == "dark" else ".door")
    label, ground = re.findall(r"(?:color|background): #(\w{6})", button)
    assert contrast(label, ground) >= 4.5
    grounds = re.findall(r"background: #(\w{6})", " ".join(rules.values()))
    texts = re.findall(r"(?<![\w-])color: #(\w{6})", " ".join(rules.values()))
    assert len(grounds) == 3
    assert len(texts) >= 3
    for text, ground in product(texts, grounds):
        assert contrast(text, ground) >= 4.5, (text, ground)


MEASURE = """() => [...document.querySelectorAll('iframe')].map(frame => {
  const page = frame.contentDocument, box = node => node.getBoundingClientRect();
  const texts = [...page.querySelectorAll('.page *')].filter(node =>
    [...node.childNodes].some(child => child.nodeType == 3 && child.data.trim()));
  const style = node => frame.contentWindow.getComputedStyle(node);
  const thumbs = [...page.querySelectorAll('.vote a')].map(box);
  return {
    width: page.documentElement.scrollWidth,
    font: Math.min(...texts.map(node => parseFloat(style(node).fontSize))),
    line: Math.min(...texts.filter(node => !node.closest('h1, h2')).map(node =>
      parseFloat(style(node).lineHeight) / parseFloat(style(node).fontSize))),
    targets: [...page.querySelectorAll('.vote a, .wide, .door')].map(node => box(node).height),
    gaps: thumbs.filter((_, i) => i % 2).map((right, i) => right.left - thumbs[2 * i].right),
    ground: style(page.querySelector('.page')).backgroundColor,
    column: box(page.querySelector('.page')).width,
  };
})"""


def measured(readers: Readers, widths: tuple[int, ...], scheme: Scheme) -> list[dict[str, Any]]:
    """Each mail at each width, as Chromium shows it."""
    frames = "".join(
        f'<iframe width="{width}" height="900" srcdoc="{html.escape(body(mail, "html"))}"></iframe>'
        for mail, width in product(MAILS.values(), widths)
    )
    tab = readers.tab(scheme=scheme)
    tab.set_content(
        f"<!doctype html><style>:root {{ color-scheme: light dark }} iframe {{ border: 0 }}</style>"
        f"{frames}"
    )
    return list(tab.evaluate(MEASURE))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_thumb_hits_and_an_eye_reads_on_every_screen(readers: Readers, scheme: Scheme) -> None:
    widths = (320, 390, 800)
    views = measured(readers, widths, scheme)
    for (name, width), view in zip(product(MAILS, widths), views, strict=True):
        case = (name, width, view)
        assert view["width"] <= width, case
        assert view["column"] <= 632, case
        assert view["font"] >= 14, case
        assert view["line"] >= 1.49, case
        assert all(height >= 44 for height in view["targets"]), case
        assert all(gap >= 8 for gap in view["gaps"]), case
        assert view["ground"] == {"light": "rgb(253, 253, 254)", "dark": "rgb(28, 32, 39)"}[scheme]
    assert len(views[0]["targets"]) == 6
    assert len(views[0]["gaps"]) == 2
