"""Answers of APIs that want a key and explain their refusals in JSON."""

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from paperpost.sources.cleaning import plain_text
from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import RequestFailed, SourceBusy, UnreadableFile
from paperpost.sources.redaction import scrubbed

_MESSAGE_LIMIT = 200


def ask(client: PoliteClient, address: str, parameters: Mapping[str, str]) -> bytes:
    """The body of an answer. Raises RequestFailed, with the API's own words if it says any."""
    url = f"{address}?{urlencode(parameters, quote_via=quote, safe=':,*/')}"
    try:
        return client.get(url).body or b""
    except SourceBusy:
        raise
    except RequestFailed as failure:
        message = _words_of(failure.body)
        if failure.status is None or not message:
            raise
        told = plain_text(scrubbed(message, url), _MESSAGE_LIMIT)
        reason = f"HTTP {failure.status}: {told}"
        raise RequestFailed(address, reason, status=failure.status) from failure


def json_object(body: bytes) -> dict[str, object]:
    """The JSON object that a body is. Raises UnreadableFile."""
    try:
        # Not strict: NCBI has put line breaks into the texts of its messages.
        value = json.loads(body.decode("utf-8-sig"), strict=False)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        raise UnreadableFile("the answer is no JSON, or ends in the middle") from None
    if not isinstance(value, dict):
        raise UnreadableFile("the answer is JSON of another kind than expected")
    return value


def explanation(answer: Mapping[str, object]) -> str:
    """What an answer says instead of results, by the names that APIs give it."""
    texts = (answer.get(name) for name in ("message", "error", "ERROR"))
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _words_of(body: bytes) -> str:
    try:
        return explanation(json_object(body))
    except UnreadableFile:
        return ""
