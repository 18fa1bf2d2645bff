"""journal.example/new.rss: the feed of a publisher, with whatever entries it has at the moment."""

import hashlib
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from loopback_source import Told
from web_on_loopback import Question

SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"'
)
ADDRESS = "https://journal.example/new.rss?of=all&articles=yes"


def entry(number: int, date: str = "", *, doi: bool = True, **texts: str) -> str:
    """An item of RSS; its date as in mails, none if it is empty."""
    title = texts.get("title", f"Invented article {number} of a journal")
    about = texts.get("about", f"<p>What <i>article {number}</i> is about.</p>")
    published = f"<pubDate>{date}</pubDate>" if date else ""
    named = f"<prism:doi>10.1000/article.{number}</prism:doi>" if doi else ""
    return (
        f"<item><title>{escape(title)}</title><link>https://journal.example/{number}?rss=1</link>"
        f"<description>{escape(about)}</description><dc:creator>Ada Lovelace</dc:creator>"
        f"{named}{published}</item>"
    )


def rss(*items: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {SPACES}>'
        f"<channel><title>A journal</title>\n{chr(10).join(items)}\n</channel></rss>"
    ).encode()


@dataclass
class Journal:
    """`body` if it is set, else a feed of `entries`, newest first."""

    entries: list[str] = field(default_factory=list)
    body: bytes | None = None
    hosts: tuple[str, ...] = ("journal.example",)
    address: str = ADDRESS

    def answer(self, question: Question) -> Told | None:
        if question.url != self.address.removeprefix("https://"):
            return None
        body = rss(*self.entries) if self.body is None else self.body
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        return Told(200, body, {"Content-Type": "application/rss+xml", "ETag": etag})
