"""OAI-PMH, as arXiv serves it: the metadata formats `arXiv`, `arXivRaw` and `oai_dc`.

https://www.openarchives.org/OAI/openarchivesprotocol.html, https://info.arxiv.org/help/oa/

A record says when its versions were submitted and when it was last changed, never when it was
announced. So the rule here: a paper with one version was announced on the record's datestamp if
that is at most seven days after the first announcement it could be in; everything else counts from
that one. Only `arXivRaw` tells the time of day that decides which one that is; in the other formats
it is the day of creation.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import IO, NamedTuple, NewType
from xml.etree.ElementTree import Element

from paperpost.sources.arxiv_days import DAY, announced_after
from paperpost.sources.errors import FeedError
from paperpost.sources.found import FoundPaper, InvalidRecord, Records, Rejected, checked
from paperpost.sources.people import name_in_order, names_in_line
from paperpost.sources.xml_documents import Damage, elements, local_name

SOURCE = "arxiv"
ROOT = "OAI-PMH"

_ANNOUNCED_WITHIN = timedelta(days=7)
_NOTHING_NEW = "noRecordsMatch"
# arXivRaw's source_type of a version that was withdrawn ("I": to be ignored).
_WITHDRAWN = "I"

ResumptionToken = NewType("ResumptionToken", str)


class Listed(NamedTuple):
    """One record of a list: `datestamp` is when it was last changed (UTC), `replaced` the first day
    that could have its newest version, None for the first one or if the format does not tell."""

    paper: FoundPaper
    datestamp: date
    replaced: date | None = None
    withdrawn: bool = False


def read_oai(stream: IO[bytes], *, today: date) -> Records:
    """The records' papers; deleted ones are rejected. Raises FeedError, UnreadableFile."""
    for found in read_list(stream, today=today):
        if isinstance(found, Listed):
            yield found.paper
        elif isinstance(found, Rejected):
            yield found


def read_list(stream: IO[bytes], *, today: date) -> Iterator[Listed | Rejected | ResumptionToken]:
    """The records of one answer, and the token for the next if there is more.

    Raises FeedError with OAI-PMH's `code`, UnreadableFile.
    """
    number = 0
    for found in elements(stream, {"record", "error", "resumptionToken"}):
        if isinstance(found, Damage):
            yield Rejected(number + 1, found.reason, damage=True)
        elif local_name(found) == "error":
            _check_error(found)
        elif local_name(found) == "resumptionToken":
            if token := (found.text or "").strip():
                yield ResumptionToken(token)
        else:
            number += 1
            yield _read_record(number, found, today)


def _check_error(error: Element) -> None:
    code = error.get("code", "")
    if code != _NOTHING_NEW:
        raise FeedError(f"{code}: {(error.text or '').strip()}", code)


def _read_record(number: int, record: Element, today: date) -> Listed | Rejected:
    try:
        header = record.find("{*}header")
        if header is None:
            raise InvalidRecord("the record has no header")
        if header.get("status") == "deleted":
            raise InvalidRecord("deleted record")
        return _listed(record, header, today)
    except InvalidRecord as invalid:
        return Rejected(number, str(invalid))
    except OverflowError:  # the first days of the year 1, the last of 9999
        return Rejected(number, "a date of the record is at the end of time")


def _listed(record: Element, header: Element, today: date) -> Listed:
    for metadata in record.iterfind("{*}metadata/*"):
        if read := _FORMATS.get(local_name(metadata)):
            paper = checked(read(metadata, header), source=SOURCE, today=today)
            versions = metadata.findall("{*}version")
            # One that has not come would end a harvest that goes on from the newest.
            datestamp = min(_datestamp(header), today + DAY)
            return Listed(paper, datestamp, _replaced(versions), _is_withdrawn(versions))
    raise InvalidRecord("the record has no metadata in a known format")


def _replaced(versions: list[Element]) -> date | None:
    return announced_after(_submitted(versions[-1])) if len(versions) > 1 else None


def _is_withdrawn(versions: list[Element]) -> bool:
    return bool(versions) and _WITHDRAWN in _text(versions[-1], "source_type")


def _arxiv(metadata: Element, header: Element) -> dict[str, object]:
    created, updated = _day(_text(metadata, "created")), _text(metadata, "updated")
    authors = [
        " ".join(filter(None, (_text(author, part) for part in ("forenames", "keyname", "suffix"))))
        for author in metadata.iterfind("{*}authors/{*}author")
    ]
    day = _announced(created, created, _datestamp(header), only_version=not updated)
    return _common(metadata) | {"authors": authors, "announced": day}


def _arxiv_raw(metadata: Element, header: Element) -> dict[str, object]:
    versions = metadata.findall("{*}version")
    if not versions:
        raise InvalidRecord("the record has no version")
    submitted, only_version = _submitted(versions[0]), len(versions) == 1
    earliest = announced_after(submitted)
    day = _announced(submitted.date(), earliest, _datestamp(header), only_version=only_version)
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
        "announced": _announced(days[0], days[0], _datestamp(header), only_version=len(days) == 1),
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


def _submitted(version: Element) -> datetime:
    text = _text(version, "date")
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidRecord(f"the version's date is not a date: {text[:40]!a}") from None


def _announced(created: date, earliest: date, datestamp: date, *, only_version: bool) -> date:
    """The day of the announcement; `earliest` is the first that it can have been.

    arXiv changes its metadata in the evening before that day, which is that day in UTC, and in
    summer at times still the day before.
    """
    soon = created <= datestamp <= earliest + _ANNOUNCED_WITHIN
    return datestamp if only_version and soon and datestamp + DAY != earliest else earliest
