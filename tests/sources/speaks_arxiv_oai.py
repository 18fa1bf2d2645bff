"""oaipmh.arxiv.org: OAI-PMH 2.0 as arXiv serves it (https://info.arxiv.org/help/oa/).

Datestamps are days; a token has neither size nor cursor and is good until `expire_tokens`.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from itertools import count
from xml.sax.saxutils import escape, quoteattr

from arxiv_archive import OWN_GROUPS, Archive, Work
from loopback_source import Told
from web_on_loopback import Question

EARLIEST = date(2005, 9, 16)
FORMATS = ("oai_dc", "arXiv", "arXivRaw")
SCHEMAS = "http://arxiv.org/OAI"
ARGUMENTS = {"verb", "metadataPrefix", "set", "from", "until", "resumptionToken"}


class _Error(Exception):
    """An error of the protocol: its code and what is said."""


class ArxivOai:
    """`/oai?verb=ListRecords…`, and `Identify`; `page_size` records at a time.

    A number in `empty_pages` is that of a page (from 1, of each list) that has no records, but the
    token of the next one.
    """

    hosts = ("oaipmh.arxiv.org",)

    def __init__(self, archive: Archive, *, page_size: int = 100) -> None:
        self.archive = archive
        self.page_size = page_size
        self.empty_pages: set[int] = set()
        self._tokens: dict[str, tuple[str, list[Work], int]] = {}
        self._names = count(1)

    def expire_tokens(self) -> None:
        """What arXiv does every day."""
        self._tokens.clear()

    def answer(self, question: Question) -> Told | None:
        if question.path != "/oai":
            return None
        try:
            content = self._content(question.query)
        except _Error as error:
            code, said = error.args
            content = f'<error code="{code}">{escape(said)}</error>'
        return Told(200, self._document(question.query, content), {"Content-Type": "text/xml"})

    def _content(self, query: dict[str, str]) -> str:
        if unknown := set(query) - ARGUMENTS:
            raise _Error("badArgument", f"Unknown parameter {sorted(unknown)[0]}")
        match query.get("verb"):
            case "Identify":
                return _identify()
            case "ListRecords":
                return self._list_records(query)
        raise _Error("badVerb", "Illegal OAI verb")

    def _list_records(self, query: dict[str, str]) -> str:
        token = query.get("resumptionToken")
        if token is None:
            prefix, works, page = query.get("metadataPrefix", ""), self._wanted(query), 1
        elif len(query) > 2:
            raise _Error("badArgument", "resumptionToken is exclusive")
        elif token in self._tokens:
            prefix, works, page = self._tokens[token]
        else:
            raise _Error("badResumptionToken", "The resumptionToken has expired or is invalid")
        return self._page(prefix, works, page)

    def _page(self, prefix: str, works: list[Work], page: int) -> str:
        empty = page in self.empty_pages
        now, later = ([], works) if empty else (works[: self.page_size], works[self.page_size :])
        records = "".join(self._record(prefix, work) for work in now)
        token = ""
        if later:
            token = f"verb%3DListRecords%26skip%3D{next(self._names)}"
            self._tokens[token] = (prefix, later, page + 1)
        # The last page of several has an empty token (section 3.5 of the protocol).
        ended = page > 1 or later
        resume = f"<resumptionToken>{token}</resumptionToken>" if ended else ""
        return f"<ListRecords>{records}{resume}</ListRecords>"

    def _wanted(self, query: dict[str, str]) -> list[Work]:
        if query.get("metadataPrefix") not in FORMATS:
            missing = "metadataPrefix" not in query
            code = "badArgument" if missing else "cannotDisseminateFormat"
            raise _Error(code, "metadataPrefix is missing or unknown")
        first, last = _day(query, "from", EARLIEST), _day(query, "until", date.max)
        if first > last:
            raise _Error("badArgument", "from is after until")
        works = [work for work in self.archive.known() if self._is_wanted(work, query, first, last)]
        if not works:
            raise _Error("noRecordsMatch", "No records match the request")
        return sorted(works, key=lambda work: (work.datestamp(self.archive.today), work.id))

    def _is_wanted(self, work: Work, query: dict[str, str], first: date, last: date) -> bool:
        wanted = query.get("set")
        in_set = wanted is None or any(
            spec == wanted or spec.startswith(f"{wanted}:") for spec in map(set_of, work.categories)
        )
        return in_set and first <= work.datestamp(self.archive.today) <= last

    def _record(self, prefix: str, work: Work) -> str:
        today = self.archive.today
        sets = "".join(f"<setSpec>{set_of(name)}</setSpec>" for name in work.categories)
        deleted = work.is_deleted(today)
        status = ' status="deleted"' if deleted else ""
        header = f"""
    <header{status}>
      <identifier>oai:arXiv.org:{work.id}</identifier>
      <datestamp>{work.datestamp(today)}</datestamp>
      {sets}
    </header>"""
        metadata = "" if deleted else f"<metadata>{_WRITERS[prefix](work, today)}</metadata>"
        return f"\n  <record>{header}{metadata}</record>"

    def _document(self, query: dict[str, str], content: str) -> bytes:
        attributes = "".join(
            f" {name}={quoteattr(value)}" for name, value in query.items() if name in ARGUMENTS
        )
        now = datetime.combine(self.archive.today, time(2, 45), UTC)
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ \
http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">
  <responseDate>{now:%Y-%m-%dT%H:%M:%SZ}</responseDate>
  <request{attributes}>http://oaipmh.arxiv.org/oai</request>
  {content}
</OAI-PMH>
""".encode()


