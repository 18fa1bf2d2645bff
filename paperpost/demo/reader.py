"""What a reader does with the demo's mails: opens them, and follows a vote link to its form."""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from paperpost.errors import PaperpostError

VOTES = re.compile(
    r"^(?P<address>https?://\S+)\nMore like this: (?P<more>\S+)\nLess like this: (?P<less>\S+)$",
    re.MULTILINE,
)
REASON = re.compile(r"^\s*Why: (?P<reason>.+?)(?=\n\S*https?://|\n\n|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One paper of a digest, as its text part shows it."""

    paper: str
    reasons: tuple[str, ...]
    more_url: str
    less_url: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A digest that arrived."""

    subject: str
    blocks: tuple[Block, ...]


def mails_of(folder: Path, day: date) -> dict[str, Mail]:
    """The digests of one day, by recipient."""
    found = {}
    for path in sorted(folder.glob(f"{day}-digest-*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = message.get_body(("plain",))
        text = "" if body is None else str(body.get_content()).replace("\r\n", "\n")
        found[str(message["To"])] = Mail(str(message["Subject"]), tuple(_blocks(text)))
    return found


def _blocks(text: str) -> Iterator[Block]:
    start = 0
    for found in VOTES.finditer(text):
        reason = REASON.search(text[start : found.start() + 1])
        reasons = (" ".join(reason["reason"].split()),) if reason else ()
        paper = found["address"].rpartition("/")[2]
        yield Block(paper, reasons, found["more"], found["less"])
        start = found.end()


class _FirstForm(HTMLParser):
    """The hidden fields of a page's first form that is posted."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and self.action is None and (given.get("method") or "").lower() == "post":
            self.action, self._inside = given.get("action") or "", True
        elif tag == "input" and self._inside and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def post_vote(link: str, base: str) -> None:
    """Open a vote link and post the page's first form as it stands.

    `base` is where the demo's own server listens; the links name the port of `paperpost serve`.
    """
    address = base + urlsplit(link).path
    page = httpx.get(address)
    form = _FirstForm()
    form.feed(page.text)
    if page.status_code != 200 or form.action is None:
        raise PaperpostError(f"the vote page at {address} answered {page.status_code}")
    answer = httpx.post(str(httpx.URL(address).join(form.action)), data=form.fields)
    if answer.status_code != 200:
        raise PaperpostError(f"the vote at {address} was answered with {answer.status_code}")
