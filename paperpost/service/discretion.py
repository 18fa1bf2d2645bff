"""Texts from outside, made fit to be told to others: one line, and neither link nor address."""

import re
import unicodedata
from urllib.parse import urlsplit

LONGEST = 200

# A link in a mail may hold a token, and an address is somebody's.
_LINK = re.compile(r"\b[a-z]+://\S*[^\s.,:;)>\]\"']", re.IGNORECASE)
_ADDRESS = re.compile(r"<?[^\s<>,;:@]+@[^\s<>,;:@]+>?")


def discreet(text: str) -> str:
    """The first line of a text, with hosts in place of links and without mail addresses."""
    line = text.strip().partition("\n")[0][: 5 * LONGEST]
    printable = "".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in line)
    without = _ADDRESS.sub("(an address)", _LINK.sub(_host, " ".join(printable.split())))
    return without if len(without) <= LONGEST else without[: LONGEST - 1] + "…"


def _host(link: re.Match[str]) -> str:
    try:
        return urlsplit(link[0]).hostname or "(a link)"
    except ValueError:
        return "(a link)"
