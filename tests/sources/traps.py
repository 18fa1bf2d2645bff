"""What can go wrong with an answer, each made of the faithful one."""

import gzip
import re
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

from loopback_source import Told

# What stands in for a day nobody can mean.
FUTURE = b"2099-12-31"
_ISO_DAY = re.compile(rb"\b(20\d\d)-(\d\d)-(\d\d)(?!\d)")
_MAIL_DAY = re.compile(rb"\b(\w{3}), (\d\d) (\w{3}) (20\d\d)\b")
_TITLE = re.compile(rb"(<(?:\w+:)?title[^>]*>)([^<]*)(</)|(\"title\": ?\")((?:[^\"\\]|\\.)*)(\")")
_ROOT = re.compile(rb"<(rss|feed|OAI-PMH|PubmedArticleSet)\b")

BOMB = (
    b'<!DOCTYPE bomb [<!ENTITY a "ha">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in b"bcdefghij"
    )
    + b"]>"
)
FEED_ERROR = b"""<?xml version='1.0' encoding='UTF-8'?>
<rss version="2.0"><channel><title>Feed error for query: https://rss.arxiv.org/rss/cs.XX</title>
<description>Bad archive 'cs.XX'. Valid archives are: cs, math.</description></channel></rss>
"""
LOGIN = b"<!DOCTYPE html><html><body>Please log in to the hotel's network</body></html>"

Trap = Callable[[Told], Told]


def answers(status: int, body: bytes = b"", **headers: str) -> Trap:
    """This and nothing else; `Retry_After="7"` is the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda told: Told(status, body, named)


def busy(status: int = 503, *, retry_after: str | None = None) -> Trap:
    """429 or 503; `retry_after` in seconds or as a date, None for no such header."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return lambda told: Told(status, b"busy", headers)


def error_feed(told: Told) -> Told:
    """An error that calls itself a success."""
    return Told(200, FEED_ERROR, {"Content-Type": "application/rss+xml"})


def login_page(told: Told) -> Told:
    """The page of a network that wants a password first."""
    return Told(200, LOGIN, {"Content-Type": "text/html"})


def half_a_page(told: Told) -> Told:
    """The beginning, as if it were all."""
    return replace(told, body=told.body[: len(told.body) // 2])


def cut_off(told: Told) -> Told:
    """The beginning, and then the connection is gone before the promised length."""

    def write(to: BaseHTTPRequestHandler) -> None:
        to.wfile.write(told.body[: len(told.body) // 2])

    headers = told.headers | {"Content-Length": str(len(told.body))}
    return replace(told, headers=headers, write=write)


def wrong_dates(told: Told) -> Told:
    """Every day is one that has not come."""
    body = _ISO_DAY.sub(FUTURE, told.body)
    return replace(told, body=_MAIL_DAY.sub(rb"Thu, 31 Dec 2099", body))


def unpadded_dates(told: Told) -> Told:
    """2026-04-01 is 2026-4-1."""

    def unpad(day: re.Match[bytes]) -> bytes:
        return b"%s-%d-%d" % (day[1], int(day[2]), int(day[3]))

    body = _ISO_DAY.sub(unpad, told.body)
    return replace(told, body=_MAIL_DAY.sub(lambda m: b"%s, %d %s %s" % _days_of(m), body))


def _days_of(match: re.Match[bytes]) -> tuple[bytes, int, bytes, bytes]:
    return match[1], int(match[2]), match[3], match[4]


def entity_bomb(told: Told) -> Told:
    """A document type whose entity `j` is a gigabyte, used in every title."""
    body = _TITLE.sub(rb"\1&j;\3", told.body)
    return replace(told, body=_ROOT.sub(BOMB + rb"<\1", body, count=1))


def long_titles(told: Told) -> Told:
    """Every title has 10 kB, in XML as in JSON."""
    long = b"A very long title. " * 540

    def lengthen(title: re.Match[bytes]) -> bytes:
        before, after = (title[1], title[3]) if title[1] else (title[4], title[6])
        return before + (title[2] or title[5] or b"") + long + after

    return replace(told, body=_TITLE.sub(lengthen, told.body))


def wrong_type(told: Told) -> Told:
    """The right bytes under a wrong name."""
    return replace(told, headers=told.headers | {"Content-Type": "text/html; charset=latin-1"})


def gzipped(told: Told) -> Told:
    """Compressed, as asked for."""
    headers = told.headers | {"Content-Encoding": "gzip"}
    return replace(told, body=gzip.compress(told.body), headers=headers)


def gzip_bomb(told: Told) -> Told:
    """A gigabyte of spaces in a megabyte, for as long as somebody reads."""

    def write(to: BaseHTTPRequestHandler) -> None:
        packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
        for _ in range(1024):
            to.wfile.write(packer.compress(b" " * 1024 * 1024))
        to.wfile.write(packer.flush())

    return Told(told.status, headers={"Content-Encoding": "gzip"}, write=write)


def drips(told: Told) -> Told:
    """A byte now and then, for ever."""

    def write(to: BaseHTTPRequestHandler) -> None:
        while True:
            to.wfile.write(b" ")
            to.wfile.flush()
            time.sleep(0.01)

    return Told(told.status, headers=told.headers, write=write)


def endless(told: Told) -> Told:
    """As fast as can be, for ever."""

    def write(to: BaseHTTPRequestHandler) -> None:
        while True:
            to.wfile.write(b" " * 65536)

    return Told(told.status, headers=told.headers, write=write)


def redirected(to: str, status: int = 302) -> Trap:
    """Go elsewhere."""
    return lambda told: Told(status, headers={"Location": to})
