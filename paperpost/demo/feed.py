"""The bundled papers on loopback, a day at a time, as arXiv serves its RSS feed."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from paperpost.demo.people import bundled_papers

NAMESPACES = (
    'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


class DemoFeed:
    """A feed that carries the batch of one day, which is turned by hand."""

    def __init__(self, day: date) -> None:
        self.day = day
        self.url = ""

    def document(self) -> bytes:
        """The day's batch as RSS."""
        items = "".join(_item(p) for p in bundled_papers() if p["announced"] == str(self.day))
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {NAMESPACES}>'
            f"<channel><title>Paperpost demo</title><link>{self.url}</link>"
            f"<description>bundled papers</description>{items}</channel></rss>"
        ).encode()


def _item(paper: dict[str, Any]) -> str:
    day = date.fromisoformat(paper["announced"])
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("America/New_York"))
    categories = "".join(f"<category>{escape(name)}</category>" for name in paper["categories"])
    return (
        f"<item><title>{escape(paper['title'])}</title>"
        f"<link>https://arxiv.org/abs/{paper['id']}</link>"
        f"<description>arXiv:{paper['id']}v1 Announce Type: new \n"
        f"Abstract: {escape(paper['abstract'])}</description>"
        f'<guid isPermaLink="false">oai:arXiv.org:{paper["id"]}v1</guid>{categories}'
        f"<pubDate>{format_datetime(midnight)}</pubDate>"
        "<arxiv:announce_type>new</arxiv:announce_type>"
        f"<dc:creator>{escape(', '.join(paper['authors']))}</dc:creator></item>"
    )


@contextmanager
def serving(feed: DemoFeed) -> Iterator[None]:
    """Answer requests on a free port of loopback as long as this lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = feed.document()
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if self.headers.get("If-None-Match") == etag:
                self.send_response(304)
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("ETag", etag)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: this is not the demo's story."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        feed.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
