"""Digests for tests, and what is in a message."""

import gzip
import json
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from conftest import DATA

from mailer.compose import render_paper
from mailer.digest import Digest, DigestItem, Letter, PaperText

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
    file = DATA / "arxiv" / "2026-04-14.jsonl.gz"
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


class Page(HTMLParser):
    """Every start tag of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.chunks: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.chunks.append(data)

    @property
    def text(self) -> str:
        return "".join(self.chunks)

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]