def set_of(category: str) -> str:
    """cs.AI is cs:cs:AI, astro-ph.GA is physics:astro-ph:GA, hep-ph is physics:hep-ph."""
    archive, _, subject = category.partition(".")
    group = archive if archive in OWN_GROUPS else "physics"
    return f"{group}:{archive}:{subject}" if subject else f"{group}:{archive}"


def _day(query: dict[str, str], name: str, otherwise: date) -> date:
    text = query.get(name)
    try:
        day = date.fromisoformat(text) if text is not None else otherwise
    except ValueError as error:
        raise _Error("badArgument", f"{name} must be a date like YYYY-MM-DD") from error
    if name == "from" and day < EARLIEST:
        raise _Error("badArgument", f"from must not be before {EARLIEST}")
    return day


def _identify() -> str:
    return f"""<Identify>
    <repositoryName>arXiv</repositoryName>
    <baseURL>https://oaipmh.arxiv.org/oai</baseURL>
    <protocolVersion>2.0</protocolVersion>
    <adminEmail>help@arxiv.org</adminEmail>
    <earliestDatestamp>{EARLIEST}</earliestDatestamp>
    <deletedRecord>persistent</deletedRecord>
    <granularity>YYYY-MM-DD</granularity>
  </Identify>"""


def _arxiv(work: Work, today: date) -> str:
    version = work.version(today)
    updated = f"<updated>{work.submitted(version).date()}</updated>" if version > 1 else ""
    return f"""
      <arXiv xmlns="{SCHEMAS}/arXiv/">
        <id>{work.id}</id><created>{work.submitted(1).date()}</created>{updated}
        <authors>{"".join(map(_author, work.authors))}</authors>
        <title>{escape(work.title)}</title>
        <categories>{" ".join(work.categories)}</categories>{_notes(work)}
        <license>{work.license}</license>
        <abstract>  {escape(work.abstract)}
</abstract>
      </arXiv>"""


def _author(name: str) -> str:
    given, _, family = name.rpartition(" ")
    forenames = f"<forenames>{escape(given)}</forenames>" if given else ""
    return f"<author><keyname>{escape(family)}</keyname>{forenames}</author>"


def _notes(work: Work) -> str:
    told = {"comments": work.comment, "journal-ref": work.journal_ref, "doi": work.doi}
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in told.items() if text)


def _arxiv_raw(work: Work, today: date) -> str:
    return f"""
      <arXivRaw xmlns="{SCHEMAS}/arXivRaw/">
        <id>{work.id}</id><submitter>{escape(work.authors[0])}</submitter>
        {"".join(_versions(work, today))}
        <title>{escape(work.title)}</title>
        <authors>{escape(", ".join(work.authors))}</authors>
        <categories>{" ".join(work.categories)}</categories>{_notes(work)}
        <license>{work.license}</license>
        <abstract>  {escape(work.abstract)}
</abstract>
      </arXivRaw>"""


def _versions(work: Work, today: date) -> Iterator[str]:
    for number in range(1, work.version(today) + 1):
        submitted = format_datetime(work.submitted(number), usegmt=True)
        size = "<size>31kb</size><source_type>D</source_type>"
        yield f'<version version="v{number}"><date>{submitted}</date>{size}</version>'


def _dublin_core(work: Work, today: date) -> str:
    names = (name.rpartition(" ") for name in work.authors)
    creators = "".join(
        f"<dc:creator>{escape(f'{family}, {given}' if given else family)}</dc:creator>"
        for given, _, family in names
    )
    days = {work.submitted(1).date(), work.submitted(work.version(today)).date()}
    dates = "".join(f"<dc:date>{day}</dc:date>" for day in sorted(days))
    comment = escape(f"Comment: {work.comment}")
    noted = f"<dc:description>{comment}</dc:description>" if work.comment else ""
    return f"""
      <oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"
                 xmlns:dc="http://purl.org/dc/elements/1.1/">
        <dc:title>{escape(work.title)}</dc:title>{creators}
        <dc:description>{escape(work.abstract)}</dc:description>{noted}
        {dates}<dc:type>text</dc:type>
        <dc:identifier>http://arxiv.org/abs/{work.id}</dc:identifier>
      </oai_dc:dc>"""


_WRITERS = {"arXiv": _arxiv, "arXivRaw": _arxiv_raw, "oai_dc": _dublin_core}
