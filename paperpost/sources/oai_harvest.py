"""Harvesting by OAI-PMH: page after page of what has changed in a set since a day.

https://www.openarchives.org/OAI/openarchivesprotocol.html, sections 3.5 and 4.5. There is no
`until`: what was announced on a missed day and changed later has a later datestamp. Waiting where
the server asks for it (503 with Retry-After) is the client's business.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from paperpost.sources.client import PoliteClient
from paperpost.sources.errors import FeedError, RequestFailed, UnreadableFile
from paperpost.sources.explanations import raise_explanation
from paperpost.sources.found import Rejected
from paperpost.sources.oai import ROOT, Listed, read_list
from paperpost.sources.xml_documents import root_name

ENDPOINT = "https://oaipmh.arxiv.org/oai"
# The one format that tells each version's time: of "arXiv" nobody knows when a paper that has
# been replaced was new.
FORMAT = "arXivRaw"

_EXPIRED = "badResumptionToken"
_BEGUN_AGAIN = 2  # at most
_MOST_PAGES = 500  # of up to 3,500 records; who sends more has lost count

Page = list[Listed | Rejected]


@dataclass(slots=True)
class _Place:
    """How far a harvest has come: where it would begin again, and the next page's token."""

    begin: date
    newest: date
    token: str | None = None
    in_order: bool = True

    def pass_by(self, page: Page) -> None:
        """Note the datestamps of a page. A list is in their order, but the protocol does not say
        so: only as long as it is, nothing is lost by beginning again at the newest."""
        for datestamp in (one.datestamp for one in page if isinstance(one, Listed)):
            self.in_order = self.in_order and datestamp >= self.newest
            self.newest = max(self.newest, datestamp)

    def begin_again(self) -> None:
        """The token is of no use any more."""
        self.begin = self.newest if self.in_order else self.begin
        self.token = None


def pages(client: PoliteClient, set_spec: str, since: date, today: date) -> Iterator[Page]:
    """The records of a set that changed since a day, deleted ones as rejected.

    When a token has expired or an answer breaks off, the list begins again from the newest
    datestamp, twice at most. Raises SourceError.
    """
    place = _Place(since, since)
    begun_again = 0
    for _ in range(_MOST_PAGES):
        try:
            page, token, damage = _page(client, set_spec, place, today)
        except FeedError as error:
            if error.code != _EXPIRED or begun_again == _BEGUN_AGAIN:
                raise
            page, token, damage = [], None, str(error)
        yield page
        place.pass_by(page)
        if damage:
            if begun_again == _BEGUN_AGAIN:
                raise UnreadableFile(damage)
            begun_again += 1
            place.begin_again()
        elif token:
            place.token = token
        else:
            return
    raise UnreadableFile(f"a list of more than {_MOST_PAGES} pages")


def _page(
    client: PoliteClient, set_spec: str, place: _Place, today: date
) -> tuple[Page, str | None, str | None]:
    """One answer: its records, the next page's token, and what is damaged."""
    query = {"verb": "ListRecords"}
    if place.token:
        query["resumptionToken"] = place.token
    else:
        query |= {"metadataPrefix": FORMAT, "set": set_spec, "from": str(place.begin)}
    body = _ask(client, f"{ENDPOINT}?{urlencode(query)}", today)
    if root_name(body) != ROOT:
        raise UnreadableFile("the answer is no OAI-PMH")
    page: Page = []
    token = damage = None
    for found in read_list(io.BytesIO(body), today=today):
        if isinstance(found, Listed):
            page.append(found)
        elif not isinstance(found, Rejected):
            token = found
        elif found.damage:
            damage = found.reason
        else:
            page.append(found)
    return page, token, damage


def _ask(client: PoliteClient, url: str, today: date) -> bytes:
    """The answer's body. An error of the protocol comes with HTTP 200, and at times with 4xx."""
    try:
        return client.get(url).body or b""
    except RequestFailed as failure:
        raise_explanation(failure, today)
        raise
