"""OAI-PMH, as arXiv serves it: the metadata formats `arXiv`, `arXivRaw` and `oai_dc`.

https://www.openarchives.org/OAI/openarchivesprotocol.html, https://info.arxiv.org/help/oa/

A record says when it was made and when it was last changed, never when it was announced. So the
rule here: a paper with one version was announced on the record's datestamp if that is at most
seven days after its creation, and everything else counts from its creation.
"""

from datetime import UTC, date, timedelta
from email.utils import parsedate_to_datetime
from typing import IO
from xml.etree.ElementTree import Element

from paperpost.sources.errors import FeedError
from paperpost.sources.found import FoundPaper, InvalidRecord, Records, Rejected, checked
from paperpost.sources.people import name_in_order, names_in_line
from paperpost.sources.xml_documents import Damage, elements, local_name

SOURCE = "arxiv"
ROOT = "OAI-PMH"

_ANNOUNCED_WITHIN = timedelta(days=7)
_NOTHING_NEW = "noRecordsMatch"


def read_oai(stream: IO[bytes], *, today: date) -> Records:
    """The records' papers; deleted ones are rejected. Raises FeedError, UnreadableFile."""
    number = 0
    for found in elements(stream, {"record", "error"}):
        if isinstance(found, Damage):
            yield Rejected(number + 1, found.reason, damage=True)
        elif local_name(found) == "error":
            _check_error(found)
        else:
            number += 1
            yield _read_record(number, found, today)


def _check_error(error: Element) -> None:
    code = error.get("code", "")
    if code != _NOTHING_NEW:
        raise FeedError(f"{code}: {(error.text or '').strip()}")


def _read_record(number: int, record: Element, today: date) -> FoundPaper | Rejected:
    try:
        return checked(_fields(record), source=SOURCE, today=today)
    except InvalidRecord as invalid:
        return Rejected(number, str(invalid))


def _fields(record: Element) -> dict[str, object]:
    header = record.find("{*}header")
    if header is None:
        raise InvalidRecord("the record has no header")
    if header.get("status") == "deleted":
        raise InvalidRecord("deleted record")
    for metadata in record.iterfind("{*}metadata/*"):
        if read := _FORMATS.get(local_name(metadata)):
            return read(metadata, header)
    raise InvalidRecord("the record has no metadata in a known format")


def _arxiv(metadata: Element, header: Element) -> dict[str, object]:
    created, updated = _text(metadata, "created"), _text(metadata, "updated")
    authors = [
        " ".join(filter(None, (_text(author, part) for part in ("forenames", "keyname", "suffix"))))
        for author in metadata.iterfind("{*}authors/{*}author")
    ]
    day = _announced(_day(created), _datestamp(header), only_version=not updated)
    return _common(metadata) | {"authors": authors, "announced": day}


def _arxiv_raw(metadata: Element, header: Element) -> dict[str, object]:
    versions = metadata.findall("{*}version")
    created = _text(versions[0], "date") if versions else ""
    day = _announced(_mail_day(created), _datestamp(header), only_version=len(versions) == 1)
    authors = names_in_line(_text(metadata, "authors"))
    return _common(metadata) | {"authors": authors, "announced": day, "version": len(versions)}


def _common(metadata: Element) -> dict[str, object]:
    return {
        "id": _text(metadata, "id"),
        "title": _text(metadata, "title"),
        "abstract": _text(metadata, "abstract"),
        "categories": _text(metadata, "categories"),
        "comment": _text(metadata, "comments"),
        "doi": _text(metadata, "doi"),
    }


def _dublin_core(metadata: Element, header: Element) -> dict[str, object]:
    """`oai_dc` names subjects, not categories: those are in the header's sets."""
    descriptions = _texts(metadata, "description")
    comments = [text for text in descriptions if text.startswith("Comment: ")]
    days = sorted(_day(text) for text in _texts(metadata, "date"))
    if not days:
        raise InvalidRecord("the record has no date")
    identifiers = [text for text in _texts(metadata, "identifier") if "arxiv.org/" in text.lower()]
    dois = [text for text in _texts(metadata, "identifier") if text.lower().startswith("doi:")]
    return {
        "id": (identifiers or [_text(header, "identifier")])[0],
        "title": _text(metadata, "title"),
        "abstract": next((text for text in descriptions if text not in comments), ""),
        "announced": _announced(days[0], _datestamp(header), only_version=len(days) == 1),
        "authors": [name_in_order(name) for name in _texts(metadata, "creator")],
        "categories": [_category(text) for text in _texts(header, "setSpec")],
        "comment": comments[0].removeprefix("Comment: ") if comments else None,
        "doi": dois[0] if dois else None,
    }


_FORMATS = {"arXiv": _arxiv, "arXivRaw": _arxiv_raw, "dc": _dublin_core}


def _category(set_spec: str) -> str:
    """`cs:cs:AI` is cs.AI, `physics:hep-ph` is hep-ph."""
    _, _, category = set_spec.partition(":")
    return (category or set_spec).replace(":", ".")


def _text(parent: Element, name: str) -> str:
    return (parent.findtext(f"{{*}}{name}") or "").strip()


def _texts(parent: Element, name: str) -> list[str]:
    found = (element.text for element in parent.iterfind(f"{{*}}{name}"))
    return [text.strip() for text in found if text and text.strip()]


def _datestamp(header: Element) -> date:
    return _day(_text(header, "datestamp")[:10])


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRecord(f"the record's date is not a date: {text[:40]!a}") from None


def _mail_day(text: str) -> date:
    try:
        return parsedate_to_datetime(text).astimezone(UTC).date()
    except (ValueError, OverflowError):
        raise InvalidRecord(f"the version's date is not a date: {text[:40]!a}") from None


def _announced(created: date, datestamp: date, *, only_version: bool) -> date:
    soon = timedelta(0) <= datestamp - created <= _ANNOUNCED_WITHIN
    return datestamp if only_version and soon else created
