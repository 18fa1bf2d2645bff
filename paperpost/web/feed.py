"""The Atom feed of one's own list (RFC 4287), for programs that ask again and again."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import APIRouter, Request, Response

from paperpost.service.feed import feed
from paperpost.web.render import READ, Here

router = APIRouter()

# What XML 1.0 (section 2.2) has no way to write: one such sign makes a feed unreadable.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@router.api_route("/feed/{token}.xml", methods=READ)
def own_feed(request: Request, site: Here, token: str) -> Response:
    """The papers of one's digests; 304 where a program has them already."""
    shown = feed(site.installation, token)
    document = _NOT_XML.sub("", site.render("feed.xml", {"feed": shown})).encode()
    tag = f'"{hashlib.sha256(document).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Last-Modified": format_datetime(shown.updated, usegmt=True),
        "Cache-Control": "private, no-cache",
    }
    if _has_it(request.headers, tag, shown.updated):
        return Response(status_code=304, headers=headers)
    return Response(document, media_type="application/atom+xml", headers=headers)


def _has_it(asked: Mapping[str, str], tag: str, updated: datetime) -> bool:
    """Whether a program says that it has this version: by tag, else by time (RFC 9110, section
    13.2.2)."""
    if "if-none-match" in asked:
        known = {one.strip().removeprefix("W/") for one in asked["if-none-match"].split(",")}
        return bool(known & {tag, "*"})
    try:
        since = parsedate_to_datetime(asked.get("if-modified-since", ""))
        return updated.replace(microsecond=0) <= since
    except (TypeError, ValueError):  # no date, or one without a time zone
        return False
