"""What of an address may be told: keys, tokens and mail addresses in its query stay with us."""

import hashlib
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, quote, unquote_plus, urlsplit, urlunsplit

HIDDEN = "..."

_SECRET_NAME = re.compile(r"key(?!word)|token|secret|passw|sig|auth(?!or)|mail|user", re.IGNORECASE)
# Shorter values hide nothing, and would be found everywhere.
_SHORTEST_SECRET = 6


def without_secrets(url: str) -> str:
    """The address, with dots for what only we should know."""
    parts = _split(url)
    if parts is None:
        return "an address that cannot be read"
    pairs = (_hidden(pair) for pair in parts.query.split("&"))
    return urlunsplit((parts.scheme, _host(parts), parts.path, "&".join(pairs), ""))


def has_secrets(url: str) -> bool:
    """Whether there is something in the address that only we should know."""
    return next(_secrets(url, shortest=1), None) is not None


def without_query(url: str) -> str:
    """The address as a reader may see it."""
    return without_secrets(url).partition("?")[0]


def scrubbed(text: str, url: str) -> str:
    """A text about an address, or a server's answer to it, without the address's secrets."""
    for secret in _secrets(url):
        text = re.sub(re.escape(secret), HIDDEN, text, flags=re.IGNORECASE)  # %2f is %2F
    return text


def kept_under(url: str) -> str:
    """A name for the address that tells no secret and is no other address's."""
    told = without_secrets(url)
    digest = hashlib.sha256(url.encode(errors="surrogatepass")).hexdigest()
    return told if told == url else f"{told}#{digest[:20]}"


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:  # http://[journal]/x
        return None


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _hidden(pair: str) -> str:
    return f"{pair.partition('=')[0]}={HIDDEN}" if _is_secret(pair) else pair


def _is_secret(pair: str) -> bool:
    name, _, value = pair.partition("=")
    return bool(value and _SECRET_NAME.search(unquote_plus(name)))


def _secrets(url: str, shortest: int = _SHORTEST_SECRET) -> Iterator[str]:
    parts = _split(url)
    if parts is None:
        return
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    values = [pair.partition("=")[2] for pair in parts.query.split("&") if _is_secret(pair)]
    for value in (user, password, *values):
        plain = unquote_plus(value)
        for spelling in {value, plain, quote(plain, safe="", errors="replace")}:
            if len(spelling) >= shortest:
                yield spelling
